"""Plurals: singular and plural are one term.

The rules are those of the S-stemmer of D. Harman, "How effective is suffixing?" (JASIS 42, 1991, table 2): three that
only take off plural endings, so that *class* and *classification*, or *general* and *generalization*, stay two words.
"""

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


def singular(word: str) -> str:
    """Take the plural ending off a lower-case word.

    Example:
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
