"""One work out of what several sources say of it: whose word counts for each field, and the row that results."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from lenslab.library.bulk_rows import storable
from lenslab.library.intake.duplicate_rule import person
from lenslab.library.intake.matching_hashes import MatchingHashes, matching_hashes
from lenslab.library.search.facets import facets
from lenslab.library.search.unspaced import indexed, spaced
from lenslab.papers.paper import Paper, Version
from lenslab.papers.publication import UNSTATED, Publication
from lenslab.papers.text.latex_display import plain_text
from lenslab.papers.work import plain_letters, short_authors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenslab.papers.description import Description

# Whose word counts first. arXiv's own records come before all others, the newest of them first; a source that is not
# named here is a list that mentions works in passing.
_RANKS = {"arXiv OAI-PMH": 0, "arXiv snapshot": 0, "arXiv API": 0, "arXiv": 0, "Semantic Scholar": 1, "OpenAlex": 2,
          "BibTeX": 3, "RIS": 3, "CSL-JSON": 3}  # fmt: skip
_LISTS = 4

# The most bytes of a field that the row of a work holds; the record itself is kept whole. PostgreSQL indexes no more
# than a megabyte of words and their places for one work, which short words can fill four times as fast as the text.
_MOST_TITLE, _MOST_AUTHORS, _MOST_ABSTRACT, _MOST_PLAIN = 10_000, 150_000, 50_000, 40_000
_MOST_CATEGORIES = 100
_MOST_PART = 2_000

# TeX's accents and its letters beyond ASCII.
_ACCENT = re.compile(r"""\\(?:['"`^~=.]|[uvHtcdbkr](?![A-Za-z])|(?:ss|ae|AE|oe|OE|aa|AA|[oOlLij])(?![A-Za-z]))""")

COLUMNS = (
    "title", "byline", "year", "authors", "categories", "submitted", "updated", "license_uri", "journal_reference",
    "author_comments", "report_number", "msc_class", "acm_class", "versions", "abstract", "plain", "facets", "doi",
    "arxiv_id", "publication", "standing", "title_mark", "people_mark", "name_mark",
)  # fmt: skip


def resolve(descriptions: Sequence[Description]) -> Paper:
    """Resolve what the sources say together: each field from the first source in rank that says something.

    There is at least one description; they come in the order in which the library met them.

    Example:
        >>> from lenslab.papers.description import Description
        >>> listed = Description(source="a list", locator="1", paper=Paper(title="On units.", year=2019, doi="10.1/x"))
        >>> full = Description(source="Semantic Scholar", locator="2", paper=Paper(title="On Units", authors=("A. B",)))
        >>> paper = resolve([listed, full])
        >>> paper.title, paper.year, paper.doi
        ('On Units', 2019, '10.1/x')
    """
    if len(descriptions) == 1:
        return descriptions[0].paper
    papers = [description.paper for description in sorted(descriptions, key=_rank)]

    def first(name: str) -> Any:
        return next((value for paper in papers if (value := getattr(paper, name))), getattr(papers[0], name))

    published = [paper.doi for paper in papers if paper.doi and not paper.doi.lower().startswith("10.48550/")]
    facts = {name: first(name) for name in Paper.__dataclass_fields__}
    named = next((paper for paper in papers if paper.authors), papers[0])
    stated = [paper.publication for paper in papers if paper.publication != UNSTATED]
    whole = [publication for publication in stated if publication.container or publication.publisher]
    return Paper(
        **facts
        | {
            "authors": _fullest([paper.authors for paper in papers if paper.authors]),
            "doi": published[0] if published else facts["doi"],
            "versions": _versions(papers),
            # Whether those who are named edited it, only the source of their names knows.
            "publication": replace([*whole, *stated, UNSTATED][0], edited=named.publication.edited),
        }
    )


def _fullest(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Give the first list of names, or one that goes on where that one stops, as *and others* does."""
    best = lists[0] if lists else ()
    for names in lists[1:]:
        if len(names) > len(best) and [*map(person, names[: len(best)])] == [*map(person, best)]:
            best = names
    return best


def row(paper: Paper, about: MatchingHashes | None = None) -> tuple[Any, ...]:
    """Give the values of ``COLUMNS`` for a paper, as databases store them."""
    about = about or matching_hashes(paper)
    title, abstract = _cut(paper.title, _MOST_TITLE), _cut(paper.abstract, _MOST_ABSTRACT)
    parts = publication_parts(paper.publication)
    authors, groups = _fitting(paper.authors), [_cut(name, 60) for name in paper.categories[:_MOST_CATEGORIES]]
    return (
        title,
        byline(paper),
        paper.year,
        _json(authors),
        _json(groups),
        None if paper.submitted is None else paper.submitted.isoformat(),
        None if paper.updated is None else paper.updated.isoformat(),
        storable(paper.license_uri)[:300],
        _cut(paper.journal_reference, _MOST_TITLE),
        _cut(paper.author_comments, _MOST_ABSTRACT),
        _cut(paper.report_number, _MOST_TITLE),
        _cut(paper.msc_class, _MOST_TITLE),
        _cut(paper.acm_class, _MOST_TITLE),
        _json([_version_json(version) for version in paper.versions]),
        abstract,
        hidden_words(title, abstract, authors),
        facets(groups, paper.year),
        storable(paper.doi)[:300],
        paper.arxiv_id.base if paper.arxiv_id else None,
        None if parts is None else _json(parts),
        paper.standing or None,
        about.title,
        about.people,
        about.name,
    )


def byline(paper: Paper) -> str:
    """Give the authors in short, for a picture's node.

    Example:
        >>> byline(Paper(title="On units", authors=("Ada Lovelace", "Charles Babbage", "Mary Somerville")))
        'Lovelace et al.'
    """
    return storable(short_authors(paper.authors[:3]))[:200]


def _rank(description: Description) -> tuple[Any, ...]:
    paper = description.paper
    newest = max((version.number for version in paper.versions), default=0)
    # A record that names its authors tells more than one that does not; else the order in which they came decides.
    return _RANKS.get(description.source, _LISTS), -newest, not paper.authors


def _versions(papers: Sequence[Paper]) -> tuple[Version, ...]:
    """Unite the versions that sources name; a licence given while a version was the newest stays its own."""
    stated: dict[int, dict[str, Any]] = {}
    for paper in papers:
        for version in paper.versions:
            known = stated.setdefault(version.number, {})
            for name in ("created", "license_uri", "size", "source_type"):
                known[name] = known.get(name) or getattr(version, name)
    return tuple(Version(number, **stated[number]) for number in sorted(stated))


def _version_json(version: Version) -> dict[str, Any]:
    """Give a version as JSON; what no source says is left out."""
    values = asdict(version) | {"created": version.created.isoformat() if version.created else None}
    return {name: storable(value) if isinstance(value, str) else value for name, value in values.items() if value}


def publication_parts(publication: Publication) -> dict[str, Any] | None:
    """Give the parts that are stated, by name; ``None`` where there are none."""
    if publication == UNSTATED:
        return None
    texts = {name: _cut(value, _MOST_PART) if isinstance(value, str) else value
             for name, value in asdict(publication).items()}  # fmt: skip
    stated = texts | {"editors": _fitting(publication.editors)}
    return {name: value for name, value in stated.items() if value}


def hidden_words(title: str, abstract: str, authors: Sequence[str]) -> str:
    r"""Find the words that a search would miss as they were typed.

    These are words with accents, with them and without; those that the page shows in place of LaTeX; and those of
    scripts without spaces.

    Example:
        >>> hidden_words(r"Growth of $\alpha$-units", "", [r'G{\"o}del'])
        'α Gödel godel'
    """
    raw = f"{title} {abstract} {' '.join(authors)}"
    if raw.isascii() and "\\" not in raw:
        return ""
    words = raw.split()
    accented = [word for word in words if not word.isascii()]
    typed = plain_text(" ".join(word for word in words if "\\" in word and _ACCENT.search(word)))
    shown = " ".join(map(plain_text, (title, abstract))) if "\\" in raw else ""
    seen = [word for word in re.findall(r"\w+", shown) if not word.isascii() and word not in raw]
    found = f"{' '.join(seen)} {typed} {plain_letters(' '.join([*accented, typed]))}"
    unique = " ".join(dict.fromkeys(re.findall(r"\w+", spaced(found)[0])))
    return _cut(f"{unique} {indexed(raw)}".strip(), _MOST_PLAIN)


def _fitting(authors: Sequence[str]) -> list[str]:
    """Give the names that fit into a row: those of seven thousand people do."""
    found, size = [], 0
    for name in map(storable, authors):
        size += len(name.encode()) + 4
        if size > _MOST_AUTHORS:
            break
        found.append(name)
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str, most: int) -> str:
    """Give the beginning of a text, in so many bytes, as both databases store it."""
    whole = storable(text[:most])
    return whole if len(whole) * 4 <= most else whole.encode()[:most].decode("utf-8", "ignore")
