"""A library with the shipped papers, and study results built by hand in the documented format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lenslab.library.intake import shipped_library
from lenslab.records import Record
from tests.web.studies import write_study

PAPER = "/paper/1806.02891"


@pytest.fixture(autouse=True)
def own_places(settings: Any, tmp_path: Path) -> None:
    """Nothing of the person who runs the tests is read or written: no key, no records."""
    settings.SECRET_KEY = "only for tests, never for a site that anybody can reach"
    settings.RECORDS = tmp_path / "runs"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def library(db: None) -> None:  # noqa: ARG001 - asked for its effect
    for data in shipped_library.shipped_data():
        shipped_library.load(data)


@pytest.fixture
def study(settings: Any) -> Callable[..., Record]:
    def write(name: str = "first", document: dict[str, Any] | None = None, **options: Any) -> Record:
        return write_study(settings.RECORDS / name, document, **options)

    return write
