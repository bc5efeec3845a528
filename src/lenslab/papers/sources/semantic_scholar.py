"""Semantic Scholar's graph: papers, who cites them and whom they cite, with one-sentence summaries and influence.

The format is that of https://api.semanticscholar.org/api-docs/graph. A key in ``S2_API_KEY``
gives one's own share of its attention.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from lenslab.http.client import HttpClient
from lenslab.http.errors import RefusedError
from lenslab.http.rate_limit import Rate
from lenslab.http.service import Service
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Assertion, Description
from lenslab.papers.doi import ARXIV_PREFIX, arxiv_id_or_doi
from lenslab.papers.errors import MalformedError, WorkNameError
from lenslab.papers.paper import Paper
from lenslab.papers.publication import UNSTATED, Publication
from lenslab.papers.text.json_fields import document, inner, items, mapping, number, packed, sequence, text, year

NAME = "Semantic Scholar"
SERVICE = Service(
    name=NAME,
    url="https://api.semanticscholar.org/graph/v1",
    variable="LENSLAB_SEMANTIC_SCHOLAR_URL",
    rate=Rate(NAME, 1.0),
    key_variable="S2_API_KEY",
    key_header="x-api-key",
)
FIELDS = (
    "paperId,corpusId,externalIds,title,abstract,venue,year,referenceCount,citationCount,influentialCitationCount,"
    "publicationDate,journal,authors"
)
# Lists of citations do not know the summary.
PAPER_FIELDS = f"{FIELDS},tldr"
LARGEST_PAGE = 1_000
DEEPEST = 9_999  # offset and limit together stay below 10,000
LARGEST_BATCH = 500
MOST_REFERENCES = 9_999  # in the whole answer to a batch
_USUAL_REFERENCES = 60
_BELIEVED = 5

# Hashes have 40 characters.
_LONGEST_ID = 200
_HASH = re.compile(r"[0-9a-f]{40}", re.ASCII | re.IGNORECASE)
_SCHEMES = ("CorpusId", "MAG", "ACL", "PMID", "PMCID")
# Other names of a work that a record holds.
_NAMES = ("CorpusId", "DBLP", "MAG", "PubMed", "PubMedCentral", "ACL")
# Makes a name part of a path; the slashes of a DOI stay, as in the documentation.
_quoted = partial(quote, safe="/:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list of citations or references.

    Attributes:
        assertions: Who cites whom.
        offset: How many came before.
        next_offset: Where to go on; ``None`` at the end.
        unreached: How many citations lie deeper than Semantic Scholar lets anybody ask, by its own count; 0 where there
            is more to come.
    """

    assertions: tuple[Assertion, ...]
    offset: int
    next_offset: int | None
    unreached: int = 0


def name_of(work: str | ArxivId) -> str:
    """Write a work's name as Semantic Scholar does.

    Args:
        work: An arXiv id, a DOI, Semantic Scholar's hash, or a name with its scheme, as ``CorpusId:`` and a number.

    Raises:
        WorkNameError: It is none of these.

    Example:
        >>> name_of("1806.02891v1"), name_of("https://doi.org/10.1000/Units.7"), name_of("corpusid:12")
        ('ARXIV:1806.02891', 'DOI:10.1000/Units.7', 'CorpusId:12')
    """
    if isinstance(work, ArxivId):
        return f"ARXIV:{work.base}"
    name = work.strip()
    if _HASH.fullmatch(name):
        return name.lower()
    scheme, separator, value = name.partition(":")
    for known in _SCHEMES:
        if separator and scheme.lower() == known.lower() and re.fullmatch(r"[\w.-]{1,64}", value, re.ASCII):
            return f"{known}:{value}"
    found = arxiv_id_or_doi(name)
    if found is not None:
        return f"ARXIV:{found.base}" if isinstance(found, ArxivId) else f"DOI:{found}"
    raise WorkNameError(
        f"{name[:80]!r} names no work at Semantic Scholar; give an arXiv id (1806.02891), a DOI (10.1000/182), "
        "its hash of 40 digits, or CorpusId: and a number"
    )


def paper(client: HttpClient, name: str | ArxivId) -> Description:
    """Get one paper by what ``name_of`` reads, with its summary in a sentence.

    Raises:
        NotFoundError: Semantic Scholar knows no such paper.
        UnavailableError: It does not answer, or refuses.
    """
    name = name_of(name)
    return client.get(SERVICE, f"/paper/{_quoted(name)}", {"fields": PAPER_FIELDS}, _read_paper, subject=name)


def citations(
    client: HttpClient, work: str | ArxivId | Description, *, offset: int = 0, limit: int = LARGEST_PAGE
) -> Iterator[Page]:
    """Get the works that cite a paper, page by page, newest first as a rule.

    Args:
        client: Asks Semantic Scholar.
        work: The cited paper; a description from here saves a request.
        offset: How many to leave out, for instance because they are known from an earlier run.
        limit: How many to ask for at once, 1,000 at the most.

    Raises:
        NotFoundError: Semantic Scholar knows no such paper.
        UnavailableError: It does not answer, or refuses.
    """
    cited = work if isinstance(work, Description) else paper(client, work)
    return _pages(client, cited, "citations", offset, limit)


def references(
    client: HttpClient, work: str | ArxivId | Description, *, offset: int = 0, limit: int = LARGEST_PAGE
) -> Iterator[Page]:
    """Get the works that a paper cites, page by page as in ``citations``; some are known by their title only."""
    citing = work if isinstance(work, Description) else paper(client, work)
    return _pages(client, citing, "references", offset, limit)


def _pages(client: HttpClient, work: Description, kind: str, offset: int, limit: int) -> Iterator[Page]:
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"Semantic Scholar gives 1 to {LARGEST_PAGE} {kind} at once, not {limit}")
    if not 0 <= offset < DEEPEST:
        message = f"Semantic Scholar lists the first {DEEPEST:,} {kind} of a paper; there is no offset {offset}"
        raise RefusedError(message)
    count = work.citation_count if kind == "citations" else work.reference_count
    following: int | None = offset
    while following is not None:
        offset = following
        most = min(limit, DEEPEST - offset)
        parameters = {"fields": f"{FIELDS},intents,isInfluential", "offset": str(offset), "limit": str(most)}
        path = f"/paper/{_quoted(work.locator)}/{kind}"
        subject = f"{kind} of {work.locator} from {offset}"
        # A page may be empty by right, where the count is wrong; it is believed when it is empty time and again.
        for _ in range(_BELIEVED if offset or count else 1):
            rows, further = client.get(SERVICE, path, parameters, partial(_read_rows, kind=kind), subject=subject)
            if rows:
                break
        deepest = further is not None and further >= DEEPEST
        following = None if deepest else further
        if following is not None and following <= offset:
            raise RefusedError(f"Semantic Scholar sends {subject} in circles: it goes on at {following}")
        yield Page(
            assertions=tuple(_assertion(work, row, other, kind) for row, other in rows),
            offset=offset,
            next_offset=following,
            unreached=max(1, (count or 0) - DEEPEST) if deepest else 0,
        )


def references_of(
    client: HttpClient, names: Sequence[str | ArxivId], counts: Mapping[str, int] | None = None
) -> dict[str, tuple[str, ...] | None]:
    """Find which works many papers cite, for drawing the edges among the works around one; 500 per request.

    Args:
        client: Asks Semantic Scholar.
        names: What ``name_of`` reads.
        counts: How many references each of them has, where known, so that no request asks for more than an answer may
            hold.

    Returns:
        For each name, as it was given, the hashes of the works that it cites, as far as Semantic Scholar resolved them;
        ``None`` for a paper that it does not know.

    Raises:
        UnavailableError: It does not answer, or refuses.
    """
    known = counts or {}
    keys = [str(name) for name in names]
    found: list[Any] = []
    sizes = [known.get(key, _USUAL_REFERENCES) for key in keys]
    for chunk in _chunks([name_of(name) for name in names], sizes):
        found += _nested(client, chunk)
    return {
        key: None if row is None else tuple(text(cited.get("paperId")) for cited in _cited(row) if cited.get("paperId"))
        for key, row in zip(keys, found, strict=True)
    }


def _nested(client: HttpClient, names: list[str]) -> list[Any]:
    """Get the records with their references; what the service cannot gather at once is asked for in halves."""
    fields = "paperId,referenceCount,references.paperId"
    try:
        rows = _batch(client, names, fields, final=() if len(names) == 1 else (504,))
    except RefusedError as error:
        if error.status not in (400, 504) or len(names) == 1:
            raise
    else:
        gathered = sum(len(_cited(row)) for row in rows if row is not None)
        if gathered < MOST_REFERENCES or len(names) == 1:
            return rows
    middle = len(names) // 2
    return _nested(client, names[:middle]) + _nested(client, names[middle:])


def _cited(row: Any) -> list[dict[str, Any]]:
    return [inner(cited) for cited in items(inner(row).get("references"))]


def _chunks(names: list[str], sizes: list[int]) -> Iterator[list[str]]:
    """Divide names into runs of at most 500, and of no more references than an answer may hold."""
    chunk: list[str] = []
    gathered = 0
    for name, size in zip(names, sizes, strict=True):
        if chunk and (len(chunk) == LARGEST_BATCH or gathered + size >= MOST_REFERENCES):
            yield chunk
            chunk, gathered = [], 0
        chunk.append(name)
        gathered += size
    if chunk:
        yield chunk


def _batch(client: HttpClient, names: list[str], fields: str, final: Sequence[int]) -> list[Any]:
    def read(content: bytes) -> list[Any]:
        rows = sequence(document(content), "answer")
        if len(rows) != len(names):
            raise MalformedError(f"it holds {len(rows)} papers where {len(names)} were asked for")
        return [None if row is None else mapping(row, "paper") for row in rows]

    subject = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more papers"
    return client.post(SERVICE, "/paper/batch", {"fields": fields}, {"ids": names}, read, subject=subject, final=final)


def parse(raw: bytes) -> Description:
    """Read one paper's record.

    Raises:
        MalformedError: It is not a paper.

    Example:
        >>> parse(b'{"paperId": null, "title": "A report", "year": 1999}').locator[:19]
        'unresolved:569004b3'
    """
    record = mapping(document(raw), "paper")
    external = inner(record.get("externalIds"))
    title, hash_ = text(record.get("title")), text(record.get("paperId"))
    doi, arxiv_id = text(external.get("DOI")), ArxivId.without_version(text(external.get("ArXiv")))
    if doi.lower().startswith(ARXIV_PREFIX):
        doi, arxiv_id = "", arxiv_id or ArxivId.without_version(doi)
    if not hash_ and not title:
        raise MalformedError("its paper has neither an id nor a title")
    if len(hash_) > _LONGEST_ID:
        raise MalformedError(f"its paper's id has {len(hash_):,} characters")
    appeared = year(record.get("year"))
    # A work of which only the title is known has the same name wherever it is cited.
    digest = hashlib.sha256(f"{title}|{appeared or ''}".encode()).hexdigest()
    names = {"S2": hash_} | {name: text(external.get(name)) for name in _NAMES}
    names["CorpusId"] = names["CorpusId"] or text(record.get("corpusId"))
    published = _publication(record)
    return Description(
        source=NAME,
        locator=hash_ or f"unresolved:{digest[:40]}",
        raw=raw,
        names={scheme: name for scheme, name in names.items() if name},
        tldr=text(inner(record.get("tldr")).get("text")),
        citation_count=number(record.get("citationCount")),
        reference_count=number(record.get("referenceCount")),
        influential_count=number(record.get("influentialCitationCount")),
        paper=Paper(
            title=title,
            authors=tuple(filter(None, (text(inner(author).get("name")) for author in items(record.get("authors"))))),
            year=appeared,
            arxiv_id=arxiv_id,
            abstract=text(record.get("abstract")),
            doi=doi,
            journal_reference=published.line,
            publication=published,
        ),
    )


def _publication(record: Mapping[str, Any]) -> Publication:
    """Read where it appeared, as bibliographies state it; arXiv is no such place."""
    journal = inner(record.get("journal"))
    container = text(journal.get("name")) or text(record.get("venue"))
    if not container or container.lower() in ("arxiv.org", "arxiv"):
        return UNSTATED
    return Publication(container=container, volume=text(journal.get("volume")), pages=text(journal.get("pages"))).tidy


def _read_paper(content: bytes) -> Description:
    return parse(packed(mapping(document(content), "paper")))


def _read_rows(content: bytes, kind: str) -> tuple[list[tuple[dict[str, Any], Description]], int | None]:
    """Read the rows of a page with the other work of each, and where to go on."""
    page = mapping(document(content), "page")
    rows = [mapping(row, "row") for row in sequence(page.get("data"), "data")]
    further = number(page.get("next"))
    if not rows and further is not None:
        raise MalformedError(f"it is empty, though more follows from {further} on")
    side = "citingPaper" if kind == "citations" else "citedPaper"
    read = []
    for row in rows:
        other = inner(row.get(side))
        # A row without an id and without a title says nothing of any work.
        if text(other.get("paperId")) or text(other.get("title")):
            read.append((row, parse(packed(other))))
    return read, further


def _assertion(work: Description, row: Mapping[str, Any], other: Description, kind: str) -> Assertion:
    influential = row.get("isInfluential")
    citing, cited = (other, work) if kind == "citations" else (work, other)
    return Assertion(
        citing=citing,
        cited=cited,
        influential=influential if isinstance(influential, bool) else None,
        intents=tuple(filter(None, map(text, items(row.get("intents"))))),
    )
