"""The arXiv snapshot: one JSON object a line, as Kaggle offers it and as a harvest of arXivRaw can be written."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.doi import first_doi
from lenslab.papers.errors import ArxivIdError, MalformedError
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.paper import Paper, Version
from lenslab.papers.text import strict_json
from lenslab.papers.text.author_list import author_names, tidy_name
from lenslab.papers.text.file_lines import TooLong, lines
from lenslab.papers.text.latex_display import plain_text
from lenslab.papers.text.strict_json import kind_of
from lenslab.papers.text.text_encoding import from_utf8

NAME = "arXiv snapshot"

_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_CREATED = re.compile(r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})(?: \d\d:\d\d:\d\d(?: GMT)?)?", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ].*)?", re.ASCII)
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
# What is left to do in names that stand one a line: TeX, commas, spaces that are one too many, and names of nothing.
_UNTIDY = ("\\", "{", "$", ",", ". -", "  ", "\n ", " \n", "\n\n", "\n:\n", "\n;\n")


def read(
    path: Path | str, *, skip: int = 0, progress: Callable[[int], None] | None = None
) -> Iterator[tuple[int, int | None, Description | Rejection]]:
    """Read a snapshot, plain or compressed.

    Args:
        path: The file.
        skip: How many lines at the beginning to skip unread.
        progress: Called now and then with how many bytes of the file have been read.

    Yields:
        For each line its number, counted from 1, where it begins (``None`` in a compressed file), and what it says of
        a paper, or why it says nothing.

    Raises:
        FileError: There is no such file, or it cannot be read.
        MalformedError: The file is cut short, damaged, or of another kind; what was yielded stands.
    """
    for number, offset, line in lines(path, progress=progress):
        if number <= skip:
            continue
        if isinstance(line, TooLong):
            yield number, offset, Rejection(number, f"the line has {line.size:,} bytes, more than any record")
            continue
        try:
            yield number, offset, parse(line)
        except MalformedError as error:
            yield number, offset, Rejection(number, str(error))


def parse(raw: bytes) -> Description:
    r"""Read one line, a JSON object with at least ``id`` and ``title``.

    Raises:
        MalformedError: The line is not what the snapshot holds; the message says in a few words why.

    Example:
        >>> found = parse(b'{"id": "0704.0001", "title": "On\\n  units", "authors_parsed": [["Yuan", "C. -P.", ""]]}')
        >>> found.paper.title, found.paper.authors, found.paper.year
        ('On units', ('C.-P. Yuan',), 2007)
    """
    record = strict_json.read(from_utf8(raw))
    if not isinstance(record, dict):
        raise MalformedError(f"not a JSON object but {kind_of(record)}")
    identifier = _identifier(record.get("id"))
    title = _line(record, "title")
    if not title:
        raise MalformedError("no title")
    license_uri = _text(record, "license").strip()
    versions = _versions(record.get("versions"), license_uri)
    changed = _day(record, "update_date")
    first = versions[0].created if versions and versions[0].number == 1 else None
    return Description(
        source=NAME,
        locator=identifier.base,
        raw=raw,
        paper=Paper(
            title=title,
            authors=_authors(record),
            year=first.year if first else identifier.year,
            arxiv_id=identifier,
            abstract=_line(record, "abstract"),
            categories=tuple(_text(record, "categories").split()),
            license_uri=license_uri,
            doi=first_doi(_text(record, "doi")),
            journal_reference=_line(record, "journal-ref"),
            author_comments=_line(record, "comments"),
            report_number=_line(record, "report-no"),
            msc_class=_line(record, "msc-class"),
            acm_class=_line(record, "acm-class"),
            submitted=first,
            # A snapshot without dates of versions still tells when the record last changed.
            updated=(versions[-1].created if versions else None) or changed,
            versions=versions,
        ),
    )


def _identifier(name: object) -> ArxivId:
    if not isinstance(name, str):
        what = "no id" if name is None else f"the id is {kind_of(name)}, where identifiers are text such as '0704.0001'"
        raise MalformedError(what)
    try:
        return ArxivId(name)
    except ArxivIdError:
        pass
    try:
        return ArxivId(ArxivId.parse(name).base)
    except ArxivIdError as error:
        raise MalformedError(str(error)) from None


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedError(f"{key} is {kind_of(value)}, not text")
    return value


def _line(record: dict[str, Any], key: str) -> str:
    """Read a text in one line, each run of white space one space; made fast, since most of a record passes here."""
    text = record.get(key)
    if not text:
        return "" if text is None else _text(record, key)
    text = _text(record, key).replace("\n", " ").strip(" ")
    # What is printable holds no white space but the space.
    return " ".join(text.split()) if "  " in text or not text.isprintable() else text


def _authors(record: dict[str, Any]) -> tuple[str, ...]:
    parsed = record.get("authors_parsed")
    if not parsed:
        listed = _text(record, "authors")
        if parsed is not None and not isinstance(parsed, list):
            raise MalformedError(f"authors_parsed is {kind_of(parsed)}, not a list")
        return author_names(listed)
    try:
        names = [
            f"{given} {family}" if given and family and not rest else " ".join(filter(None, (given, family, *rest[:1])))
            for family, given, *rest in parsed
        ]
        listed = "\n".join(("", *names, ""))
    except (TypeError, ValueError):
        raise MalformedError("authors_parsed is not a list of [family, given, suffix]") from None
    # Nearly every list is tidy, and that is seen at once; what is printable holds no white space but the space.
    tidy = listed.count("\n") == len(names) + 1 and listed.replace("\n", "").isprintable()
    if tidy and not any(sign in listed for sign in _UNTIDY):
        return tuple(names)
    # arXiv takes the sign after a collaboration for a name.
    return tuple(name for name in map(_tidy_author, names) if name not in ("", ":", ";"))


def _tidy_author(name: str) -> str:
    # Without the commas that some parts end with, a name is read from its first word to its last.
    if "\\" in name or "{" in name or "$" in name:
        name = plain_text(name, formulas=False)
    return tidy_name(name.replace(",", ""))


def _versions(listed: object, license_uri: str) -> tuple[Version, ...]:
    """List the versions, oldest first; the record's licence is the newest's, and of older ones it says nothing."""
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise MalformedError(f"versions is {kind_of(listed)}, not a list")
    found: dict[int, dict[str, Any]] = {}
    for entry in listed:
        if not isinstance(entry, dict):
            raise MalformedError(f"versions holds {kind_of(entry)}, not objects")
        name = _text(entry, "version")
        digits = name.removeprefix("v")
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 5 and digits[0] != "0"):
            raise MalformedError(f"a version is called {name[:20]!r}, not v1, v2 and so on")
        if found.setdefault(int(digits), entry) is not entry:
            raise MalformedError(f"version {digits} is listed twice")
    versions = []
    for number, entry in sorted(found.items()):
        uri = license_uri if number == max(found) else ""
        versions.append(Version(number, _day(entry, "created"), uri, _text(entry, "size"), _text(entry, "source_type")))
    return tuple(versions)


def _day(record: dict[str, Any], key: str) -> dt.date | None:
    written = _text(record, key).strip()
    if not written:
        return None
    try:
        if match := _CREATED.fullmatch(written):
            return dt.date(int(match[3]), _MONTHS[match[2]], int(match[1]))
        if match := _ISO.fullmatch(written):
            return dt.date(int(match[1]), int(match[2]), int(match[3]))
        if match := _MONTH_FIRST.fullmatch(written):
            return dt.date(int(match[3]), int(match[1]), int(match[2]))
    except (ValueError, KeyError):
        pass
    raise MalformedError(f"{key} {written[:40]!r} is no date")
