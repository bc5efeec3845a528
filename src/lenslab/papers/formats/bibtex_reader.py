"""BibTeX files: each entry becomes a description, or a rejection with its reason."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lenslab.papers.description import Description
from lenslab.papers.errors import MalformedError
from lenslab.papers.formats.bibtex_names import authors_of, is_cut
from lenslab.papers.formats.reference_fields import Reference, says_retracted, whole_title, without_duplicates
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.publication import Publication
from lenslab.papers.text.latex_display import plain_text
from lenslab.papers.text.text_encoding import from_utf8, read_text

if TYPE_CHECKING:
    from bibtexparser.model import Entry, String


NAME = "BibTeX"

# Escapes that reference managers put into addresses and DOIs, where TeX has no say.
_ESCAPED = re.compile(r"\\([_%&#$~{}])")
_NO_ENTRY = re.compile(r"@\s*(?:string|comment|preamble)\b", re.IGNORECASE)
_BOOKS = frozenset(("book", "mvbook", "collection", "mvcollection", "reference", "mvreference", "proceedings"))
_PAPERS = frozenset(("inproceedings", "conference"))
_PARTS_OF_BOOKS = _PAPERS | {"inbook", "incollection", "inreference", "suppbook", "suppcollection"}
_KINDS = (
    dict.fromkeys(_PARTS_OF_BOOKS, "chapter")
    | dict.fromkeys(_PAPERS, "paper-conference")
    | dict.fromkeys((*_BOOKS, "booklet", "mvproceedings"), "book")
    | dict.fromkeys(("thesis", "phdthesis", "mastersthesis"), "thesis")
    | dict.fromkeys(("report", "techreport"), "report")
    | {"article": "article-journal"}
)
# What names a book is no name of the papers in it, and what it contains is not theirs.
_OWN = frozenset(
    (
        *("doi", "url", "eprint", "arxiv", "arxivid", "archiveprefix", "eprinttype", "primaryclass", "eprintclass"),
        *(
            "isbn",
            "abstract",
            "note",
            "annote",
            "pages",
            "ids",
            "crossref",
            "xref",
            "xdata",
            "keywords",
            "howpublished",
        ),
    )
)
_BEGIN = re.compile(r"@\s*\w+\s*[{(]\s*([^\s,={}()\"]+)")
# Publishers write HTML; an ampersand of TeX stands behind a backslash.
_ENTITY = re.compile(r"(?<!\\)&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+\d*);")
_FAULTS = {
    "Unexpected block start": "a brace or quote is still open where the next entry begins",
    "Unexpectedly reached end of file": "a brace or quote is still open at the end of the file",
    "Expected comma after entry key": "no comma follows the key",
    "Expected a `=`": "no = follows the name of a field",
    "Expected equals sign": "no = follows the name of a field",
    "Expected either a `,`": "no comma stands between two fields",
}
"""What is wrong where bibtexparser's reason begins so."""

_LEFT_OUT = ("month", "address", "location", "chapter")
"""Fields that say something of a work which no page and no export says."""

_LONGEST_VALUE = 1_000_000
_DEEPEST = 20


def read(path: Path | str) -> Iterator[Description | Rejection]:
    """Read a file; ``locator`` is the entry's key, which a caller who reads several files completes by the file's name.

    Raises:
        FileError: There is no such file, or it cannot be read.
        MalformedError: The file is too large, or it is no text.
    """
    return entries(read_text(path))


def entries(text: str) -> Iterator[Description | Rejection]:
    r"""Read the entries of a text in their order; comments and preambles are skipped.

    Example:
        >>> [entry.paper.title for entry in entries('@misc{a, title = {On {CNN}s}} @string{x = "y"}')]
        ['On CNNs']
    """
    return without_duplicates(_entries(text))


def parse(raw: bytes) -> Description:
    r"""Read one entry, which may follow the macros that it uses and the entries that it takes fields from.

    Raises:
        MalformedError: It is not exactly one entry that can be read.

    Example:
        >>> parse(b'@string{t = "TPAMI"}\n@article{a, title = "Places", journal = t}').paper.journal_reference
        'TPAMI'
    """
    *before, last = list(_resolved(from_utf8(raw))) or [Rejection(1, "no entry, where one was kept")]
    if isinstance(last, Rejection):
        raise MalformedError(last.reason)
    others = [each for each in before if isinstance(each, Rejection) or each.key not in last.parents]
    if others:
        raise MalformedError(f"{len(others) + 1} entries, where one was kept")
    return _description(last)


@dataclass(frozen=True)
class _Entry:
    """An entry with its fields, those that it takes from other entries of its file included.

    Attributes:
        number: Which entry of the file it is, from 1.
        kind: What it is, such as ``article``.
        key: Its name in the file.
        fields: What it says.
        sources: The definitions and entries that this takes, in their order, its own last.
        parents: The names of the entries that it takes fields from.
        missing: The names of those that are not in the file.
    """

    number: int
    kind: str
    key: str
    fields: dict[str, str]
    sources: tuple[str, ...]
    parents: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()


def _entries(text: str) -> Iterator[Description | Rejection]:
    for entry in _resolved(text):
        if isinstance(entry, Rejection):
            yield entry
        elif entry.kind != "xdata":  # it holds fields for others, and is no work
            try:
                yield _description(entry)
            except MalformedError as error:
                yield Rejection(entry.number, str(error), entry.key)


def _resolved(text: str) -> Iterator[_Entry | Rejection]:
    """Read the entries of a text, and give each what it takes from others, wherever these stand."""
    stated = list(_stated(text))
    by_key: dict[str, _Entry] = {}
    for entry in stated:
        if isinstance(entry, _Entry):
            by_key.setdefault(entry.key.lower(), entry)
    for entry in stated:
        yield _inheriting(entry, by_key, frozenset()) if isinstance(entry, _Entry) else entry


def _inheriting(entry: _Entry, by_key: dict[str, _Entry], seen: frozenset[str]) -> _Entry:
    """Fill fields that an entry lacks from those that its ``xdata`` and ``crossref`` name, by biblatex's rules."""
    fields, sources, parents = dict(entry.fields), list(entry.sources[:-1]), set(entry.parents)
    missing: list[str] = []
    seen = seen | {entry.key.lower()}
    named = [(name, False) for name in fields.get("xdata", "").split(",")] + [(fields.get("crossref", ""), True)]
    for name, crossed in named:
        parent = by_key.get(name.strip().lower())
        if parent is None and name.strip():
            missing.append(name.strip())
        if parent is None or parent.key.lower() in seen or len(seen) > _DEEPEST:
            continue
        parent = _inheriting(parent, by_key, seen)
        for field, value in parent.fields.items():
            if crossed and field in _OWN:
                continue
            kept = field
            if crossed and field in ("title", "subtitle"):
                above = "main" if parent.kind.startswith("mv") else "journal" if parent.kind == "periodical" else ""
                above = above or ("book" if entry.kind in _PARTS_OF_BOOKS else "")
                kept = f"{above}{field}" if above and f"{above}{field}" not in parent.fields else field
            if not fields.get(kept, "").strip():
                fields[kept] = value
        sources += parent.sources
        missing += parent.missing
        parents |= {parent.key, *parent.parents}
    whole_sources = tuple(dict.fromkeys((*sources, entry.sources[-1])))
    return replace(entry, fields=fields, sources=whole_sources, parents=frozenset(parents), missing=tuple(missing))


def _stated(text: str) -> Iterator[_Entry | Rejection]:
    """Read the entries of a text, each as it stands there."""
    from bibtexparser.model import DuplicateBlockKeyBlock, DuplicateFieldKeyBlock, Entry, ParsingFailedBlock, String

    macros = _Macros()
    number = 0
    for block in _blocks(text):
        if isinstance(block, DuplicateBlockKeyBlock | DuplicateFieldKeyBlock):
            # Of two fields of one name BibTeX takes the first, of two macros the last.
            block = block.ignore_error_block or block
        if isinstance(block, String):
            macros.define(block)
        elif isinstance(block, Entry):
            number += 1
            try:
                yield _entry(block, macros, number)
            except MalformedError as error:
                yield Rejection(number, str(error), block.key)
        elif isinstance(block, ParsingFailedBlock) and not _NO_ENTRY.match(block.raw or ""):
            number += 1
            reason = _fault(str(getattr(block.error, "abort_reason", block.error)))
            begin = _BEGIN.match((block.raw or "").lstrip())
            line = (block.start_line or 0) + 1
            yield Rejection(number, f"{reason} (the entry begins in line {line})", begin[1] if begin else "")


def _fault(reason: str) -> str:
    """Say what is wrong with an entry, in a writer's words."""
    known = next((words for beginning, words in _FAULTS.items() if reason.startswith(beginning)), "")
    return known or f"not BibTeX: {' '.join(reason.split())[:200]}"


def _entry(entry: Entry, macros: _Macros, number: int) -> _Entry:
    needed: dict[str, None] = {}
    fields: dict[str, str] = {}
    for found in entry.fields:
        text, definitions = macros.value(found.value)
        if found.key.lower() not in fields:
            fields[found.key.lower()] = text
            needed.update(dict.fromkeys(definitions))
    return _Entry(number, entry.entry_type.lower(), entry.key, fields, (*needed, entry.raw or ""))


def _blocks(text: str) -> Iterator[object]:
    from bibtexparser.entrypoint import parse_string

    with _silenced("bibtexparser"):
        # The middleware of the default stack knows macros only where they stand alone, and forgets which were used.
        library = parse_string(text, parse_stack=[])
    yield from library.blocks


@contextmanager
def _silenced(name: str) -> Iterator[None]:
    """Silence a library's log: what it has to say becomes a rejection."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


class _Macros:
    """The macros of a file, as far as it is read: a name stands for what was defined last."""

    def __init__(self) -> None:
        # What a macro stands for, and the definitions that are needed to say so, in their order.
        self.known: dict[str, tuple[str, tuple[str, ...]]] = {}

    def define(self, macro: String) -> None:
        try:
            text, needed = self.value(macro.value)
        except MalformedError:
            # Whoever uses it gets the name instead of a text that grows beyond reason.
            self.known.pop(macro.key.lower(), None)
            return
        self.known[macro.key.lower()] = text, (*needed, macro.raw or "")

    def value(self, written: str) -> tuple[str, tuple[str, ...]]:
        """Give a value without its braces or quotes, its pieces joined, and the definitions that it needs."""
        texts: list[str] = []
        needed: dict[str, None] = {}
        for piece in _pieces(written):
            if piece[:1] in ("{", '"'):
                if not _is_whole(piece):
                    raise MalformedError(f"more follows the value {piece[:40]!r}; is a comma missing behind it?")
                texts.append(piece[1:-1])
            elif piece.lower() in self.known:
                text, definitions = self.known[piece.lower()]
                texts.append(text)
                needed.update(dict.fromkeys(definitions))
            else:
                texts.append(piece)
            if sum(map(len, texts)) > _LONGEST_VALUE or len(needed) > _DEEPEST:
                raise MalformedError("its macros stand for more text than any entry has")
        return "".join(texts), tuple(needed)


def _is_whole(piece: str) -> bool:
    """Tell whether the brace or quote that begins a piece is closed at its end, and not before."""
    depth = 0
    for match in re.finditer(r'\\.|[{}"]', piece, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        closed = depth == 0 and (match[0] == "}" or (match[0] == '"' and match.start() > 0))
        if closed and (piece[0] == "{" or match[0] == '"'):
            return match.end() == len(piece)
    return True


def _pieces(written: str) -> Iterator[str]:
    """Split a value into the pieces that the sign # joins, each in its braces or quotes."""
    start = depth = 0
    quoted = False
    for match in re.finditer(r'\\.|[{}"#]', written, re.DOTALL):
        sign = match[0]
        if sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
        elif sign == '"' and depth == 0:
            quoted = not quoted
        elif sign == "#" and depth == 0 and not quoted:
            yield written[start : match.start()].strip()
            start = match.end()
    yield written[start:].strip()


def _description(entry: _Entry) -> Description:
    fields = entry.fields

    def get(*names: str) -> str:
        text = next((fields[name] for name in names if fields.get(name, "").strip()), "")
        return _ENTITY.sub(lambda match: html.unescape(match[0]), text)

    def address(name: str) -> str:
        return _ESCAPED.sub(r"\1", get(name))

    archive, category = get("archiveprefix", "eprinttype").lower(), get("primaryclass", "eprintclass").strip()
    eprints = get("eprint"), get("arxiv"), get("arxivid")
    book = "" if _KINDS.get(entry.kind) == "book" else whole_title(get("booktitle"), get("booksubtitle"))
    container = get("journal", "journaltitle") or book
    thesis = {"phdthesis": "", "mastersthesis": "Master's thesis"}.get(entry.kind, "")
    mentions = ("url", "howpublished", "journal", "volume", "number", "booktitle")
    reference = Reference(
        key=entry.key,
        title=_title(entry.kind, get),
        authors=tuple(authors_of(get("author"))),
        editors=tuple(authors_of(get("editor"))),
        year=(get("year"), get("date"), get("issued")),
        doi=(address("doi"), address("url")),
        # Other archives have identifiers that look alike.
        eprint=eprints if archive in ("", "arxiv") else (),
        mentions=tuple(address(name) for name in mentions),
        notes=(address("note"),),
        publication=Publication(
            kind=_KINDS.get(entry.kind, ""),
            container=plain_text(container),
            volume=plain_text(get("volume")),
            number=plain_text(get("number", "issue")),
            pages=plain_text(get("pages")),
            isbn=get("isbn"),
            publisher=plain_text(get("publisher", "school", "institution", "organization")),
            edition=plain_text(get("edition")),
            series=plain_text(get("series")),
            genre=plain_text(get("type")) or thesis,
        ),
        retracted=says_retracted(plain_text(get("note"))) or says_retracted(get("pubstate")),
        abstract=get("abstract"),
        categories=(category,) if category else (),
        assumptions=tuple(_assumptions(entry)),
    )
    return reference.description(NAME, "\n".join(entry.sources).encode())


def _assumptions(entry: _Entry) -> Iterator[str]:
    for name in entry.missing:
        yield f"fields that would come from {name[:80]!r}, which is not in the file, are left out"
    if any(is_cut(entry.fields.get(name, "")) for name in ("author", "editor")):
        yield "authors that stand there as 'others' are left out"
    for name in _LEFT_OUT:
        if entry.fields.get(name, "").strip():
            yield f"its {name} is not kept"


def _title(kind: str, get: Callable[..., str]) -> str:
    title, subtitle, addition = get("title"), get("subtitle"), get("titleaddon")
    if kind in _BOOKS and not title:
        title, subtitle = get("booktitle"), get("booksubtitle")
    # Of a book that is in no series, volume and part tell it apart from the others of its title.
    book = kind in _BOOKS and not get("series")
    volume, part = (get("volume"), get("part")) if book else ("", "")
    if main := get("maintitle"):
        return whole_title(whole_title(main, get("mainsubtitle"), volume=volume, part=part), title, subtitle)
    return whole_title(title, subtitle, addition, volume=volume, part=part)
