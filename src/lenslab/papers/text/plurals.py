"""Plurals: singular and plural are one term.

What is a plural, lemminflect knows by its dictionary (the SPECIALIST lexicon of the US National Library of Medicine).
Words that it does not know end as one that it does (*submatrices*), or lose the endings of the S-stemmer of D. Harman,
"How effective is suffixing?" (JASIS 42, 1991, table 2). Nothing but plural endings is taken off, so that *class* and
*classification*, or *general* and *generalization*, stay two words.
"""

from functools import lru_cache

# Plurals of two words, as science means them, and words that the dictionary lacks or takes for one form only.
_WHOLE = (
    *("ai", "bayes", "chaos", "cola", "cosmos", "data", "dice", "gauss", "ios", "means", "media", "nas", "news"),
    *("physics", "statistics"),
)
_EXCEPTIONS = {
    "attaches": "attach",
    "axes": "axis",
    "bases": "basis",
    "delves": "delve",
    "ellipses": "ellipse",
    "extrema": "extremum",
    "leaves": "leaf",
    "lemmata": "lemma",
    "oxen": "ox",
} | {word: word for word in _WHOLE}
_IRREGULAR = ("analyses", "hypotheses", "indices", "matrices", "vertices", "vortices")


def singular(word: str) -> str:
    """Take the plural ending off a lower-case word.

    Example:
        >>> [singular(word) for word in ("units", "classes", "movies", "caches", "axes", "corpora", "submatrices")]
        ['unit', 'class', 'movie', 'cache', 'axis', 'corpus', 'submatrix']
        >>> [singular(word) for word in ("class", "corpus", "analysis", "bias", "physics")]
        ['class', 'corpus', 'analysis', 'bias', 'physics']
    """
    if word in _EXCEPTIONS:
        return _EXCEPTIONS[word]
    if (known := _lemma(word)) is not None:
        return known
    head, hyphen, last = word.rpartition("-")
    if hyphen:
        return f"{head}-{singular(last)}"
    irregular = next((ending for ending in _IRREGULAR if word.endswith(ending)), "")
    if irregular:
        return word.removesuffix(irregular) + singular(irregular)
    return _without_ending(word)


@lru_cache(maxsize=1 << 15)
def _lemma(word: str) -> str | None:
    """Look a noun up: its usual singular; ``None`` for an unknown word."""
    from lemminflect import getLemma

    found = getLemma(word, upos="NOUN", lemmatize_oov=False)
    return str(found[0]) if found else None


def _without_ending(word: str) -> str:
    """Take an ending off by Harman's rules, the sibilants of the second one written out."""
    if word.endswith("ies") and not word.endswith(("eies", "aies")) and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("us", "ss", "is")) and len(word) > 3:
        return word[:-1]
    return word
