"""OpenAlex: works, whom they cite and who cites them, free for every use.

The format is that of https://docs.openalex.org/api-entities/works. A key in ``OPENALEX_API_KEY`` is wanted for more
than a few requests a day: without one, it answers 403 to those who ask too often, and may refuse long lists by 401.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from lenslab.http.client import HttpClient
from lenslab.http.errors import NotFoundError
from lenslab.http.rate_limit import Rate
from lenslab.http.service import Service
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Assertion, Description
from lenslab.papers.doi import ARXIV_PREFIX, arxiv_id_or_doi
from lenslab.papers.errors import MalformedError, WorkNameError
from lenslab.papers.paper import Paper
from lenslab.papers.publication import UNSTATED, Publication, pages
from lenslab.papers.text.json_fields import document, inner, items, mapping, number, packed, sequence, text, year

NAME = "OpenAlex"
SERVICE = Service(
    name=NAME,
    url="https://api.openalex.org",
    variable="LENSLAB_OPENALEX_URL",
    rate=Rate(NAME, 0.1),
    throttling=frozenset({403}),
    invalid="Invalid query parameters",
    advice="wait some minutes and give the same command again, it goes on from here; it lets those ask more who have a "
    "key in OPENALEX_API_KEY",
    key_variable="OPENALEX_API_KEY",
    key_parameter="api_key",
)
FIELDS = (
    "id,doi,title,display_name,publication_year,publication_date,ids,authorships,primary_location,locations,biblio,"
    "cited_by_count,referenced_works,referenced_works_count,abstract_inverted_index,is_retracted,type"
)
LARGEST_PAGE = 100
_AT_ONCE = 50
# What has more words than this is no abstract.
_LONGEST_ABSTRACT = 20_000

_ID = re.compile(r"(?:https?://(?:api\.)?openalex\.org/(?:works/)?)?(W\d{1,15})", re.ASCII | re.IGNORECASE)
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_AT_ARXIV = re.compile(r"https?://(?:arxiv\.org/|doi\.org/10\.48550/)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list of citations or references.

    Attributes:
        assertions: Who cites whom.
        cursor: The cursor of this page.
        next_cursor: The cursor of the next page; ``None`` at the end.
        total: How many there are, as OpenAlex counts.
        missing: Ids of cited works that OpenAlex did not describe: merged into others, or deleted.
    """

    assertions: tuple[Assertion, ...]
    cursor: str
    next_cursor: str | None
    total: int
    missing: tuple[str, ...] = ()


def name_of(work: str | ArxivId) -> str:
    """Write a work's name as OpenAlex does.

    Args:
        work: An arXiv id, a DOI, or OpenAlex's own id, bare or as an address.

    Raises:
        WorkNameError: It is none of these.

    Example:
        >>> name_of("1806.02891"), name_of("https://openalex.org/w2741809807"), name_of("10.7717/PeerJ.4375")
        ('doi:10.48550/arxiv.1806.02891', 'W2741809807', 'doi:10.7717/peerj.4375')
    """
    if isinstance(work, ArxivId):
        return f"doi:{ARXIV_PREFIX}{work.base}"
    name = work.strip()
    if own := _ID.fullmatch(name):
        return own[1].upper()
    found = arxiv_id_or_doi(name)
    if found is not None:
        return f"doi:{ARXIV_PREFIX}{found.base}" if isinstance(found, ArxivId) else f"doi:{found.name}"
    raise WorkNameError(
        f"{name[:80]!r} names no work at OpenAlex; give an arXiv id (1806.02891), a DOI (10.1000/182), "
        "or W and a number"
    )


def work(client: HttpClient, name: str | ArxivId, *, doi: str = "") -> Description:
    """Get one work by what ``name_of`` reads.

    Args:
        client: Asks OpenAlex.
        name: Its name.
        doi: The DOI of the published article, where known: OpenAlex may have merged the preprint into it.

    Raises:
        NotFoundError: OpenAlex knows the work under neither name.
        UnavailableError: It does not answer, or refuses.
    """
    name = name_of(name)
    try:
        return _work(client, name)
    except NotFoundError:
        if not doi or name_of(doi) == name:
            raise
    return _work(client, name_of(doi))


def _work(client: HttpClient, name: str) -> Description:
    def read(content: bytes) -> Description:
        return parse(packed(mapping(document(content), "work")))

    return client.get(SERVICE, f"/works/{quote(name, safe='/:')}", {"select": FIELDS}, read, subject=name)


def referenced(described: Description) -> tuple[str, ...] | None:
    """List the ids of the works that a work cites; ``None`` where OpenAlex does not know them.

    An empty list in a record means that nobody has found the references, not that there are none.
    """
    record = mapping(document(described.raw), "work")
    found = [own[1].upper() for cited in items(record.get("referenced_works")) if (own := _ID.fullmatch(text(cited)))]
    return tuple(dict.fromkeys(found)) or None


def references(client: HttpClient, citing: Description, *, offset: int = 0) -> Iterator[Page]:
    """Get the works that a work cites, fifty per request; nothing where that is not known.

    Args:
        client: Asks OpenAlex.
        citing: A description from here.
        offset: How many of ``referenced`` to leave out; a page's cursors are such numbers.

    Raises:
        UnavailableError: OpenAlex does not answer, or refuses.
    """
    cited = referenced(citing) or ()
    for start in range(offset, len(cited), _AT_ONCE):
        batch = cited[start : start + _AT_ONCE]
        parameters = {"filter": f"openalex:{'|'.join(batch)}", "per-page": str(_AT_ONCE), "select": FIELDS}
        subject = f"{len(batch)} references of {citing.locator} from {start}"
        found, _, _ = client.get(SERVICE, "/works", parameters, partial(_read_page, paged=False), subject=subject)
        by_id = {description.locator: description for description in found}
        following = start + len(batch)
        yield Page(
            assertions=tuple(Assertion(citing=citing, cited=by_id[name]) for name in batch if name in by_id),
            cursor=str(start),
            next_cursor=str(following) if following < len(cited) else None,
            total=len(cited),
            missing=tuple(name for name in batch if name not in by_id),
        )


def citations(client: HttpClient, cited: Description, cursor: str = "*") -> Iterator[Page]:
    """Get the works that cite a work, page by page.

    Args:
        client: Asks OpenAlex.
        cited: A description from here.
        cursor: Where to begin: at the start, or with an earlier page's ``next_cursor``.

    Raises:
        UnavailableError: OpenAlex does not answer, or refuses.
    """
    following: str | None = cursor
    seen = set()
    read = partial(_read_page, paged=True)
    while following and following not in seen:
        cursor = following
        seen.add(cursor)
        chosen = {"filter": f"cites:{cited.locator}", "select": FIELDS}
        parameters = chosen | {"per-page": str(LARGEST_PAGE), "cursor": cursor}
        subject = f"citations of {cited.locator} at {cursor[:20]}"
        found, total, further = client.get(SERVICE, "/works", parameters, read, subject=subject)
        following = further if found else None
        assertions = tuple(Assertion(citing=description, cited=cited) for description in found)
        yield Page(assertions=assertions, cursor=cursor, next_cursor=following, total=total)


def parse(raw: bytes) -> Description:
    """Read one work's record.

    Raises:
        MalformedError: It is not a work.
    """
    record = mapping(document(raw), "work")
    own = _ID.fullmatch(text(record.get("id")))
    if own is None:
        raise MalformedError("its work has no id of OpenAlex's")
    doi = match[1] if (match := _DOI.fullmatch(text(record.get("doi")))) else ""
    arxiv_id = _arxiv_id(record, doi)
    title = record.get("title")
    ids = inner(record.get("ids"))
    names = {"OpenAlex": own[1].upper(), "MAG": text(ids.get("mag"))}
    names |= {
        name: text(ids.get(key)).rsplit("/", 1)[-1] for name, key in (("PubMed", "pmid"), ("PubMedCentral", "pmcid"))
    }
    published = _publication(record)
    return Description(
        source=NAME,
        locator=own[1].upper(),
        raw=raw,
        names={scheme: name for scheme, name in names.items() if name},
        citation_count=number(record.get("cited_by_count")),
        # An empty list means that nobody has found the references.
        reference_count=number(record.get("referenced_works_count")) or None,
        paper=Paper(
            title=text(record.get("display_name") if title is None else title),
            authors=tuple(filter(None, map(_author, items(record.get("authorships"))))),
            year=year(record.get("publication_year")),
            arxiv_id=arxiv_id,
            abstract=abstract(record.get("abstract_inverted_index")),
            doi="" if doi.lower().startswith(ARXIV_PREFIX) else doi,
            journal_reference=published.line,
            publication=published,
            retracted=record.get("is_retracted") is True,
        ),
    )


def abstract(inverted: Any) -> str:
    """Put an abstract together from the places at which each word stands; anything else is no abstract.

    Places at which no word stands are left out; where two words claim one place both stay, in the index's order.

    Example:
        >>> abstract({"units": [1, 4], "Single": [0], "matter,": [2], "some": [3], "do": [7]})
        'Single units matter, some units do'
    """
    placed = [
        (place, word)
        for word, places in inner(inverted).items()
        for place in items(places)
        if isinstance(place, int) and not isinstance(place, bool)
    ]
    if len(placed) > _LONGEST_ABSTRACT:
        return ""
    return text(" ".join(word for _, word in sorted(placed, key=lambda pair: pair[0])))


def _author(authorship: Any) -> str:
    held = inner(authorship)
    return text(inner(held.get("author")).get("display_name")) or text(held.get("raw_author_name"))


def _arxiv_id(record: Mapping[str, Any], doi: str) -> ArxivId | None:
    """Find the arXiv id, which OpenAlex knows only as the DOI that arXiv gave or as an address at arXiv."""
    places = [inner(record.get("primary_location")), *map(inner, items(record.get("locations")))]
    addresses = [text(place.get("landing_page_url")) for place in places]
    candidates = [doi] if doi.lower().startswith(ARXIV_PREFIX) else []
    candidates += [address for address in addresses if _AT_ARXIV.match(address)]
    return next(filter(None, map(ArxivId.without_version, candidates)), None)


def _publication(record: Mapping[str, Any]) -> Publication:
    """Read where it appeared, as bibliographies state it; arXiv is no such place."""
    container = text(inner(inner(record.get("primary_location")).get("source")).get("display_name"))
    if not container or container.lower().startswith("arxiv"):
        return UNSTATED
    biblio = inner(record.get("biblio"))
    volume, issue, first, last = (text(biblio.get(key)) for key in ("volume", "issue", "first_page", "last_page"))
    return Publication(container=container, volume=volume, number=issue, pages=pages(first, last))


def _read_page(content: bytes, *, paged: bool) -> tuple[list[Description], int, str | None]:
    """Read a page's works, how many there are in all, and the next cursor; an empty page follows the last."""
    page = mapping(document(content), "page")
    meta, rows = mapping(page.get("meta"), "meta"), sequence(page.get("results"), "results")
    count, further = number(meta.get("count")), text(meta.get("next_cursor")) or None
    if count is None:
        raise MalformedError("its page does not say how many works there are")
    if not rows and further is not None:
        raise MalformedError("it is empty, though more follows")
    if not rows and count and not paged:
        raise MalformedError(f"it is empty, though {count} works were found")
    return [parse(packed(mapping(row, "work"))) for row in rows], count, further
