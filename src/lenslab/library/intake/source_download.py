"""A paper and its neighbourhood from the sources: what they say, page by page, each page kept with how far it got.

Every page is one transaction together with the place where to go on, so that a stop at any moment loses a page at most
and the same command goes on from there. What a source reports and what the library holds are both kept, gaps and all.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction

from lenslab.http.errors import NotFoundError, RefusedError, UnavailableError
from lenslab.library import bulk_rows, vocabulary, works
from lenslab.library.errors import UnknownPaperError
from lenslab.library.graph import citation_edges
from lenslab.library.intake import record_intake
from lenslab.library.models import Listing, SourceRecord, Work
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Assertion, Description
from lenslab.papers.doi import Doi
from lenslab.papers.errors import ArxivIdError, DoiError, WorkNameError
from lenslab.papers.paper import Paper
from lenslab.papers.sources import arxiv_api, arxiv_oai, openalex, semantic_scholar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lenslab.http.client import HttpClient
    from lenslab.library.models import Direction
    from lenslab.library.works import Coverage

ARXIV, SCHOLAR, ALEX = "arXiv", semantic_scholar.NAME, openalex.NAME
SOURCES = (ARXIV, SCHOLAR, ALEX)

# Sources change once a day at most; a list that was read within that time is not asked for again.
_FRESH = dt.timedelta(days=1)
# So many works at once are asked whom they cite: with some sixty references each, one answer can hold them.
_AT_ONCE = 100
# Rows of one answer of Semantic Scholar, which gives no more.
_ROWS = semantic_scholar.LARGEST_PAGE
_AMONG = "read only where it names works of this library"


_UNAUTHORISED = 401
"""The status by which a source says that it wants a key."""


@dataclass(slots=True)
class Added:
    """What adding a paper did.

    Attributes:
        new_works: How many works the library holds that it did not.
        new_citations: How many citations it holds that it did not.
        changed: Records that say something else than before.
        coverage: What each source reports and what the library holds.
        gaps: What a source did not know, in sentences for readers.
    """

    key: str = ""
    title: str = ""
    new_works: int = 0
    new_citations: int = 0
    changed: int = 0
    coverage: tuple[Coverage, ...] = ()
    gaps: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Part:
    """A page of a source's list, whichever source it is: what it asserts, where to go on, and what is known of gaps."""

    assertions: Sequence[Assertion]
    following: str | None
    note: str = ""


def add_paper(
    name: str,
    *,
    fetcher: HttpClient,
    depth: int = 1,
    sources: Sequence[str] = SOURCES,
    refresh: bool = False,
    progress: Callable[[float, float], None] | None = None,
    log: Callable[[str], object] = str,
) -> Added:
    """Add a paper, and with ``depth`` the works around it.

    Args:
        name: An arXiv id, a DOI, Semantic Scholar's hash, or a key of the library.
        fetcher: Asks the sources; with the library's archive (``lenslab.library.intake.database_cache``) it asks for
            changes only.
        depth: 0 for the paper alone; 1 for the works that cite it and those that it cites, and the citations among
            them; 2 for the works around those, too.
        sources: The sources to ask, of ``SOURCES``.
        refresh: Whether lists that were read within a day are read again.
        progress: Gets the rows of lists read, and rows in all as far as sources have reported them.
        log: Gets a line about what is being done.

    Raises:
        NotFoundError: No source knows the paper.
        UnavailableError: A source does not answer; what was read is kept, and the same call goes on from there.
        WorkNameError: The name is none that a source would understand.
    """
    return _Download(fetcher, sources, refresh, progress, log).run(name, depth)


@dataclass(slots=True)
class _Download:
    """One paper on its way into the library."""

    fetcher: HttpClient
    sources: Sequence[str]
    refresh: bool
    progress: Callable[[float, float], None] | None
    log: Callable[[str], object]
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    added: Added = field(default_factory=Added)
    done: int = 0
    total: int = 0

    def run(self, name: str, depth: int) -> Added:
        before = works.number_of_works()
        papers = self.describe(*_names(name))
        for level in range(depth):
            expected = self.expect(papers)
            for description in papers:
                self.read_lists(description)
            around = self.around(papers)
            if SCHOLAR in self.sources:
                self.total += len(around) - expected
                self.read_citations_among(around)
            papers = around if level + 1 < depth else []
        vocabulary.count_few()
        work = works.find_work(self.added.key)
        self.added.key, self.added.title = work.key, work.title
        self.added.new_works = works.number_of_works() - before
        self.added.coverage = works.coverage(work)
        return self.added

    def describe(self, arxiv_id: ArxivId | None, doi: str, scholar: str) -> list[Description]:
        """Ask every source for the paper itself."""
        found: list[Description] = []
        if arxiv_id and ARXIV in self.sources:
            self.log(f"asking arXiv for {arxiv_id.base}")
            found += self.if_known(ARXIV, lambda: _from_arxiv(self.fetcher, arxiv_id))
        if SCHOLAR in self.sources and (arxiv_id or doi or scholar):
            self.log("asking Semantic Scholar for the paper")
            name = str(arxiv_id.base if arxiv_id else doi or scholar)
            found += self.if_known(SCHOLAR, lambda: semantic_scholar.paper(self.fetcher, name))
        published = next((one.paper.doi for one in found if one.paper.doi), doi)
        if ALEX in self.sources and (arxiv_id or published):
            self.log("asking OpenAlex for the paper")
            first = arxiv_id.base if arxiv_id else published
            found += self.if_known(ALEX, lambda: openalex.work(self.fetcher, first, doi=published))
        if not found:
            name = str(arxiv_id or doi or scholar)
            raise NotFoundError(f"none of {', '.join(self.sources)} knows {name}; look at the name again")
        outcome = self.tally(record_intake.add_records(found, now=self.now))
        pk = outcome.records[found[0].source, found[0].locator][1]
        self.added.key = Work.objects.values_list("key", flat=True).get(pk=pk)
        return found

    def if_known(self, source: str, ask: Callable[[], Description]) -> list[Description]:
        """Ask a source for the paper, and note where it does not know it, or tells only those who have a key."""
        try:
            return [ask()]
        except NotFoundError as error:
            self.added.gaps.append(f"{source} does not know the paper ({error})")
        except RefusedError as error:
            self.note_refusal(error)
        return []

    def note_refusal(self, error: RefusedError) -> None:
        """Note what a source tells only those who have a key; any other refusal stays one."""
        if error.status != _UNAUTHORISED:
            raise error
        self.added.gaps.append(str(error))

    def told(self, parts: Iterable[_Part]) -> Iterator[_Part]:
        """Give the parts of a list, as far as a source tells them."""
        try:
            yield from parts
        except RefusedError as error:
            self.note_refusal(error)

    def expect(self, papers: list[Description]) -> int:
        """Add to the total what is still to be read: the lists, and what the expected works around the given cite."""
        rows = dict.fromkeys((SCHOLAR, ALEX), 0)
        for one in papers:
            if one.source in rows:
                rows[one.source] += (one.citation_count or 0) + (one.reference_count or 0)
        around = rows[SCHOLAR] if SCHOLAR in self.sources else 0
        self.total += sum(rows.values()) + around
        return around

    def read_lists(self, description: Description) -> None:
        """Read a source's two lists of a work."""
        fetcher = self.fetcher
        if description.source == SCHOLAR and not description.locator.startswith("unresolved:"):
            self.read_list(description, "citing", description.citation_count, lambda at: _scholar_parts(
                semantic_scholar.citations(fetcher, description, offset=int(at or 0), limit=_ROWS)))  # fmt: skip
            self.read_list(description, "referenced", description.reference_count, lambda at: _scholar_parts(
                semantic_scholar.references(fetcher, description, offset=int(at or 0), limit=_ROWS)))  # fmt: skip
        elif description.source == ALEX:
            self.read_list(description, "citing", description.citation_count, lambda at: _alex_parts(
                openalex.citations(fetcher, description, at or "*")))  # fmt: skip
            known = openalex.referenced(description) is not None
            self.read_list(description, "referenced", description.reference_count, lambda at: _alex_parts(
                openalex.references(fetcher, description, offset=int(at or 0)), known=known))  # fmt: skip

    def read_list(
        self,
        description: Description,
        direction: Direction,
        reported: int | None,
        parts: Callable[[str], Iterable[_Part]],
    ) -> None:
        """Read one list from where it was left, page by page."""
        record = SourceRecord.objects.get(source=description.source, locator=description.locator)
        listing = Listing.objects.filter(record=record, direction=direction).first()
        # A list that was begun and not ended goes on, unless that is so long ago that its places have moved.
        whole = listing is None or not listing.position or listing.complete or self.now - listing.begun >= _FRESH
        if listing is not None and listing.complete and not self.refresh and self.now - listing.updated < _FRESH:
            self.step(reported or 0)
            return
        if listing is None:
            listing = Listing(record=record, direction=direction)
        if whole:
            listing.begun, listing.received, listing.complete = self.now, 0, False
            listing.position = listing.note = ""
        else:
            self.step(listing.received)
        listing.reported = reported
        self.log(f"reading {'citations' if direction == 'citing' else 'references'} from {description.source}")
        named: set[int] = set()
        for part in self.told(parts(listing.position)):
            with transaction.atomic():
                outcome = self.tally(record_intake.add_citations(part.assertions, now=self.now))
                ends = [one.citing if direction == "citing" else one.cited for one in part.assertions]
                named |= {outcome.records[end.source, end.locator][0] for end in ends}
                listing.received += len(part.assertions)
                listing.position = part.following or ""
                listing.complete = part.following is None
                listing.note = "; ".join(filter(None, [listing.note, part.note]))
                listing.updated = dt.datetime.now(dt.UTC)
                listing.save()
            self.step(len(part.assertions))
        # The source may have listed fewer rows than it had counted, or more.
        self.total += listing.received - (reported or 0)
        self.step(0)
        if listing.complete and whole:
            with transaction.atomic():
                bulk_rows.lock_writes()
                citation_edges.keep_only(description.source, record.pk, direction, named)

    def around(self, papers: Iterable[Description]) -> list[Description]:
        """List the works that cite or are cited, as Semantic Scholar knows them, in an order that does not change."""
        own = {description.locator for description in papers if description.source == SCHOLAR}
        records = SourceRecord.objects.filter(source=SCHOLAR, locator__in=own)
        found = citation_edges.neighbours([record.pk for record in records], SCHOLAR)
        return sorted(found, key=lambda description: description.locator)

    def read_citations_among(self, around: list[Description]) -> None:
        """Ask what the works around the paper cite, and keep what lies among the works of the library."""
        named = [description for description in around if not description.locator.startswith("unresolved:")]
        late = Listing.objects.filter(record__source=SCHOLAR, direction="referenced", updated__gt=self.now - _FRESH)
        fresh = set(late.values_list("record__locator", flat=True))
        waiting = [description for description in named if self.refresh or description.locator not in fresh]
        self.total += len(named) - len(around)
        self.step(len(named) - len(waiting))
        for chunk in bulk_rows.batched(waiting, _AT_ONCE):
            self.log(f"asking whom {len(chunk)} works around it cite")
            counts = {one.locator: one.reference_count for one in chunk if one.reference_count is not None}
            cited = semantic_scholar.references_of(self.fetcher, [one.locator for one in chunk], counts)
            with transaction.atomic():
                bulk_rows.lock_writes()
                self.store_citations_among(chunk, {name: found or () for name, found in cited.items()})
            self.step(len(chunk))

    def store_citations_among(self, chunk: list[Description], cited: dict[str, tuple[str, ...]]) -> None:
        wanted = sorted({*cited, *(name for found in cited.values() for name in found)})
        records = citation_edges.records_of(SCHOLAR, wanted)
        assertions = [
            Assertion(citing=_named(citing), cited=_named(name))
            for citing, found in sorted(cited.items())
            for name in found
            if (SCHOLAR, name) in records
        ]
        self.added.new_citations += citation_edges.assert_all(assertions, records, self.now)
        now = dt.datetime.now(dt.UTC)
        Listing.objects.bulk_create(
            [
                Listing(
                    record_id=records[SCHOLAR, description.locator][0],
                    direction="referenced",
                    reported=description.reference_count,
                    received=len(cited[description.locator]),
                    note=_AMONG,
                    begun=self.now,
                    updated=now,
                )
                for description in chunk
            ],
            update_conflicts=True,
            unique_fields=["record", "direction"],
            update_fields=["reported", "received", "note", "updated"],
        )

    def tally(self, outcome: record_intake.Outcome) -> record_intake.Outcome:
        self.added.changed += outcome.changed
        self.added.new_citations += outcome.citations
        return outcome

    def step(self, rows: int) -> None:
        self.done += rows
        if self.progress:
            self.progress(self.done, max(self.done, self.total))


def _names(name: str) -> tuple[ArxivId | None, str, str]:
    """Find a paper's arXiv id, DOI and name at Semantic Scholar, from its name or from the library."""
    try:
        return ArxivId.parse(name), "", ""
    except ArxivIdError:
        pass
    try:
        doi = Doi.parse(name)
        return (doi.arxiv_id, "", "") if doi.arxiv_id else (None, doi.name, "")
    except DoiError:
        pass
    try:
        work = works.find_work(name)
    except UnknownPaperError:
        try:
            return None, "", semantic_scholar.name_of(name)
        except WorkNameError as error:
            raise WorkNameError(
                f"{name[:80]!r} names no paper that a source would know; give an arXiv id (1806.02891), a DOI "
                "(10.1109/TPAMI.2017.2723009), or a key of the library"
            ) from error
    known = work.source_records.filter(source=SCHOLAR).exclude(locator__startswith="unresolved:").first()
    if not work.arxiv_id and not work.doi and known is None:
        raise WorkNameError(
            f"the library knows no arXiv id and no DOI of {work.key!r}, by which a source could be asked"
        )
    return ArxivId(work.arxiv_id) if work.arxiv_id else None, work.doi, known.locator if known else ""


def _from_arxiv(fetcher: HttpClient, arxiv_id: ArxivId) -> Description:
    """Ask arXiv for the whole record, with versions and licence; where that service fails, for the shorter one."""
    try:
        return arxiv_oai.record(fetcher, arxiv_id)
    except UnavailableError:
        return arxiv_api.paper(fetcher, arxiv_id)


def _scholar_parts(pages: Iterator[semantic_scholar.Page]) -> Iterator[_Part]:
    for page in pages:
        following = None if page.next_offset is None else str(page.next_offset)
        note = f"it lets nobody ask beyond its first 9,999, and {page.unreached:,} lie deeper" if page.unreached else ""
        yield _Part(page.assertions, following, note)


def _alex_parts(pages: Iterator[openalex.Page], *, known: bool = True) -> Iterator[_Part]:
    if not known:
        yield _Part((), None, "that it names none does not mean that there are none")
    for page in pages:
        note = f"{len(page.missing)} of them it no longer knows" if page.missing else ""
        yield _Part(page.assertions, page.next_cursor, note)


def _named(locator: str) -> Description:
    """Describe a record that the library has, by its locator alone."""
    return Description(source=SCHOLAR, locator=locator, paper=Paper(title=""))
