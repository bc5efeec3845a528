"""The words of an abstract: runs of content words, each with one form for all inflections of a noun."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lenslab.papers.text.plurals import singular
from lenslab.papers.text.stop_words import stop_words

_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|[^\w\s]|_")
# Longer tokens are strings of characters, and no terms.
_LONGEST = 50
_NOUNS_IN_LY = {"anomaly", "assembly", "butterfly", "family", "monopoly", "supply", "multiply", "reply", "italy"}
# A hyphen typed for a dash: "on such devices-we show".
_AFTER_DASH = re.compile(
    r"(?:-(?:an?|and|are|but|from|is|its?|or|our|that|the|these|they|this|to|we|which|with|without))+$", re.IGNORECASE
)
_POSSESSIVE = re.compile(r"['’]s?$")


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is written, its stem in lower case and in the singular, and whether it opens a sentence."""

    surface: str
    stem: str
    opens: bool = False


def runs(text: str) -> list[list[Word]]:
    """Find the runs of content words in a plain text; stop words, numbers and punctuation end a run.

    Example:
        >>> [[word.stem for word in run] for run in runs("We study the class selectivity of units, and weight norms.")]
        [['class', 'selectivity'], ['unit'], ['weight', 'norm']]
    """
    found: list[list[Word]] = []
    run: list[Word] = []
    opens = True
    for token in _TOKEN.findall(text):
        surface, stem = _known_word(token) if len(token) <= _LONGEST else ("", "")
        if stem:
            run.append(Word(surface, stem, opens))
        elif run:
            found.append(run)
            run = []
        opens = token in ".!?:"
    if run:
        found.append(run)
    return found


# A few thousand words make up most of all abstracts.
@lru_cache(maxsize=1 << 15)
def _known_word(token: str) -> tuple[str, str]:
    """Give a token without its possessive, and its stem; both are empty for what ends a run."""
    if not token[0].isalnum():
        return "", ""
    surface = _POSSESSIVE.sub("", _AFTER_DASH.sub("", token))
    lowered = surface.lower()
    adverb = lowered.endswith("ly") and len(lowered) > 4 and lowered not in _NOUNS_IN_LY
    if len(lowered) < 2 or lowered.isdigit() or adverb or lowered in stop_words():
        return "", ""
    return surface, singular(lowered)


def phrases(run: Sequence[Word], longest: int = 3) -> list[tuple[Word, ...]]:
    """List every phrase of one to three words inside of a run, in its order.

    Example:
        >>> [" ".join(word.stem for word in phrase) for phrase in phrases(runs("class selectivity")[0])]
        ['class', 'class selectivity', 'selectivity']
    """
    return [
        tuple(run[start : start + length])
        for start in range(len(run))
        for length in range(1, min(longest, len(run) - start) + 1)
    ]


def stem_of(phrase: Iterable[Word]) -> str:
    """Join the stems of a phrase by spaces: the name under which a term is counted."""
    return " ".join([word.stem for word in phrase])


def with_verbs_merged(found: list[list[Word]]) -> list[list[Word]]:
    """Give a verb's forms in *-ing* and *-ed* the stem of its noun, where the text has that noun.

    Example:
        >>> merged = with_verbs_merged(runs("Ablating a unit, or the ablation of units."))
        >>> [[word.stem for word in run] for run in merged]
        [['ablation'], ['unit'], ['ablation'], ['unit']]
    """
    stems = {word.stem for run in found for word in run}
    nouns = {stem: noun for stem in stems if (noun := _noun(stem, stems)) != stem}
    if not nouns:
        return found
    return [[replace(word, stem=nouns[word.stem]) if word.stem in nouns else word for word in run] for run in found]


def _noun(stem: str, stems: set[str]) -> str:
    for ending in ("ing", "ed"):
        if stem.endswith(ending) and len(stem) - len(ending) >= 4:
            root = stem.removesuffix(ending)
            nouns = (root + noun_ending for noun_ending in ("ion", "ation", "e", ""))
            return next((noun for noun in nouns if noun in stems), stem)
    return stem
