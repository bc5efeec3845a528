"""arXiv's categories by name; one subject under two ids is shown once."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Two ids of one category: papers carry both (https://arxiv.org/category_taxonomy).
_PAIRS = (
    ("math-ph", "math.MP"),
    ("cs.IT", "math.IT"),
    ("math.NA", "cs.NA"),
    ("math.ST", "stat.TH"),
    ("econ.GN", "q-fin.EC"),
    ("eess.SY", "cs.SY"),
)
# Archives that papers of their time carry bare.
_FORMER = {"astro-ph": "Astrophysics", "cond-mat": "Condensed Matter", "q-bio": "Quantitative Biology"}


@dataclass(frozen=True, slots=True)
class Category:
    """A category of arXiv.

    Attributes:
        id: Its id, for instance ``cs.CV``.
        name: Its name; the id itself where this version does not know it.
        alias: The other id of the same category, or the id that it had before; empty where there is none.
    """

    id: str
    name: str
    alias: str = ""


@cache
def categories() -> dict[str, Category]:
    """Give the 155 active categories by id, in arXiv's order.

    Example:
        >>> categories()["cs.CV"].name
        'Computer Vision and Pattern Recognition'
    """
    lines = (files("lenslab.papers") / "data" / "categories.txt").read_text("utf-8").splitlines()
    found = (Category(*line.split("|")) for line in lines if line and not line.startswith("#"))
    return {category.id: category for category in found}


def category(name: str) -> Category:
    """Find a category by its id, by an id that was merged into another, or by an archive that once stood alone.

    Example:
        >>> category("cmp-lg").name, category("astro-ph").name, category("xx.YY").name
        ('Computation and Language', 'Astrophysics', 'xx.YY')
    """
    known = categories()
    if name in known:
        return known[name]
    if name in _FORMER:
        return Category(name, _FORMER[name])
    merged = next((category for category in known.values() if category.alias == name), None)
    return Category(name, merged.name if merged else name, merged.id if merged else "")


def is_category(name: str) -> bool:
    """Tell whether papers carry this id: an active one, a merged one, or an archive that once stood alone.

    Example:
        >>> is_category("cs.CV"), is_category("cmp-lg"), is_category("astro-ph"), is_category("vision")
        (True, True, True, False)
    """
    return name in categories() or name in _FORMER or name in _subjects()


def shown_once(names: Iterable[str]) -> tuple[Category, ...]:
    """List the categories of a paper in their order, each subject once, under the id that comes first.

    An archive that was merged into a category is the same subject as that category.

    Example:
        >>> [category.id for category in shown_once(["cs.IT", "math.IT", "cs.LG"])]
        ['cs.IT', 'cs.LG']
    """
    found: dict[str, Category] = {}
    for name in names:
        found.setdefault(_subjects().get(name, name), category(name))
    return tuple(found.values())


@cache
def _subjects() -> dict[str, str]:
    """Map each id that shares its subject with another, or was merged into it, to the id that stands for both."""
    known = categories()
    merged = {found.alias: found.id for found in known.values() if found.alias and found.alias not in known}
    return merged | {name: pair[0] for pair in _PAIRS for name in pair}
