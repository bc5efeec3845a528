"""What every template may use beside what its view gives it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest

from lenslab import __version__

DISMISSED = "notice"


@cache
def bundled() -> bool:
    """Tell whether the front end has been built; without it the pages are complete, only less lively."""
    return (Path(__file__).parent / "static" / "dist" / "page.js").is_file()


def site(request: HttpRequest) -> dict[str, Any]:
    """Give the version, whether the built front end is there, and whether the cookie notice was dismissed."""
    return {"version": __version__, "bundle": bundled(), "notice": DISMISSED not in request.COOKIES}
