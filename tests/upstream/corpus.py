"""A small literature: one paper, the works around it, and everything awkward that sources say about works."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

AWKWARD_TITLES = (
    "0",
    "On $k$-sparse units & <b>bold</b> claims, 100\\% of them",
    "Schr\\\"odinger's \\emph{filters}: a $\\mathcal{O}(n \\log n)$ survey",
    "الشبكات العصبية التلافيفية: دراسة",
    "神经元的选择性",
    "Ünïcödé “quotes” — and dashes",
    "A title that\n  is wrapped by its source",
    "</title><script>alert(1)</script>",
    "Is it 'unit' or \"neuron\"?",
)
_WORDS = "units filters ablation selectivity pruning sparsity attribution networks concepts importance robustness"
_GIVEN = "Ada Alan Grace Edsger Barbara Donald Frances John Katherine Claude"
_FAMILY = "Lovelace Turing Hopper Dijkstra Liskov Knuth Allen McCarthy Johnson Shannon Nürnberger O'Brien"
WORDS, GIVEN, FAMILY = _WORDS.split(), _GIVEN.split(), _FAMILY.split()


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A work, with every name that some source gives it.

    ``authors`` is ``None`` where Semantic Scholar has nobody; ``arxiv`` and ``doi`` are empty where there is none.
    ``old_s2`` and ``old_openalex`` name records that were merged into this one; ``touched`` is the day on which arXiv
    last changed the record, where that is not the day after the newest version.
    """

    number: int
    title: str
    authors: tuple[str, ...] | None
    year: int | None
    abstract: str | None
    arxiv: str = ""
    doi: str = ""
    versions: int = 1
    withdrawn: bool = False
    license: str = "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"
    categories: tuple[str, ...] = ("cs.CV",)
    journal: str = ""
    comments: str = ""
    msc: str = ""
    old_s2: tuple[str, ...] = ()
    old_openalex: tuple[str, ...] = ()
    touched: str = ""

    @property
    def volume(self) -> str:
        """The volume of the journal, as sources state it that know parts."""
        return next(iter(re.findall(r"\d+", self.journal)), "")

    @cached_property
    def s2(self) -> str:
        return hashlib.sha1(f"work {self.number}".encode()).hexdigest()

    @property
    def corpus_id(self) -> int:
        return 3_600_000 + self.number

    @property
    def openalex(self) -> str:
        return f"W{2_800_000_000 + self.number}"

    @property
    def submitted(self) -> dt.datetime:
        day = dt.datetime(self.year or 2018, 6, 7, 18, 0, 4, tzinfo=dt.UTC)
        return day + dt.timedelta(days=self.number % 120)

    def revised(self, version: int) -> dt.datetime:
        return self.submitted + dt.timedelta(days=30 * (version - 1))

    @property
    def datestamp(self) -> str:
        if self.touched:
            return self.touched
        return (self.revised(self.versions) + dt.timedelta(days=1)).date().isoformat()


@dataclass(frozen=True)
class Edge:
    citing: int
    cited: int
    influential: bool = False
    intents: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """The literature.

    Attributes:
        entries: the works; ``entries[0]`` is the paper in the middle.
        edges: who cites whom.
        unresolved: titles in the paper's list of references that Semantic Scholar found no work for.
        deleted: arXiv ids that OAI-PMH says were deleted, with the day.
        uncounted: how many citations Semantic Scholar counts beyond those that it lists.
    """

    entries: tuple[Entry, ...]
    edges: tuple[Edge, ...]
    unresolved: tuple[str, ...] = ()
    deleted: tuple[tuple[str, str], ...] = ()
    uncounted: int = 0

    @property
    def paper(self) -> Entry:
        return self.entries[0]

    def citing(self, entry: Entry) -> list[Edge]:
        """The edges that lead to an entry."""
        return self._into[entry.number]

    def cited(self, entry: Entry) -> list[Edge]:
        """The edges that lead from an entry."""
        return self._out_of[entry.number]

    @cached_property
    def _into(self) -> dict[int, list[Edge]]:
        found = defaultdict(list)
        for edge in self.edges:
            found[edge.cited].append(edge)
        return found

    @cached_property
    def _out_of(self) -> dict[int, list[Edge]]:
        found = defaultdict(list)
        for edge in self.edges:
            found[edge.citing].append(edge)
        return found

    @cached_property
    def by_name(self) -> dict[str, Entry]:
        """Every entry under each of its names, in lower case."""
        found = {}
        for entry in self.entries:
            names = [entry.s2, f"corpusid:{entry.corpus_id}", entry.openalex, *entry.old_s2, *entry.old_openalex]
            names += [f"doi:{entry.doi}"] if entry.doi else []
            names += [f"arxiv:{entry.arxiv}", f"doi:10.48550/arxiv.{entry.arxiv}"] if entry.arxiv else []
            found |= {name.lower(): entry for name in names}
        return found


def corpus(*, citations: int = 1243, references: int = 40, seed: int = 0, density: float = 3.0) -> Corpus:
    """A literature around one paper, the same for the same arguments.

    Args:
        citations: how many works cite the paper.
        references: how many works it cites, beside one whose work nobody found.
        seed: another seed, another literature.
        density: how many works around it each citing work cites, on average.
    """
    chance = random.Random(f"{seed} {citations} {references}")
    entries = [
        Entry(
            number=0,
            title="Revisiting the Importance of Individual Units in CNNs via Ablation",
            authors=("Bolei Zhou", "Yiyou Sun", "David Bau", "Antonio Torralba"),
            year=2018,
            abstract="We revisit the importance of the individual units in Convolutional Neural Networks (CNNs).",
            arxiv="1806.02891",
            categories=("cs.CV", "cs.LG"),
            msc="68T07",
            old_s2=(hashlib.sha1(b"merged").hexdigest(),),
            old_openalex=("W1700000001",),
        )
    ]
    for number in range(1, citations + references + 1):
        entries.append(_entry(number, chance, entries[-1]))
    citing = range(1, citations + 1)
    cited = range(citations + 1, citations + references + 1)
    edges = {(0, number) for number in cited} | {(number, 0) for number in citing}
    around = [*cited, *citing]
    for number in citing:
        for _ in range(chance.randint(0, round(2 * density))):
            other = chance.choice(around)
            if other != number and (other > citations or other < number):
                edges.add((number, other))
    intents = ("background", "methodology", "result")
    return Corpus(
        entries=tuple(entries),
        edges=tuple(
            Edge(*pair, influential=chance.random() < 0.1, intents=tuple(chance.sample(intents, chance.randint(0, 2))))
            for pair in sorted(edges)
        ),
        unresolved=("A technical report that nobody found",) if references else (),
        deleted=(("1806.99991", "2018-09-01"),),
        uncounted=20 if citations > 20 else 0,
    )


def _entry(number: int, chance: random.Random, before: Entry) -> Entry:
    year = chance.randint(2008, 2024)
    title = " ".join(chance.sample(WORDS, 4)).capitalize() + f", part {number}"
    authors = tuple(f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}" for _ in range(chance.randint(1, 5)))
    common = {"number": number, "title": title, "authors": authors, "year": year, "abstract": f"We study {title}."}
    if number % 3:
        digits = 5 if year >= 2015 else 4
        common |= {"arxiv": f"{year % 100:02d}{1 + number % 12:02d}.{number:0{digits}d}", "versions": 1 + number % 3}
    if number % 3 != 1:
        common |= {"doi": f"10.1000/Journal.{number}", "journal": f"Journal of Units {number}, 1-9 ({year})"}
    # Every kind of awkwardness comes early, so that small literatures have them too.
    kind = number % 50
    if 1 <= kind <= len(AWKWARD_TITLES):
        common["title"] = AWKWARD_TITLES[kind - 1]
    elif kind == 10:
        common["authors"] = None
    elif kind == 11:
        common["abstract"] = None
    elif kind == 12:
        common["year"] = None
    elif kind == 13:
        common["authors"] = tuple(f"Author {place}" for place in range(3000)) if number == 13 else ("One Author",)
    elif kind == 14:
        common |= {"withdrawn": True, "versions": 2}
    elif kind == 17:  # the article that the work before became, which nobody has merged
        common = {**common, "title": before.title, "authors": before.authors, "arxiv": "", "versions": 1}
        common |= {"doi": f"10.1000/Twin.{number}", "journal": f"Journal of Twins {number}"}
    elif kind == 18:  # the same article once more, under no name that anybody else knows
        common = {
            **common,
            "title": before.title,
            "authors": before.authors,
            "year": before.year,
            "arxiv": "",
            "doi": "",
            "journal": before.journal,
        }
    elif kind == 15:
        common |= {"msc": "15A66", "comments": "15 pages, 3 figures; <draft> & more"}
    return Entry(**common)
