"""Stop words, and words that only qualify the word after them."""

from functools import cache
from importlib.resources import files

# "patch-level" or "task-aware" qualifies the word after it, whatever stands before its hyphen.
_QUALIFYING_ENDINGS = tuple(
    f"-{ending}"
    for ending in (
        *("agnostic", "aware", "based", "centric", "conditioned", "dependent", "driven", "enhanced", "focused", "free"),
        *("friendly", "guided", "independent", "inspired", "level", "like", "oriented"),
        *("powered", "related", "specific", "style", "wise"),
    )
)


@cache
def stop_words() -> frozenset[str]:
    """Give English stop words, and words of scientific prose that say what authors do, not what a paper is about.

    Example:
        >>> "does" in stop_words(), "demonstrate" in stop_words(), "selectivity" in stop_words()
        (True, True, False)
    """
    # Here and not above: scikit-learn takes a second to import, and most of the package does without it.
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | _listed("prose-words.txt")


@cache
def qualifying_words() -> frozenset[str]:
    """Give the words that only qualify the word after them: a term may begin with one and never ends with one.

    Example:
        >>> "overall" in qualifying_words()
        True
    """
    return _listed("qualifying-words.txt")


def only_qualifies(word: str) -> bool:
    """Tell whether a stem only qualifies the word after it: *overall*, or a compound such as *patch-level*.

    Example:
        >>> only_qualifies("overall"), only_qualifies("patch-level"), only_qualifies("level")
        (True, True, False)
    """
    return word in qualifying_words() or word.endswith(_QUALIFYING_ENDINGS)


def _listed(name: str) -> frozenset[str]:
    lines = (files("lenslab.papers") / "data" / name).read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
