"""Key terms: what a paper speaks of more than its neighbours do, by TF-IDF.

Two styles. ``phrases``, the default, merges inflections, knows phrases of up to three words, removes LaTeX and citation
keys, and compares with papers of the same category. ``seed`` repeats what the page that lenslab began from shows:
scikit-learn's TfidfVectorizer over single words with a vocabulary of the 3,000 commonest.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lenslab.papers.paper import Paper
from lenslab.papers.terms.document_frequencies import ALL, LEAST_PHRASE, LEAST_WORD, Frequencies, shipped_frequencies
from lenslab.papers.text.latex_display import prose
from lenslab.papers.text.stop_words import only_qualifies, qualifying_words
from lenslab.papers.text.words import Word, phrases, runs, stem_of, with_verbs_merged

FloatArray = NDArray[np.float64]

Style = Literal["phrases", "seed"]

# A word or phrase that stands almost only inside of a longer term says nothing beside it.
_MOSTLY_INSIDE = 0.7
_CAPITAL = re.compile(r"\b[A-Z][a-z]+\b")
# A capital that opens no sentence.
_CAPITAL_INSIDE = re.compile(r"(?<![.!?:]\s)\b[A-Z][a-z]+\b")


@dataclass(frozen=True, slots=True)
class Term:
    """A key term of a text.

    Attributes:
        term: The term as the text writes it most often.
        score: Its share in the text's TF-IDF vector of length one, so between 0 and 1.
        count: How often it stands in the text.
        document_frequency: In how many of the compared papers it stands, as far as the frequencies say.
        documents: How many papers were compared.
        group: Which papers those were: a category, an archive, or ``all``.
        rarer: Whether the term is rarer than the frequencies record; ``document_frequency`` then is the number that it
            is weighted by: the most that it can be, or for a phrase that stands once that of its commonest word.
        forms: Every way in which the text writes it, the commonest first.
        everywhere: In how many papers of all groups it stands, and how many those are.
        weighed_as: The word whose document frequency stands for that of a phrase that is a chance meeting; else empty.
        library: Whether the compared papers are a library's own, instead of those that the package counted.
        repeating: Whether ``document_frequency`` counts only papers that repeat the term, as a library's own counts do
            of terms that the package does not record.
    """

    term: str
    score: float
    count: int
    document_frequency: int
    documents: int
    group: str
    rarer: bool = False
    forms: tuple[str, ...] = ()
    everywhere: tuple[int, int] = (0, 0)
    weighed_as: str = ""
    library: bool = False
    repeating: bool = False

    @property
    def reason(self) -> str:
        """Why the term has its score, as a reader understands it.

        Example:
            >>> Term("unit", 0.6, 4, 12, 5211, "cs.CV", everywhere=(31, 17000)).reason
            '4 times here; in 31 of 17,000 abstracts, 12 of 5,211 in cs.CV'
            >>> Term("walrus", 0.6, 1, 2, 17000, "all", rarer=True, everywhere=(2, 17000)).reason
            'once here; in at most 2 of 17,000 abstracts'
        """
        times = {1: "once", 2: "twice"}.get(self.count, f"{self.count:,} times")
        number, documents = self.everywhere
        papers = "abstracts of this library" if self.library else "abstracts"
        inside = "" if self.group == ALL else f"{self.document_frequency:,} of {self.documents:,} in {self.group}"
        if self.weighed_as:
            found = inside or f"{self.document_frequency:,} of {self.documents:,} {papers}"
            return f"{times} here; rare together, so weighed as its commonest word, {self.weighed_as}: in {found}"
        if self.rarer:
            repeated = "repeated in none" if self.repeating else f"in at most {self.document_frequency:,}"
            return f"{times} here; {repeated} of {documents:,} {papers}"
        where = "repeated in" if self.repeating else "in"
        return f"{times} here; {where} {number:,} of {documents:,} {papers}" + (f", {inside}" if inside else "")


def key_terms(
    text: str,
    *,
    category: str | None = None,
    style: Style = "phrases",
    limit: int = 20,
    frequencies: Frequencies | None = None,
) -> tuple[Term, ...]:
    r"""Find the key terms of a text, the highest score first.

    The score is tf * idf with idf = ln((1 + n) / (1 + df)) + 1, divided by the vector's Euclidean length
    (scikit-learn's TfidfTransformer with its defaults; Salton and Buckley 1988).

    Args:
        text: An abstract, with LaTeX.
        category: The arXiv category whose papers are compared, where there are enough of them; only for ``phrases``.
        style: ``phrases``, or ``seed`` for single words in the manner of scikit-learn.
        limit: How many terms at most.
        frequencies: Document frequencies; those of the package by default.

    Example:
        >>> text = r"The class selectivity of units: how class selectivity \cite{a2018b} predicts which unit matters."
        >>> [term.term for term in key_terms(text, category="cs.CV", limit=2)]
        ['class selectivity', 'unit']
    """
    known = frequencies if frequencies is not None else shipped_frequencies()
    if style == "seed":
        return _seed_terms(text, known)[:limit]
    return _phrase_terms(text, category, known, limit)


def paper_terms(
    paper: Paper, *, style: Style = "phrases", limit: int = 20, frequencies: Frequencies | None = None
) -> tuple[Term, ...]:
    """Find the key terms of a paper: of title and abstract, or in the seed's style of the abstract alone.

    A title alone says too little for scores, so a paper without an abstract has no key terms.

    The other arguments are those of ``key_terms``.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> paper = Paper(title="Class selectivity of units", abstract="Units differ in class selectivity.")
        >>> paper_terms(paper)[0].term
        'class selectivity'
    """
    if not paper.abstract.strip():
        return ()
    if style == "seed":
        return key_terms(paper.abstract, style="seed", limit=limit, frequencies=frequencies)
    text = text_of(paper)
    return key_terms(text, category=paper.primary_category, limit=limit, frequencies=frequencies)


def text_of(paper: Paper) -> str:
    """Give the text that key terms are taken from: title and abstract, the title with the abstract's capitals only.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> text_of(Paper(title="Pruning Units in ResNet", abstract="We prune ResNet."))
        'pruning units in ResNet. We prune ResNet.'
    """
    return f"{_in_sentence_case(paper.title, paper.abstract)}. {paper.abstract}"


def candidate_stems(paper: Paper) -> frozenset[str]:
    """List every stem whose number can decide a key term of the paper: what a library's counts are asked for.

    Example:
        >>> from lenslab.papers.paper import Paper
        >>> sorted(candidate_stems(Paper(title="Units", abstract="Class selectivity.")))
        ['class', 'class selectivity', 'selectivity', 'unit']
    """
    found = _runs_of(text_of(paper))
    return frozenset(stem_of(phrase) for run in found for phrase in phrases(run))


# Who asks a library's counts reads each text twice: for the stems to ask about, and for the terms. A portion of papers
# that are asked about together fits.
@lru_cache(maxsize=600)
def _runs_of(text: str) -> tuple[tuple[Word, ...], ...]:
    return tuple(map(tuple, with_verbs_merged(runs(prose(text)))))


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
            everywhere=(known.seed_terms[words[column]], documents),
        )
        for column, score in ranked
    )


def _phrase_terms(text: str, category: str | None, known: Frequencies, limit: int) -> tuple[Term, ...]:
    group = known.group_of(category)
    found = _runs_of(text)
    written: dict[str, list[tuple[Word, ...]]] = {}
    for run in found:
        for phrase in phrases(run):
            written.setdefault(stem_of(phrase), []).append(phrase)
    _merge_hyphened(written)
    whole = {stem_of(run) for run in found}
    terms_of = {stem: len(uses) for stem, uses in written.items() if _is_term(stem, len(uses), whole, group, known)}
    counts = _without_shifted(_without_repeated(_without_contained(terms_of, group, known)))
    if not counts:
        return ()
    weights = [_weight(stem, number, group, known) for stem, number in counts.items()]
    scores = tfidf(
        np.fromiter(counts.values(), dtype=float), np.array([weight for weight, _ in weights]), known.groups[group]
    )
    # Equal scores come in the text's order.
    first = {stem: position for position, stem in enumerate(written)}
    ranked = sorted(zip(counts, scores.tolist(), weights, strict=True), key=lambda row: (-row[1], first[row[0]]))
    return tuple(
        _term(stem, written[stem], score, weight, weighed_as, group, known)
        for stem, score, (weight, weighed_as) in ranked[:limit]
    )


def tfidf(counts: FloatArray, frequencies: FloatArray, documents: int) -> FloatArray:
    """Make a text's TF-IDF vector of length one, as scikit-learn's TfidfTransformer does, without its checks.

    Args:
        counts: How often each term stands in the text.
        frequencies: In how many of the ``documents`` each stands.
        documents: Their number.

    Example:
        >>> tfidf(np.array([3.0, 4.0]), np.array([9, 9]), 9).round(6).tolist()
        [0.6, 0.8]
    """
    weighted = counts * _idf(frequencies, documents)
    length = float(np.sqrt(weighted @ weighted))
    return weighted / length if length else weighted


def _term(
    stem: str, uses: list[tuple[Word, ...]], score: float, weight: int, weighed_as: str, group: str, known: Frequencies
) -> Term:
    forms = _shown(uses)
    everywhere = known.everywhere(stem, group)
    used = known.used(stem, group)
    return Term(
        term=forms[0],
        score=score,
        count=len(uses),
        document_frequency=weight,
        documents=known.groups[group],
        group=group,
        rarer=not used,
        forms=forms,
        everywhere=everywhere if used else (weight, everywhere[1]),
        weighed_as=weighed_as,
        library=group in known.own,
        repeating=group in known.own and not known.recorded(stem),
    )


def _idf(frequencies: FloatArray, documents: int) -> FloatArray:
    return np.asarray(np.log((1 + documents) / (1 + frequencies)) + 1)


def _merge_hyphened(written: dict[str, list[tuple[Word, ...]]]) -> None:
    """Count *target-language* together with *target language* where a text writes both, under the commoner one."""
    for stem in [stem for stem in written if "-" in stem]:
        spaced = stem.replace("-", " ")
        if spaced in written:
            rarer, commoner = sorted((stem, spaced), key=lambda one: len(written[one]))
            written[commoner].extend(written.pop(rarer))


def _is_term(stem: str, number: int, whole: set[str], group: str, known: Frequencies) -> bool:
    """Tell whether words belong together as a term.

    A word does, unless it only qualifies others. A phrase does if the text repeats it, if the field uses it, or if it
    is all that stands between two stop words or signs.
    """
    last = stem.rpartition(" ")[2]
    if only_qualifies(last):
        return False
    return last == stem or number > 1 or stem in whole or known.used(stem, group)


def _without_contained(counts: dict[str, int], group: str, known: Frequencies) -> dict[str, int]:
    """Leave out words and phrases that stand almost only inside of one longer term, unless it is a chance meeting."""
    inside: dict[str, int] = {}
    for stem, number in counts.items():
        if number > 1 or known.used(stem, group):
            for part in _parts(stem):
                inside[part] = max(number, inside.get(part, 0))
    return {stem: number for stem, number in counts.items() if inside.get(stem, 0) < _MOSTLY_INSIDE * number}


def _parts(stem: str) -> set[str]:
    """List the shorter phrases and the words inside of a phrase."""
    words = stem.split(" ")
    if len(words) == 1:
        return set()
    parts = set(words)
    for length in range(2, len(words)):
        parts.update(" ".join(words[start : start + length]) for start in range(len(words) - length + 1))
    return parts - {stem}


def _without_repeated(counts: dict[str, int]) -> dict[str, int]:
    """Leave out phrases that stand once and whose words all stand in terms that the text repeats."""
    repeated = {word for stem, number in counts.items() if number > 1 for word in stem.split(" ")} | qualifying_words()
    return {
        stem: number
        for stem, number in counts.items()
        if number > 1 or " " not in stem or not repeated.issuperset(stem.split(" "))
    }


def _without_shifted(counts: dict[str, int]) -> dict[str, int]:
    """Keep only the last three words of a longer name that the text repeats, where the name's head stands.

    Three words *a b c* and as many *b c d* are pieces of *a b c d*.
    """
    starts: dict[str, set[int]] = {}
    for stem, number in counts.items():
        if stem.count(" ") == 2:
            starts.setdefault(stem.rpartition(" ")[0], set()).add(number)
    return {
        stem: number
        for stem, number in counts.items()
        if stem.count(" ") != 2 or number not in starts.get(stem.partition(" ")[2], ())
    }


def _weight(stem: str, number: int, group: str, known: Frequencies) -> tuple[int, str]:
    """Give the document frequency that a term is weighted by, and the word it is taken from, if from a part.

    Of a term that is rarer than recorded it is the most that it can be. A phrase that the field does not use and the
    text does not repeat is a chance meeting of words: it weighs as much as the commonest of them.
    """
    if known.used(stem, group):
        return known.document_frequency(stem, group), ""
    words = stem.split(" ")
    if len(words) == 1:
        return LEAST_WORD - 1, ""
    if number > 1:
        return LEAST_PHRASE - 1, ""
    commonest = max(words, key=lambda word: _weight(word, number, group, known)[0])
    return _weight(commonest, number, group, known)[0], commonest


def _shown(found: list[tuple[Word, ...]]) -> tuple[str, ...]:
    """List the ways in which a term is written, the commonest first."""
    forms = Counter(" ".join(_cased(word) for word in phrase) for phrase in found)
    return tuple(form for form, _ in sorted(forms.items(), key=lambda item: (-item[1], len(item[0]), item[0])))


def _cased(word: Word) -> str:
    """Write a word as it stands, but for the capital that only opens a sentence."""
    acronym = any(character.isupper() for character in word.surface[1:]) or word.surface[1:].isdigit()
    return word.surface if acronym or not word.opens else word.surface.lower()


def _in_sentence_case(title: str, abstract: str) -> str:
    """Keep the title's capitals only where the abstract has them too; many titles capitalise every word."""
    capital = set(_CAPITAL_INSIDE.findall(abstract.strip()[1:]))
    return _CAPITAL.sub(lambda match: match[0] if match[0] in capital else match[0].lower(), title)
