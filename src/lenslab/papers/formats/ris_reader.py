"""RIS files: each record becomes a description, or a rejection with its reason."""

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
from lenslab.papers.publication import Publication, pages
from lenslab.papers.text.text_encoding import from_utf8, read_text

NAME = "RIS"

_KINDS = {
    "JOUR": "article-journal",
    "MGZN": "article-journal",
    "CPAPER": "paper-conference",
    "CONF": "paper-conference",
    "CHAP": "chapter",
    "ECHAP": "chapter",
    "BOOK": "book",
    "EBOOK": "book",
    "EDBOOK": "book",
    "THES": "thesis",
    "RPRT": "report",
}
_BEGIN = re.compile(r"TY {1,2}- ?")
_TAG = re.compile(r"\s+[A-Z][A-Z0-9] {1,2}- ?")
_END = re.compile(r"ER {1,2}-")


def read(path: Path | str) -> Iterator[Description | Rejection]:
    """Read a file; ``locator`` is the record's ID, or the DOI or arXiv identifier where it has none.

    A caller who reads several files completes the locator by the file's name.

    Raises:
        FileError: There is no such file, or it cannot be read.
        MalformedError: The file is too large, or it is no text.
    """
    return entries(read_text(path))


def entries(text: str) -> Iterator[Description | Rejection]:
    r"""Read the records of a text in their order.

    Example:
        >>> [entry.paper.title for entry in entries("TY  - JOUR\nID  - a\nTI  - On units\nER  - \n")]
        ['On units']
    """
    return without_duplicates(_entries(text))


def parse(raw: bytes) -> Description:
    r"""Read one record, from its line TY to its line ER.

    Raises:
        MalformedError: It is not one record that can be read.

    Example:
        >>> parse(b"TY  - JOUR\nTI  - Places\nDO  - 10.1109/TPAMI.2017.2723009\nER  - ").locator
        '10.1109/tpami.2017.2723009'
    """
    import rispy

    text = from_utf8(raw)
    try:
        records: list[dict[str, Any]] = rispy.loads(text)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedError(f"not RIS: {type(error).__name__} {error}") from None
    if len(records) != 1:
        raise MalformedError(f"{len(records)} records, where one was kept")
    return _description(records[0], raw)


def _entries(text: str) -> Iterator[Description | Rejection]:
    for number, (record, whole) in enumerate(_records(text), 1):
        if not whole:
            yield Rejection(number, "cut short: no line ER ends it")
            continue
        try:
            yield parse(record.encode(errors="replace"))
        except MalformedError as error:
            yield Rejection(number, str(error))


def _records(text: str) -> Iterator[tuple[str, bool]]:
    """Split a text into records, and tell whether each has its end; what stands between two is skipped."""
    kept: list[str] = []
    for line in text.split("\n"):
        line = line.lstrip() if _TAG.match(line) else line
        if _BEGIN.match(line):
            if kept:
                yield "\n".join(kept), False
            kept = [line]
        elif kept:
            kept.append(line)
            if _END.match(line):
                yield "\n".join(kept), True
                kept = []
    if kept:
        yield "\n".join(kept), False


def _description(record: dict[str, Any], raw: bytes) -> Description:
    def stated(*names: str) -> str:
        return untagged(next((text for name in names if (text := " ".join(_texts(record.get(name))).strip())), ""))

    def get(*names: str) -> str:
        return unmarked(stated(*names))

    further = record.get("unknown_tag")
    further = further if isinstance(further, dict) else {}
    kind = _KINDS.get(get("type_of_reference"), "")
    book_title = untagged(" ".join(_texts(further.get("BT"))[:1]))
    series, secondary = stated("tertiary_title"), stated("secondary_title")
    # The full name of a journal before abbreviated ones.
    container = stated("alternate_title3") or ("" if kind == "book" else secondary) or stated("journal_name")
    container = container or (book_title if kind != "book" else "") or stated("alternate_title2", "alternate_title1")
    if kind == "book":
        series = series or secondary
    people = _people(record.get("authors")) or _people(record.get("first_authors"))
    editors = _people(record.get("secondary_authors")) or _people(further.get("ED"))
    if kind == "book" and not people:
        editors = editors or _people(record.get("tertiary_authors"))
    mentions = ("accession_number", "urls", "number", "journal_name", "custom1", "type_of_work")
    title = get("title", "primary_title", "short_title") or get("translated_title") or book_title
    # Of a book that is in no series, the volume tells it apart from the others of its title.
    volume = get("volume") if kind == "book" and not series else ""
    reference = Reference(
        key=get("id"),
        title=whole_title(title, volume=volume),
        authors=people,
        editors=editors,
        year=(get("year"), get("publication_year"), get("date")),
        doi=(get("doi"), *_texts(record.get("urls"))),
        mentions=tuple(get(name) for name in mentions),
        notes=(get("note"), *_texts(record.get("notes"))),
        publication=Publication(
            kind=kind,
            container=container,
            volume=stated("volume"),
            number=stated("number"),
            pages=pages(stated("start_page"), stated("end_page")),
            isbn=_isbn(stated("issn")),
            publisher=stated("publisher"),
            edition=stated("edition"),
            series=series,
            genre=stated("type_of_work"),
            edited=get("type_of_reference") == "EDBOOK",
        ),
        retracted=any(map(says_retracted, _texts(record.get("notes")))),
        abstract=get("abstract", "notes_abstract"),
        categories=tuple(word for word in _texts(record.get("keywords")) if is_category(word)),
    )
    return reference.description(NAME, raw)


def _isbn(number: str) -> str:
    """Leave out an ISSN, which stands under the same tag and names a journal."""
    return "" if re.fullmatch(r"\d{4}-?\d{3}[\dXx](?:\s*\(.*\))?", number.strip()) else number


def _people(listed: object) -> tuple[str, ...]:
    """Read names, of which several may stand in one line with semicolons between them."""
    names = (name for text in _texts(listed) for name in html.unescape(text).split(";"))
    return tuple(person for name in names if (person := str(Person.parse(" ".join(name.split())))))


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [text for text in value if isinstance(text, str)]
    return [value] if isinstance(value, str) else []
