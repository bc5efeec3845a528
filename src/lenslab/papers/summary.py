"""A quick summary: the two sentences of the abstract that say most of it, word for word.

Each sentence is scored by how much of the whole abstract it says (cosine between their TF-IDF vectors), with a bonus
for the first sentence and for a cue that announces a result (cue and location: Edmundson, "New methods in automatic
extracting", JACM 16, 1969). The best sentence is taken, then the one that is best after what it repeats of the first is
taken off (maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998). They are shown in the abstract's order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lenslab.papers.frequencies import shipped_frequencies
from lenslab.papers.latex import plain_text, prose
from lenslab.papers.sentences import sentences
from lenslab.papers.words import runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_CUE = re.compile(
    r"\b(?:we|results?|experiments?|findings?|analysis|it|here|work|paper)\b[^.,;]{0,40}\b"
    r"(?:show|shows|demonstrate|demonstrates|find|finds|found|prove|proves|propose|proposes|present|presents|introduce|"
    r"introduces|reveal|reveals|conclude|suggest|suggests|establish|achieve|achieves|obtain|derive)\b",
    re.IGNORECASE,
)
_CUE_BONUS = 0.15
_FIRST_BONUS = 0.1
_REPETITION = 0.9


@dataclass(frozen=True, slots=True)
class Summary:
    """A quick summary of a paper.

    Attributes:
        text: the sentences, joined by spaces; empty where there is no abstract.
        sentences: the sentences, in the abstract's order, without LaTeX and citations.
        positions: where they stand in the abstract, counted from 0.
        method: how it was made; ``extractive`` says that every sentence is the authors' own.
    """

    text: str
    sentences: tuple[str, ...]
    positions: tuple[int, ...]
    method: Literal["extractive"] = "extractive"


def summarize(abstract: str, *, count: int = 2) -> Summary:
    r"""Chooses the sentences that say most of an abstract.

    Args:
        abstract: the abstract, with LaTeX.
        count: how many sentences at most.

    >>> summarize(r"We ablate units. It rains. We show that ablating units hurts single classes \cite{a2018b}.").text
    'We ablate units. We show that ablating units hurts single classes.'
    """
    whole = sentences(plain_text(abstract))
    if len(whole) <= count:
        return Summary(" ".join(whole), tuple(whole), tuple(range(len(whole))))
    vectors = _vectors([*whole, " ".join(whole)])
    likeness = vectors @ vectors.T
    scores = likeness[:-1, -1] + np.array([_bonus(sentence, place) for place, sentence in enumerate(whole)])
    chosen: list[int] = []
    while len(chosen) < count:
        repeated = likeness[:-1, chosen].max(axis=1) if chosen else np.zeros(len(whole))
        remaining = scores - _REPETITION * repeated
        remaining[chosen] = -np.inf
        chosen.append(int(np.argmax(remaining)))
    positions = tuple(sorted(chosen))
    found = tuple(whole[position] for position in positions)
    return Summary(" ".join(found), found, positions)


def _bonus(sentence: str, place: int) -> float:
    return _CUE_BONUS * bool(_CUE.search(sentence)) + _FIRST_BONUS * (place == 0)


def _vectors(texts: list[str]) -> FloatArray:
    """TF-IDF vectors of length one, weighted by how usual a word is in all of arXiv."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    known = shipped_frequencies()
    stems = sorted({stem for text in texts for stem in _stems(text)}) or ["-"]
    vectorizer = TfidfVectorizer(analyzer=_stems, vocabulary=stems)
    frequencies = np.array([known.document_frequency(stem, "all") for stem in stems])
    vectorizer.idf_ = np.log((1 + known.groups["all"]) / (1 + frequencies)) + 1
    vectors: FloatArray = vectorizer.transform(texts).toarray()
    return vectors


def _stems(text: str) -> list[str]:
    return [word.stem for run in runs(prose(text)) for word in run]
