"""Key terms: what a paper speaks of more than its neighbours do, by TF-IDF.

Two styles. ``phrases``, the default, merges inflections, knows phrases of up to three words, removes LaTeX and citation
keys, and compares with papers of the same category. ``seed`` repeats what the page that lenslab began from shows:
scikit-learn's TfidfVectorizer over single words with a vocabulary of the 3,000 commonest.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lenslab.papers.frequencies import LEAST_PHRASE, LEAST_WORD, shipped_frequencies
from lenslab.papers.latex import prose
from lenslab.papers.words import phrases, qualifying_words, runs, stem_of, with_verbs_merged

if TYPE_CHECKING:
    from lenslab.papers.frequencies import Frequencies
    from lenslab.papers.paper import Paper
    from lenslab.papers.words import Word

Style = Literal["phrases", "seed"]

# A word or phrase that stands almost only inside of a longer term says nothing beside it.
_MOSTLY_INSIDE = 0.7


@dataclass(frozen=True, slots=True)
class Term:
    """A key term of a text.

    Attributes:
        term: the term as the text writes it most often.
        score: its share in the text's TF-IDF vector of length one, so between 0 and 1.
        count: how often it stands in the text.
        document_frequency: in how many of the compared papers it stands, as far as the frequencies say.
        documents: how many papers were compared.
        group: which papers those were: a category, an archive, or ``all``.
        rarer: whether the term is rarer than the frequencies record; ``document_frequency`` then is the number that it
            is weighted by: the most that it can be, or for a phrase that stands once that of its rarest word.
        forms: every way in which the text writes it, the commonest first.
    """

    term: str
    score: float
    count: int
    document_frequency: int
    documents: int
    group: str
    rarer: bool = False
    forms: tuple[str, ...] = ()


def key_terms(
    text: str,
    *,
    category: str | None = None,
    style: Style = "phrases",
    limit: int = 20,
    frequencies: Frequencies | None = None,
) -> tuple[Term, ...]:
    r"""The key terms of a text, the highest score first.

    The score is tf * idf with idf = ln((1 + n) / (1 + df)) + 1, divided by the vector's Euclidean length
    (scikit-learn's TfidfTransformer with its defaults; Salton and Buckley 1988).

    Args:
        text: an abstract, with LaTeX.
        category: the arXiv category whose papers are compared, where there are enough of them; only for ``phrases``.
        style: ``phrases``, or ``seed`` for single words in the manner of scikit-learn.
        limit: how many terms at most.
        frequencies: document frequencies; those of the package by default.

    >>> text = r"The class selectivity of units: how class selectivity \cite{a2018b} predicts which unit matters."
    >>> [term.term for term in key_terms(text, category="cs.CV", limit=2)]
    ['class selectivity', 'unit']
    """
    known = frequencies if frequencies is not None else shipped_frequencies()
    found = _seed_terms(text, known) if style == "seed" else _phrase_terms(text, category, known)
    return found[:limit]


def paper_terms(paper: Paper, *, style: Style = "phrases", limit: int = 20) -> tuple[Term, ...]:
    """The key terms of a paper: of title and abstract, or in the seed's style of the abstract alone.

    A title alone says too little for scores, so a paper without an abstract has no key terms.

    >>> from lenslab.papers.paper import Paper
    >>> paper_terms(Paper(title="Class selectivity of units", abstract="Units differ in class selectivity."))[0].term
    'class selectivity'
    """
    if not paper.abstract.strip():
        return ()
    if style == "seed":
        return key_terms(paper.abstract, style="seed", limit=limit)
    title = _in_sentence_case(paper.title, paper.abstract)
    return key_terms(f"{title}. {paper.abstract}", category=paper.primary_category, limit=limit)


def _seed_terms(text: str, known: Frequencies) -> tuple[Term, ...]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = list(known.seed_terms)
    documents = known.groups["all"]
    vectorizer = TfidfVectorizer(stop_words="english", vocabulary=words)
    vectorizer.idf_ = _idf(np.array([known.seed_terms[word] for word in words]), documents)
    counts = Counter(vectorizer.build_analyzer()(text))
    scores = vectorizer.transform([text]).tocoo()
    # Equal scores come in alphabetical order.
    ranked = sorted(zip(scores.col, scores.data, strict=True), key=lambda pair: (-pair[1], words[pair[0]]))
    return tuple(
        Term(
            term=words[column],
            score=float(score),
            count=counts[words[column]],
            document_frequency=known.seed_terms[words[column]],
            documents=documents,
            group="all",
            forms=(words[column],),
        )
        for column, score in ranked
    )


def _phrase_terms(text: str, category: str | None, known: Frequencies) -> tuple[Term, ...]:
    from sklearn.feature_extraction.text import TfidfTransformer

    group = known.group_of(category)
    documents = known.groups[group]
    found = with_verbs_merged(runs(prose(text)))
    written: dict[str, list[tuple[Word, ...]]] = {}
    for phrase in (phrase for run in found for phrase in phrases(run)):
        written.setdefault(stem_of(phrase), []).append(phrase)
    whole = {stem_of(tuple(run)) for run in found}
    terms_of = {stem: len(uses) for stem, uses in written.items() if _is_term(stem, len(uses), whole, known)}
    counts = _without_repeated(_without_contained(terms_of))
    if not counts:
        return ()
    stems = sorted(counts)
    frequencies = np.array([_frequency(stem, counts[stem], group, known) for stem in stems])
    transformer = TfidfTransformer()
    transformer.idf_ = _idf(frequencies, documents)
    scores = transformer.transform(np.array([[counts[stem] for stem in stems]], dtype=float)).toarray()[0]
    first = {stem: position for position, stem in enumerate(written)}
    terms = [
        Term(
            term=_shown(written[stem])[0],
            score=float(score),
            count=counts[stem],
            document_frequency=int(frequency),
            documents=documents,
            group=group,
            rarer=stem not in known.terms,
            forms=_shown(written[stem]),
        )
        for stem, score, frequency in zip(stems, scores, frequencies, strict=True)
    ]
    order = {_shown(written[stem])[0]: first[stem] for stem in stems}
    return tuple(sorted(terms, key=lambda term: (-term.score, order[term.term])))


def _idf(frequencies: np.ndarray, documents: int) -> np.ndarray:
    return np.log((1 + documents) / (1 + frequencies)) + 1


def _is_term(stem: str, number: int, whole: set[str], known: Frequencies) -> bool:
    """Whether words belong together as a term.

    A word does, unless it only qualifies others. A phrase does if the text repeats it, if the field uses it, or if it
    is all that stands between two stop words or signs.
    """
    words = stem.split()
    if words[-1] in qualifying_words():
        return False
    return len(words) == 1 or number > 1 or stem in known.terms or stem in whole


def _without_contained(counts: dict[str, int]) -> dict[str, int]:
    """Leaves out words and phrases that stand almost only inside of one longer term."""
    return {
        stem: number
        for stem, number in counts.items()
        if not any(
            f" {stem} " in f" {longer} " and inside >= _MOSTLY_INSIDE * number
            for longer, inside in counts.items()
            if len(longer) > len(stem)
        )
    }


def _without_repeated(counts: dict[str, int]) -> dict[str, int]:
    """Leaves out phrases that stand once and whose words all stand in terms that the text repeats."""
    repeated = {word for stem, number in counts.items() if number > 1 for word in stem.split()} | qualifying_words()
    return {
        stem: number
        for stem, number in counts.items()
        if number > 1 or " " not in stem or not repeated.issuperset(stem.split())
    }


def _frequency(stem: str, number: int, group: str, known: Frequencies) -> int:
    """The document frequency that a term is weighted by.

    Of a term that is rarer than recorded it is the most that it can be. A phrase that the field does not use and the
    text does not repeat is a chance meeting of words: it weighs as much as the rarest of them.
    """
    if stem in known.terms:
        return known.document_frequency(stem, group)
    words = stem.split()
    if len(words) > 1 and number == 1:
        return min(_frequency(word, number, group, known) for word in words)
    return (LEAST_PHRASE if len(words) > 1 else LEAST_WORD) - 1


def _shown(found: list[tuple[Word, ...]]) -> tuple[str, ...]:
    """The ways in which a term is written, the commonest first."""
    forms = Counter(" ".join(_cased(word) for word in phrase) for phrase in found)
    return tuple(form for form, _ in sorted(forms.items(), key=lambda item: (-item[1], len(item[0]), item[0])))


def _cased(word: Word) -> str:
    """As it is written, but for the capital that only opens a sentence."""
    acronym = any(character.isupper() for character in word.surface[1:]) or word.surface[1:].isdigit()
    return word.surface if acronym or not word.opens else word.surface.lower()


def _in_sentence_case(title: str, abstract: str) -> str:
    """The title with capitals only where the abstract has them too; many titles capitalise every word."""
    return re.sub(
        r"\b[A-Z][a-z]+\b",
        lambda match: match[0] if re.search(rf"(?<![.!?:] )\b{match[0]}\b", abstract[1:]) else match[0].lower(),
        title,
    )
