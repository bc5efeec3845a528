"""Library frequencies: in how many of a library's own papers each term stands, exact while papers come, change and go.

Three million papers hold far more phrases than fit into memory, and most stand in one abstract only. So a paper counts
a stem (a word or phrase in its singular) in one of two cases, which depend on nothing but the paper and the package:

- the shipped frequencies record the stem, so the field uses it: it counts in every paper where it stands;
- they do not, but the paper itself repeats it, in title and abstract together: it counts in the papers that repeat it,
  so that its number is a lower bound of its document frequency.

Since a paper's share never depends on other papers, counts add and subtract exactly, in any order and in any batches.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from functools import cache

from lenslab.papers.paper import Paper
from lenslab.papers.terms.document_frequencies import SCHEMA, groups_of, shipped_frequencies, stems_of
from lenslab.papers.terms.term_counts import Counts
from lenslab.papers.text.stop_words import qualifying_words, stop_words


def counted(paper: Paper) -> Counts:
    """Count what one paper adds to the counts of a library; nothing if it has no abstract.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> added = counted(Paper(title="Units", abstract="The class.", categories=("cs.CV",)))
        >>> added.documents, added.stems["cs.CV"]["class"]
        ({'all': 1, 'cs': 1, 'cs.CV': 1}, 1)
    """
    return count_papers([paper])


def count_papers(papers: Iterable[Paper]) -> Counts:
    """Count what different papers add together: the sum of what each of them adds, made at once."""
    recorded = shipped_frequencies().terms
    documents: Counter[str] = Counter()
    stems: dict[str, Counter[str]] = {}
    for paper in papers:
        if not paper.abstract.strip():
            continue
        found = [
            stem for stem, number in stems_of(paper.title, paper.abstract).items() if stem in recorded or number > 1
        ]
        for group in groups_of(paper.categories):
            documents[group] += 1
            stems.setdefault(group, Counter()).update(found)
    return Counts(
        {group: documents[group] for group in sorted(documents)},
        {group: dict(stems[group]) for group in sorted(stems) if stems[group]},
    )


@cache
def counting_rule() -> str:
    """Name the rule by which papers are counted; counts made under another name have to be made again.

    It changes with the shipped frequencies and with the lists of words, which both decide what is counted.
    """
    parts = (str(SCHEMA), *sorted(shipped_frequencies().terms), *sorted(stop_words()), *sorted(qualifying_words()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
