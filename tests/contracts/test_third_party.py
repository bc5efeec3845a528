"""No page, style sheet or script of the site asks another host for anything."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

import lenslab.web
from lenslab.library.intake import shipped_library
from lenslab.library.models import Work
from lenslab.web.addresses import work_address

STATIC = Path(lenslab.web.__file__).parent / "static"
# What makes a browser fetch something by itself; a link that a reader may click does not.
FETCHING = {"src", "srcset", "action", "formaction", "data", "poster", "background", "ping", "manifest"}
FETCHING_LINKS = {
    "stylesheet",
    "icon",
    "preload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "modulepreload",
    "manifest",
}


class Fetched(HTMLParser):
    """Collects every address that a browser would ask for by itself."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attributes}
        self.addresses += [value for name, value in held.items() if name in FETCHING]
        if tag == "link" and FETCHING_LINKS & set(held.get("rel", "").split()):
            self.addresses.append(held.get("href", ""))
        if tag in ("image", "use", "script") and "href" in held:
            self.addresses.append(held["href"])
        assert tag not in ("iframe", "object", "embed", "base", "frame"), f"<{tag}> on a page"


@pytest.fixture
def library(db: None) -> None:  # noqa: ARG001 - asked for its effect
    for data in shipped_library.shipped_data():
        shipped_library.load(data)


@pytest.mark.usefixtures("library")
def test_no_page_makes_the_browser_ask_another_host(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.RECORDS = tmp_path
    works = [work_address(key) for key in Work.objects.values_list("key", flat=True)[:12]]
    seen = 0
    for address in ["/", "/cookies", "/sign-in", "/sign-up", "/not/there", "/paper/1806.02891", *works]:
        for fetched in Fetched(client.get(address).content.decode()).addresses:
            seen += 1
            assert urlsplit(fetched).scheme in ("", "data"), (address, fetched)
            assert urlsplit(fetched).netloc == "", (address, fetched)
    assert seen > 20


def test_the_checker_sees_what_it_looks_for() -> None:
    page = '<img src="https://a.example/b"><link rel="stylesheet" href="//c.example/d.css"><a href="https://e.example">x</a>'
    assert Fetched(page).addresses == ["https://a.example/b", "//c.example/d.css"]


@pytest.mark.parametrize("sheet", sorted(STATIC.rglob("*.css")), ids=lambda path: path.name)
def test_no_style_sheet_reaches_out(sheet: Path) -> None:
    text = sheet.read_text("utf-8")
    for address in re.findall(r"url\(\s*['\"]?([^'\")]+)", text) + re.findall(r"@import\s+['\"]([^'\"]+)", text):
        assert not re.match(r"(?:https?:)?//", address), address


def test_the_style_sheets_are_there() -> None:
    assert (STATIC / "lenslab" / "style.css").is_file()
