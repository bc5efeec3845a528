"""Words of an abstract: runs of telling words, and one form for all inflections of a noun.

Singular and plural are one term by the S-stemmer of D. Harman, "How effective is suffixing?" (JASIS 42, 1991, table 2):
three rules that only take off plural endings, so that *class* and *classification*, or *general* and *generalization*,
stay two words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|[^\w\s]|_")
_SIGNS = frozenset(".,;:!?()[]{}\"'`/|<>=+*&%#@^~\\$_-–—“”‘’…")
_NOUNS_IN_LY = frozenset(
    {"anomaly", "assembly", "butterfly", "family", "monopoly", "supply", "multiply", "reply", "italy"}
)
# Words of science whose singular the rules would miss.
_IRREGULAR = {
    "analyses": "analysis",
    "biases": "bias",
    "hypotheses": "hypothesis",
    "indices": "index",
    "lenses": "lens",
    "matrices": "matrix",
    "vertices": "vertex",
} | {word: word for word in ("atlas", "bias", "canvas", "chaos", "lens", "physics", "series", "species")}
_POSSESSIVE = re.compile(r"['’]s?$")


@cache
def stop_words() -> frozenset[str]:
    """English stop words, and the words of scientific prose that say what authors do and not what a paper is about.

    >>> "does" in stop_words(), "demonstrate" in stop_words(), "selectivity" in stop_words()
    (True, True, False)
    """
    return frozenset(ENGLISH_STOP_WORDS) | _listed("prose-words.txt")


@cache
def qualifying_words() -> frozenset[str]:
    """Words that say something only of the word after them: a term may begin with one and never ends with one.

    >>> "overall" in qualifying_words()
    True
    """
    return _listed("qualifying-words.txt")


def _listed(name: str) -> frozenset[str]:
    lines = (files("lenslab.papers") / "data" / name).read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text.

    Attributes:
        surface: as it is written.
        stem: in lower-case letters and in the singular.
        opens: whether it opens a sentence, where a capital says nothing.
    """

    surface: str
    stem: str
    opens: bool = False


def singular(word: str) -> str:
    """A lower-case word without its plural ending.

    >>> singular("units"), singular("classes"), singular("categories"), singular("class"), singular("corpus")
    ('unit', 'class', 'category', 'class', 'corpus')
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and not word.endswith(("eies", "aies")) and len(word) > 4:
        return word[:-3] + "y"
    # Harman's second rule, with the sibilants that take -es written out.
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("us", "ss", "is")) and len(word) > 3:
        return word[:-1]
    return word


def runs(text: str) -> list[list[Word]]:
    """The runs of telling words in a text; stop words, numbers and punctuation end a run.

    Args:
        text: plain text, without LaTeX.

    >>> [[word.stem for word in run] for run in runs("We study the class selectivity of units, and weight norms.")]
    [['class', 'selectivity'], ['unit'], ['weight', 'norm']]
    """
    found: list[list[Word]] = [[]]
    stopping = stop_words()
    opens = True
    for token in _TOKEN.findall(text):
        surface = _POSSESSIVE.sub("", token)
        lowered = surface.lower()
        if lowered in stopping or len(lowered) < 2 or lowered.isdigit() or _is_adverb(lowered) or token in _SIGNS:
            found.append([])
        else:
            found[-1].append(Word(surface, singular(lowered), opens))
        opens = token in ".!?:"
    return [run for run in found if run]


def _is_adverb(word: str) -> bool:
    return word.endswith("ly") and len(word) > 4 and word not in _NOUNS_IN_LY


def phrases(run: list[Word], longest: int = 3) -> list[tuple[Word, ...]]:
    """Every phrase of one to three words inside of a run, in its order.

    >>> [" ".join(word.stem for word in phrase) for phrase in phrases(runs("class selectivity")[0])]
    ['class', 'class selectivity', 'selectivity']
    """
    return [
        tuple(run[start : start + length])
        for start in range(len(run))
        for length in range(1, min(longest, len(run) - start) + 1)
    ]


def stem_of(phrase: tuple[Word, ...]) -> str:
    """The stems of a phrase, joined by spaces: the name under which a term is counted."""
    return " ".join(word.stem for word in phrase)


def with_verbs_merged(found: list[list[Word]]) -> list[list[Word]]:
    """Runs in which a verb's forms in *-ing* and *-ed* carry the stem of its noun, where the text has that noun.

    >>> merged = with_verbs_merged(runs("Ablating a unit, or the ablation of units."))
    >>> [[word.stem for word in run] for run in merged]
    [['ablation'], ['unit'], ['ablation'], ['unit']]
    """
    stems = {word.stem for run in found for word in run}
    return [[replace(word, stem=_noun(word.stem, stems)) for word in run] for run in found]


def _noun(stem: str, stems: set[str]) -> str:
    for ending in ("ing", "ed"):
        root = stem.removesuffix(ending)
        if root != stem and len(root) >= 4:
            nouns = (root + noun_ending for noun_ending in ("ion", "ation", "e", ""))
            return next((noun for noun in nouns if noun in stems), stem)
    return stem
