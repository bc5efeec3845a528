"""arXiv's API: papers by their ids, and searches, as Atom feeds.

The format is that of https://info.arxiv.org/help/api/user-manual.html. A feed does not say under which licence a paper
stands; ``arxiv_oai`` does.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from lenslab.http.client import HttpClient
from lenslab.http.errors import NotFoundError, RefusedError
from lenslab.http.rate_limit import Rate
from lenslab.http.service import Service
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.errors import ArxivIdError, MalformedError
from lenslab.papers.paper import Paper, Version
from lenslab.papers.text.safe_xml import element, raw, text

NAME = "arXiv API"
# One request per three seconds over everything that arXiv offers, https://info.arxiv.org/help/api/tou.html.
RATE = Rate("arXiv", 3.0)
HOSTS = frozenset({"arxiv.org", "export.arxiv.org", "oaipmh.arxiv.org", "www.arxiv.org"})
SERVICE = Service(
    name=NAME,
    url="https://export.arxiv.org/api/query",
    variable="LENSLAB_ARXIV_API_URL",
    rate=RATE,
    hosts=HOSTS,
    pause=10.0,
    throttling=frozenset({406}),
)
LARGEST_SLICE = 2_000
DEEPEST = 30_000
_AT_ONCE = 100

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_SORTS = {"relevance": "relevance", "updated": "lastUpdatedDate", "submitted": "submittedDate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of what a search found.

    Attributes:
        descriptions: The papers, in the search's order.
        offset: How many papers came before.
        total: How many papers the search found.
        next_offset: Where to go on; ``None`` at the end.
        unreached: How many papers lie deeper than arXiv lets anybody ask; 0 where there is more to come.
    """

    descriptions: tuple[Description, ...]
    offset: int
    total: int
    next_offset: int | None
    unreached: int = 0


def paper(client: HttpClient, arxiv_id: ArxivId | str) -> Description:
    """Get one paper, as its newest version describes it; a version in the identifier does not matter.

    Raises:
        NotFoundError: ArXiv knows no such paper.
    """
    return papers(client, [arxiv_id])[0]


def papers(client: HttpClient, ids: Sequence[ArxivId | str]) -> list[Description]:
    """Get papers by their ids, a hundred per request.

    Identifiers are checked here, because arXiv refuses all for one that is wrong. Versions in them do not matter: each
    paper comes as its newest version describes it.

    Returns:
        The papers that arXiv knows, in the order of the ids.

    Raises:
        ArxivIdError: An identifier that no paper can have; nothing was asked.
        NotFoundError: ArXiv does not know any of them.
        UnavailableError: ArXiv does not answer, or refuses.
    """
    names = list(dict.fromkeys((ArxivId.parse(name) if isinstance(name, str) else name).base for name in ids))
    found: dict[str, Description] = {}
    for start in range(0, len(names), _AT_ONCE):
        batch = names[start : start + _AT_ONCE]
        subject = batch[0] if len(batch) == 1 else f"{batch[0]} and {len(batch) - 1} more papers"
        parameters = {"id_list": ",".join(batch), "start": "0", "max_results": str(len(batch))}
        _, descriptions = client.get(SERVICE, "", parameters, _whole_feed, subject=subject)
        found |= {description.locator: description for description in descriptions}
    if names and not found:
        raise NotFoundError(f"arXiv knows no paper {_listed(names)}; look at https://arxiv.org/abs/{names[0]}")
    return [found[name] for name in names if name in found]


def search(
    client: HttpClient,
    query: str,
    *,
    sort: str = "relevance",
    ascending: bool = False,
    offset: int = 0,
    limit: int | None = None,
    slice_size: int = 500,
) -> Iterator[Page]:
    """Search, page by page; what was interrupted goes on with ``next_offset``.

    Args:
        client: Asks arXiv.
        query: In arXiv's syntax, for instance ``ti:ablation AND cat:cs.CV``.
        sort: By ``relevance``, or by the day of ``updated`` or ``submitted``.
        ascending: Whether the least relevant or oldest come first.
        offset: How many papers to skip.
        limit: The most papers to give; ``None`` means all.
        slice_size: How many to ask for at once, 2,000 at the most.

    Raises:
        RefusedError: ArXiv does not understand the query, or 30,000 papers are not enough.
        UnavailableError: ArXiv does not answer, or sends an empty page again and again.
    """
    if sort not in _SORTS:
        raise ValueError(f"cannot sort by {sort!r}; sort by {', '.join(_SORTS)}")
    if not 1 <= slice_size <= LARGEST_SLICE:
        raise ValueError(f"arXiv gives 1 to {LARGEST_SLICE} papers at once, not {slice_size}")
    if offset < 0 or offset >= DEEPEST:
        advice = "narrow it by submittedDate:[... TO ...]"
        raise RefusedError(f"arXiv shows the first {DEEPEST:,} papers of a search; {advice}")
    end = DEEPEST if limit is None else min(DEEPEST, offset + limit)
    while offset < end:
        size = min(slice_size, end - offset)
        parameters = {
            "search_query": query,
            "start": str(offset),
            "max_results": str(size),
            "sortBy": _SORTS[sort],
            "sortOrder": "ascending" if ascending else "descending",
        }
        total, descriptions = client.get(SERVICE, "", parameters, _whole_feed, subject=f"{query!r} from {offset}")
        following = offset + len(descriptions)
        last = following >= min(total, end) or not descriptions
        unreached = max(0, total - DEEPEST) if last and following >= DEEPEST else 0
        found, next_offset = tuple(descriptions), None if last else following
        yield Page(descriptions=found, offset=offset, total=total, next_offset=next_offset, unreached=unreached)
        if last:
            return
        offset = following


def parse(raw: bytes) -> Description:
    """Read one ``<entry>``.

    Raises:
        MalformedError: It is not an entry, or describes no paper.
    """
    entry = element(raw)
    if entry.tag != f"{_ATOM}entry":
        raise MalformedError("it is no entry of an Atom feed")
    try:
        name = ArxivId.parse(text(entry, f"{_ATOM}id"))
    except ArxivIdError as error:
        raise MalformedError(f"its entry has no arXiv id: {error}") from None
    submitted, updated = _day(entry, "published"), _day(entry, "updated")
    terms = [category.get("term", "") for category in entry.iterfind(f"{_ATOM}category")]
    primary = entry.find(f"{_ARXIV}primary_category")
    first = [primary.get("term", "")] if primary is not None else []
    return Description(
        source=NAME,
        locator=name.base,
        raw=raw,
        paper=Paper(
            title=text(entry, f"{_ATOM}title"),
            authors=tuple(filter(None, (text(author, f"{_ATOM}name") for author in entry.iterfind(f"{_ATOM}author")))),
            year=submitted.year if submitted else name.year,
            arxiv_id=ArxivId(name.base),
            abstract=text(entry, f"{_ATOM}summary"),
            categories=tuple(dict.fromkeys(filter(None, first + terms))),
            doi=text(entry, f"{_ARXIV}doi"),
            journal_reference=text(entry, f"{_ARXIV}journal_ref"),
            author_comments=text(entry, f"{_ARXIV}comment"),
            submitted=submitted,
            updated=updated,
            versions=_versions(name.version or 1, submitted, updated),
        ),
    )


def _versions(newest: int, submitted: dt.date | None, updated: dt.date | None) -> tuple[Version, ...]:
    """List the versions; a feed dates the first and the newest only."""
    if newest > 10_000:
        raise MalformedError(f"its entry is version {newest} of a paper")
    days = {1: submitted} | ({newest: updated} if newest > 1 else {})
    return tuple(Version(number, days.get(number)) for number in range(1, newest + 1))


def _day(entry: Element, tag: str) -> dt.date | None:
    stamp = text(entry, f"{_ATOM}{tag}")
    if not stamp:
        return None
    try:
        return dt.datetime.fromisoformat(stamp).date()
    except ValueError:
        raise MalformedError(f"its <{tag}> is {stamp[:40]!r}, which is no date") from None


def _whole_feed(content: bytes) -> tuple[int, list[Description]]:
    """Read how many papers were found in all, and those of this page, which is empty only if nothing was found."""
    feed = element(content)
    if feed.tag != f"{_ATOM}feed":
        raise MalformedError(f"it is no Atom feed but <{feed.tag[:60]}>")
    entries = feed.findall(f"{_ATOM}entry")
    for entry in entries:
        if "/api/errors" in text(entry, f"{_ATOM}id"):
            raise RefusedError(f"arXiv refuses what it was asked: {text(entry, f'{_ATOM}summary')[:200]}", code="error")
    total, start = _number(feed, "totalResults"), _number(feed, "startIndex")
    if not entries and start < total:
        raise MalformedError(f"it is empty, though {total} papers were found and it begins at {start}")
    return total, [parse(raw(entry)) for entry in entries]


def _number(feed: Element, tag: str) -> int:
    digits = text(feed, f"{_SEARCH}{tag}")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 12:
        raise MalformedError(f"its <{tag}> is {digits[:40]!r}, which is no number")
    return int(digits)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:5])} and {len(names) - 5} more"
