"""Support: whether an abstract says what a sentence claims, and where.

A sentence is supported by one sentence of the abstract, or by two neighbouring ones, if all of this holds:

- most of its content words stand there: at least ``ENOUGH`` of their roots, stop words apart;
- every number stands there, in the same order; every name does (a word with a capital or a digit inside of a sentence);
- what it denies is denied there, and what is denied there it does not assert;
- where it says that something rises, falls or holds for all, a word there says so, too.

The check knows words and not meanings: it refuses some honest paraphrases, it does not hear a *may* that is left out,
and a wrong relation between words that all stand in one place passes. ``scripts/support_threshold.py`` measures what
``ENOUGH`` accepts. On 1,472 abstracts of arXiv, at 0.6: 68 of 100 titles, in lower case, by their own abstracts and 0.1
by another's; and 1.7 of 100 sentences by what is left of the abstract without them. At 0.5 that is 84, 0.4 and 4.8, at
0.7 it is 50, 0.0 and 0.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from lenslab.papers.text.latex_display import plain_text
from lenslab.papers.text.plurals import singular
from lenslab.papers.text.sentences import sentences

ENOUGH = 0.6
_TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?|[^\W\d_][^\W_]*(?:[-'’][^\W_]+)*|[.;:!?]")
_NUMBER = re.compile(r"(?<![A-Za-z\d.-])[-−–]?\d[\d,]*(?:\.\d+)?")
# Without "one", which is seldom a number.
_NUMBER_WORDS = "two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: str(number) for number, word in enumerate(_NUMBER_WORDS.split(), start=2)}
_DENYING = "barely cannot fail failed fails hardly lack lacked lacks neither never no none nor not without"
_NEGATIONS = frozenset(_DENYING.split())
_FOR_ALL = "all always any completely entire entirely every everything guarantee guarantees never only"
_UNIVERSALS = frozenset(_FOR_ALL.split())
_RISING = (
    "better boost enhance exceed faster gain greater grow higher improve increase larger more outperform rise surpass"
)
_FALLING = (
    "damage decline decrease degrade drop fall fewer hurt less lower reduce slower smaller underperform worse worsen"
)
# What sentences about papers say of the paper and not of its subject.
_FRAMING = "abstract article author authors find finds paper present presents propose show shows studies study work"
_SUFFIXES = (
    "ability able al ally ance ances ate ated ates ating ation ations ator ators e ed edly ence er ers es ies ing ings "
    "ion ions ities ity ive ively ly ment ments ness or ors s y"
)
_ENDINGS = tuple(sorted(_SUFFIXES.split(), key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an abstract, as ``plain_text`` writes it; ``start`` and ``end`` count characters."""

    start: int
    end: int
    text: str


def spans(abstract: str) -> tuple[Span, ...]:
    """Find the sentences of an abstract, and where they stand in its plain text.

    Example:
        >>> [(span.start, span.end) for span in spans("We ablate units. It hurts.")]
        [(0, 16), (17, 26)]
    """
    text = plain_text(abstract)
    found = []
    position = 0
    for sentence in sentences(text):
        start = text.index(sentence, position)
        position = start + len(sentence)
        found.append(Span(start, position, sentence))
    return tuple(found)


def support(claim: str, abstract: Sequence[Span]) -> Span | None:
    """Find what supports a claim: the sentence of the abstract that says most of it, or two neighbours.

    Args:
        claim: One sentence, in plain text.
        abstract: The sentences of the abstract, from ``spans``.

    Example:
        >>> abstract = spans("We ablate 50 units. Ablating units does not hurt the overall accuracy.")
        >>> support("Ablation of units does not hurt accuracy.", abstract).text
        'Ablating units does not hurt the overall accuracy.'
        >>> support("Ablation of units hurts accuracy.", abstract)
        >>> support("The authors ablate 60 units.", abstract)
    """
    content = _Content.of(claim)
    # One sentence goes before two that say no more, and the first before others.
    covered, window = max(_windows(content, abstract), key=lambda pair: pair[0], default=(0.0, None))
    return window if covered >= ENOUGH else None


def coverage(claim: str, abstract: Sequence[Span]) -> float:
    """Measure how much of a claim the best place of an abstract holds; 0 where every place contradicts it.

    Example:
        >>> coverage("We ablate rare units.", spans("We ablate units."))
        0.6666666666666666
    """
    return max((covered for covered, _ in _windows(_Content.of(claim), abstract)), default=0.0)


def _windows(claim: _Content, abstract: Sequence[Span]) -> Iterator[tuple[float, Span]]:
    for length in (1, 2):
        for first in range(len(abstract) - length + 1):
            window = abstract[first : first + length]
            text = " ".join(span.text for span in window)
            yield _coverage(claim, _content(text)), Span(window[0].start, window[-1].end, text)


@dataclass(frozen=True, slots=True)
class _Content:
    """What the check compares of a text."""

    roots: frozenset[str]
    numbers: tuple[str, ...]
    names: frozenset[str]
    words: frozenset[str]
    # After each negation: the root of the first word, and those of the first two.
    denied: frozenset[str]
    perhaps_denied: frozenset[str]
    denies: bool

    @classmethod
    def of(cls, text: str) -> _Content:
        tokens = _TOKEN.findall(text)
        roots: list[str] = []
        names: set[str] = set()
        denied: set[str] = set()
        perhaps: set[str] = set()
        denies = False
        opens = True
        reach = 0
        for place, token in enumerate(tokens):
            word = token.lower().replace("’", "'")
            if token in ".;:!?":
                opens, reach = token in ".!?", 0
                continue
            inside = any(character.isupper() or character.isdigit() for character in token[1:])
            if not token[0].isdigit() and (inside or (token[0].isupper() and not opens and word not in _stop_words())):
                names.add(_name(token))
            opens = False
            only = place + 1 < len(tokens) and tokens[place + 1].lower() == "only"
            if (word in _NEGATIONS or word.endswith("n't")) and not only:
                denies, reach = True, 2
                continue
            if word in _stop_words() or word in _NUMBERS or token[0].isdigit():
                continue
            root = _root(word)
            roots.append(root)
            if reach and not word.endswith("ly"):
                perhaps.add(root)
                if reach == 2:
                    denied.add(root)
                reach -= 1
        numbers = tuple(
            match.replace(",", "").replace("−", "-").replace("–", "-").rstrip(".")
            for match in _NUMBER.findall(" ".join(_NUMBERS.get(word.lower(), word) for word in text.split()))
        )
        words = frozenset(token.lower() for token in tokens)
        return cls(frozenset(roots), numbers, frozenset(names), words, frozenset(denied), frozenset(perhaps), denies)


@lru_cache(maxsize=256)
def _content(text: str) -> _Content:
    return _Content.of(text)


def _coverage(claim: _Content, window: _Content) -> float:
    """Measure the share of the claim's content words that a window holds; 0 where it contradicts the claim."""
    contradicted = (
        not _is_subsequence(claim.numbers, window.numbers)
        or not claim.names <= window.names | {_name(word) for word in window.words}
        or (claim.denies and not claim.denied & window.perhaps_denied)
        or not (window.denied & claim.roots) <= claim.perhaps_denied
        or any(_turned(claim, window, *sides) for sides in _directions())
        or not (claim.words & _UNIVERSALS) <= window.words
    )
    subject = claim.roots - _frame()
    return 0.0 if contradicted or not subject else len(subject & window.roots) / len(subject)


def _turned(claim: _Content, window: _Content, side: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether a claim says that something goes one way and a window does not, or goes the other way, too."""
    claimed = claim.roots & side
    if not claimed or claimed <= window.roots:
        return False
    return not window.roots & side or bool(window.roots & other)


def _is_subsequence(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    remaining = iter(others)
    return all(one in remaining for one in some)


def _name(token: str) -> str:
    return singular(token.lower())


@lru_cache(maxsize=1 << 14)
def _root(word: str) -> str:
    """Take off a word's endings, so that *ablating*, *ablated* and *ablation* are one.

    Example:
        >>> _root("ablating"), _root("ablation"), _root("ablates")
        ('abl', 'abl', 'abl')
    """
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    compared = {*_RISING.split(), *_FALLING.split(), *_NUMBERS}
    added = {"does", "do", "did", "can", "may", "using", "used", "use", "uses"}
    return frozenset(ENGLISH_STOP_WORDS) - compared | added


@cache
def _directions() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    rising, falling = (frozenset(_root(word) for word in words.split()) for words in (_RISING, _FALLING))
    return (rising, falling), (falling, rising)


@cache
def _frame() -> frozenset[str]:
    return frozenset(_root(word) for word in _FRAMING.split())
