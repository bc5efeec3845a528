"""CSL-JSON files: each item becomes a description, or a rejection with its reason."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lenslab.papers.categories import is_category
from lenslab.papers.description import Description
from lenslab.papers.errors import MalformedError
from lenslab.papers.formats.reference_fields import (
    Reference,
    says_retracted,
    unmarked,
    untagged,
    whole_title,
    without_duplicates,
)
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.person import Person
from lenslab.papers.publication import KINDS, Publication
from lenslab.papers.text import strict_json
from lenslab.papers.text.strict_json import kind_of
from lenslab.papers.text.text_encoding import from_utf8, read_text

NAME = "CSL-JSON"

_KINDS = {
    "journal-article": "article-journal",
    "proceedings-article": "paper-conference",
    "book-chapter": "chapter",
    "dissertation": "thesis",
    "posted-content": "article",
}
"""Crossref's names of types."""

_SPACE = re.compile(r"[ \t\n\r]*")


def read(path: Path | str) -> Iterator[Description | Rejection]:
    """Read a file; ``locator`` is the item's id, which a caller who reads several files completes by the file's name.

    Raises:
        FileError: There is no such file, or it cannot be read.
        MalformedError: The file is too large, or it is no text.
    """
    return entries(read_text(path))


def entries(text: str) -> Iterator[Description | Rejection]:
    """Read the items of a text in their order: a list of them, or one alone.

    Example:
        >>> [entry.paper.title for entry in entries('[{"id": "a", "title": "On units"}]')]
        ['On units']
    """
    return without_duplicates(_entries(text))


def parse(raw: bytes) -> Description:
    """Read one item.

    Raises:
        MalformedError: It is not one item that can be read.

    Example:
        >>> parse(b'{"title": "Places", "DOI": "10.1109/TPAMI.2017.2723009"}').locator
        '10.1109/tpami.2017.2723009'
    """
    return _description(strict_json.read(from_utf8(raw)), raw)


def _entries(text: str) -> Iterator[Description | Rejection]:
    for number, (item, written) in enumerate(_items(text), 1):
        if isinstance(item, MalformedError):
            yield Rejection(number, str(item))
            continue
        try:
            yield _description(item, written.encode())
        except MalformedError as error:
            name = item.get("id") if isinstance(item, dict) else None
            yield Rejection(number, str(error), name if isinstance(name, str) else "")


def _items(text: str) -> Iterator[tuple[Any, str]]:
    """Read the items, each with the text that it is written in; where one is broken, so is the rest of the file."""
    position = _after_space(text, 0)
    in_list = text.startswith("[", position)
    position = _after_space(text, position + 1) if in_list else position
    if in_list and text.startswith("]", position):
        return
    while True:
        try:
            item, end = strict_json.read_from(text, position)
        except MalformedError as error:
            yield error, ""
            return
        yield item, text[position:end]
        position = _after_space(text, end)
        if in_list and text.startswith(",", position):
            position = _after_space(text, position + 1)
            continue
        if text[position:].strip() != ("]" if in_list else ""):
            expected = "a comma or the end of the list" if in_list else "nothing more"
            yield MalformedError(f"not JSON: expecting {expected} at character {position + 1}"), ""
        return


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _description(item: Any, raw: bytes) -> Description:
    if not isinstance(item, dict):
        raise MalformedError(f"not an object but {kind_of(item)}")

    parts = _parts(item)

    def stated(name: str) -> str:
        value = parts.get(name, item.get(name))
        if isinstance(value, list):
            value = value[0] if value else None
        if value is None:
            return ""
        if isinstance(value, bool | dict | list):
            raise MalformedError(f"{name} is {kind_of(value)}, not text")
        return untagged(str(value))

    def get(name: str) -> str:
        return unmarked(stated(name))

    named = item.get("categories")
    named = named if isinstance(named, list) else []
    mentions = ("number", "archive_location", "URL", "archive", "container-title")
    # Of a book that is in no series, the volume tells it apart from the others of its title.
    kind = _KINDS.get(get("type"), get("type"))
    volume = get("volume") if kind == "book" and not get("collection-title") else ""
    reference = Reference(
        key=get("id"),
        title=whole_title(get("title"), get("subtitle"), volume=volume),
        authors=tuple(_people(item, "author")),
        editors=tuple(_people(item, "editor")),
        year=tuple(_years(item)),
        doi=(get("DOI"), get("URL")),
        mentions=tuple(get(name) for name in mentions),
        notes=(get("note"),),
        publication=Publication(
            kind=kind if kind in KINDS else "",
            container=stated("container-title"),
            volume=stated("volume"),
            number=stated("issue") or (stated("number") if kind == "report" else ""),
            pages=stated("page"),
            isbn=stated("ISBN"),
            publisher=stated("publisher"),
            edition=stated("edition"),
            series=stated("collection-title"),
            genre=stated("genre"),
        ),
        retracted=get("status").lower() == "retracted" or says_retracted(get("note")),
        abstract=get("abstract"),
        categories=tuple(word for word in named if isinstance(word, str) and is_category(word)),
    )
    return reference.description(NAME, raw)


def _parts(item: dict[str, Any]) -> dict[str, str]:
    """Give the parts of the line that lenslab writes for a container, where they are its parts."""
    custom = item.get("custom")
    names = ("container-title", "volume", "issue", "page")
    if (
        not isinstance(custom, dict)
        or not {*custom} <= {*names}
        or not all(isinstance(p, str) for p in custom.values())
    ):
        return {}
    container, volume, number, pages = (custom.get(name, "") for name in names)
    line = Publication(container=container, volume=volume, number=number, pages=pages).line
    return custom if line and line == item.get("container-title") else {}


def _people(item: dict[str, Any], role: str) -> Iterator[str]:
    listed = item.get(role)
    if listed is None:
        return
    if not isinstance(listed, list):
        raise MalformedError(f"{role} is {kind_of(listed)}, not a list")
    for person in listed:
        if not isinstance(person, dict):
            raise MalformedError(f"an {role} is {kind_of(person)}, not an object")
        parts = {}
        for name in _PARTS:
            part = person.get(name) or ""
            if not isinstance(part, str):
                raise MalformedError(f"the {name} of an {role} is {kind_of(part)}, not text")
            parts[name] = " ".join(html.unescape(part).split())
        if parts["literal"] or parts["name"]:
            yield str(Person.of(family=parts["literal"] or parts["name"]))
            continue
        particles = (parts["dropping-particle"], parts["non-dropping-particle"], parts["family"])
        name = str(Person.of(family=" ".join(particles), given=parts["given"], suffix=parts["suffix"]))
        if name:
            yield name


_PARTS = ("literal", "name", "family", "given", "suffix", "dropping-particle", "non-dropping-particle")


def _years(item: dict[str, Any]) -> Iterator[str]:
    """Find the year in whatever form of a date: parts, numbers or text, a date in ISO 8601, or a literal."""
    for name in ("issued", "published", "published-print", "published-online", "submitted", "original-date"):
        date = item.get(name)
        if isinstance(date, str | int) and not isinstance(date, bool):
            yield str(date)
        if not isinstance(date, dict):
            continue
        parts = date.get("date-parts")
        while isinstance(parts, list) and parts:
            parts = parts[0]
        for written in (parts, *(date.get(form) for form in ("year", "raw", "literal", "edtf", "date-time"))):
            if isinstance(written, str | int) and not isinstance(written, bool):
                yield str(written)
