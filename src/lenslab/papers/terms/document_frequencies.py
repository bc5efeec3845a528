"""Document frequencies: in how many abstracts of arXiv a term stands, by category.

They are made by ``scripts/document_frequencies.py`` from records in the format of the Kaggle arXiv snapshot and come
with the package, so that scores can be computed without a corpus and are the same everywhere.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from lenslab.papers.errors import FrequenciesError
from lenslab.papers.terms.term_counts import Counts
from lenslab.papers.text.latex_display import prose
from lenslab.papers.text.words import phrases, runs, stem_of

SCHEMA = 1
ALL = "all"
# A group of fewer records says too little about what is usual in it.
SMALLEST_GROUP = 1000
# Rarer terms are left out: their frequency is known to be below, which is all that a score needs.
LEAST_WORD = 3
LEAST_PHRASE = 4
SEED_VOCABULARY = 3000


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Document frequencies with their source.

    Attributes:
        provenance: What was counted: number of records, licence, dates, how.
        groups: Number of records by group; groups are archives, categories, and ``all``.
        terms: For each term (stems joined by spaces) its document frequency in each group, in the order of ``groups``.
        seed_terms: Document frequency in all records of each word of the seed's vocabulary.
        own: For the groups that a library's own counts answer for, their numbers by stem.
    """

    provenance: dict[str, Any]
    groups: dict[str, int]
    terms: dict[str, list[int]] = field(repr=False)
    seed_terms: dict[str, int] = field(repr=False)
    own: Mapping[str, Mapping[str, int]] = field(default_factory=dict, repr=False)
    columns: dict[str, int] = field(init=False, repr=False, compare=False)
    shipped_documents: int = field(default=0, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.shipped_documents:
            object.__setattr__(self, "shipped_documents", self.groups[ALL])
        object.__setattr__(self, "columns", {group: column for column, group in enumerate(self.groups)})

    def group_of(self, category: str | None) -> str:
        """Find the narrowest group that speaks for a category: itself, its archive, or everything.

        Example:
            >>> shipped_frequencies().group_of("cs.CV"), shipped_frequencies().group_of("hep-th")
            ('cs.CV', 'all')
        """
        if category is None:
            return ALL
        archive = category.split(".")[0]
        return next((group for group in (category, archive) if group in self.groups), ALL)

    def document_frequency(self, term: str, group: str) -> int:
        """Tell in how many records of a group a term stands; 0 for terms below the smallest count that was kept.

        In a group that a library's own counts answer for, of a term that is not ``recorded`` only the papers count
        that repeat it.
        """
        if group in self.own:
            return max(0, self.own[group].get(term, 0))
        counts = self.terms.get(term)
        return 0 if counts is None else counts[self.columns[group]]

    def recorded(self, term: str) -> bool:
        """Tell whether the frequencies record the term; rarer ones they do not."""
        return term in self.terms

    def used(self, term: str, group: str) -> bool:
        """Tell whether the papers of a group are known to use a term."""
        return term in self.terms or self.document_frequency(term, group) > 0

    def everywhere(self, term: str, group: str) -> tuple[int, int]:
        """Tell in how many papers of all groups a term stands, and how many those are, as the group's source counts."""
        if group in self.own or group == ALL:
            return self.document_frequency(term, ALL), self.groups[ALL]
        return (self.terms[term][0] if term in self.terms else 0), self.shipped_documents

    @staticmethod
    def is_enough(documents: int) -> bool:
        """Tell whether a group of so many papers can say what is usual in it."""
        return documents >= SMALLEST_GROUP

    def with_library(self, counts: Counts) -> Frequencies:
        """Use a library's own counts, at least those of the stems that will be asked for; no paper counts twice.

        They answer for the groups of which the library holds enough papers.
        """
        owned = {group: number for group, number in counts.documents.items() if self.is_enough(number)}
        own = {group: counts.stems.get(group, {}) for group in owned}
        return replace(self, groups=self.groups | owned, own=own, shipped_documents=self.shipped_documents)

    def to_bytes(self) -> bytes:
        """Write the compressed file; the same frequencies always give the same bytes."""
        document = {
            "schema": SCHEMA,
            "provenance": self.provenance,
            "groups": self.groups,
            "seed_terms": self.seed_terms,
            "terms": self.terms,
        }
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return gzip.compress(text.encode(), compresslevel=9, mtime=0)

    @classmethod
    def from_bytes(cls, content: bytes) -> Frequencies:
        """Read what ``to_bytes`` wrote.

        Raises:
            FrequenciesError: The file is damaged or of another schema.
        """
        try:
            document = json.loads(gzip.decompress(content))
            if document["schema"] != SCHEMA:
                raise FrequenciesError(
                    f"document frequencies of schema {document['schema']}, and this version reads {SCHEMA}; "
                    "make them again with scripts/document_frequencies.py"
                )
            return cls(document["provenance"], document["groups"], document["terms"], document["seed_terms"])
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, FrequenciesError):
                raise
            raise FrequenciesError(
                f"document frequencies are damaged ({error}); make them again with scripts/document_frequencies.py"
            ) from error


@cache
def shipped_frequencies() -> Frequencies:
    """Read the frequencies that come with the package."""
    return Frequencies.from_bytes((files("lenslab.papers") / "data" / "document-frequencies.json.gz").read_bytes())


def count(records: Iterable[Mapping[str, Any]], provenance: Mapping[str, Any]) -> Frequencies:
    """Count document frequencies.

    Args:
        records: Records with the keys ``id``, ``title``, ``abstract``, ``categories`` and ``update_date``, as in the
            Kaggle arXiv snapshot. A record without an abstract is left out; of records with one id the first counts.
        provenance: What to say about the source; the number of records and their dates are added.

    Raises:
        FrequenciesError: No record is left.
    """
    first: dict[str, Mapping[str, Any]] = {}
    for record in records:
        if record.get("abstract"):
            first.setdefault(record["id"], record)
    if not (kept := list(first.values())):
        raise FrequenciesError("no record with an abstract; name files in the format of the Kaggle arXiv snapshot")
    sizes = Counter(group for record in kept for group in _groups(record))
    groups = {ALL: len(kept)} | {
        group: size for group, size in sorted(sizes.items()) if group != ALL and size >= SMALLEST_GROUP
    }
    counts: dict[str, Counter[str]] = {group: Counter() for group in groups}
    for record in kept:
        stems = stems_of(record["title"], record["abstract"])
        for group in _groups(record) & groups.keys():
            counts[group].update(stems.keys())
    terms = {
        term: [counts[group][term] for group in groups]
        for term, total in sorted(counts[ALL].items())
        if total >= (LEAST_PHRASE if " " in term else LEAST_WORD)
    }
    source = {**provenance, "records": len(kept), "updated": _dates(kept)}
    return Frequencies(source, groups, terms, _seed_terms([record["abstract"] for record in kept]))


def stems_of(title: str, abstract: str) -> Counter[str]:
    """Count how often each word and phrase stands in a title and abstract, by its stem.

    Example:
        >>> stems_of("Class selectivity", "The units of a class.")["class"]
        2
    """
    text = f"{prose(title)}. {prose(abstract)}"
    return Counter(stem_of(phrase) for run in runs(text) for phrase in phrases(run))


def groups_of(categories: Iterable[str]) -> set[str]:
    """List the groups that a paper of these categories belongs to: each of them, their archives, and ``all``."""
    named = set(categories)
    return {ALL, *named, *(category.split(".")[0] for category in named)}


def _seed_terms(abstracts: list[str]) -> dict[str, int]:
    """Count the vocabulary that scikit-learn keeps with ``max_features``."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(stop_words="english", max_features=SEED_VOCABULARY)
    try:
        present = vectorizer.fit_transform(abstracts) > 0
    except ValueError as error:
        raise FrequenciesError(f"the abstracts hold no words that could be counted ({error})") from error
    found = np.asarray(present.sum(axis=0)).ravel()
    return {word: int(number) for word, number in zip(vectorizer.get_feature_names_out(), found, strict=True)}


def _groups(record: Mapping[str, Any]) -> set[str]:
    return groups_of((record.get("categories") or "").split())


def _dates(records: list[Mapping[str, Any]]) -> list[str]:
    """Find the first and last day on which a record was updated, as ISO dates; older files write month/day/year."""
    days = []
    for record in records:
        day = record.get("update_date") or ""
        if day.count("/") == 2:
            month, of_month, year = day.split("/")
            day = f"{int(year):04d}-{int(month):02d}-{int(of_month):02d}"
        if day:
            days.append(day)
    return [min(days), max(days)] if days else []
