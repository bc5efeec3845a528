"""A citation key: ``morcos2018importance`` names an author, a year and a word of the title."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import TypeVar

from lenslab.papers.person import surname
from lenslab.papers.work import Described, plain_letters

W = TypeVar("W", bound=Described)

_KEY = re.compile(r"([a-z]+)[^a-z0-9]*((?:19|20)\d\d|\d\d)(?!\d)[^a-z0-9]*([a-z0-9]*)")
# What bibliographies skip when they make a key from a title's first word.
_SKIPPED_WORDS = "a an the on of in to for and from with by at is are do does how what when where why"
_SKIPPED = frozenset(_SKIPPED_WORDS.split())


def first_word(title: str) -> str:
    """Give the first word of a title that is not skipped in keys, in plain letters.

    Example:
        >>> first_word("On the importance of single directions for generalization")
        'importance'
    """
    words = re.findall(r"[a-z0-9]+", plain_letters(title))
    return next((word for word in words if word not in _SKIPPED), words[0] if words else "")


def citation_key(work: Described) -> str:
    """Make the key that bibliographies make: surname of the first author, year, first word of the title.

    Example:
        >>> from lenslab.papers.work import Work
        >>> citation_key(Work("On the importance of single directions for generalization", ("Ari S. Morcos",), 2018))
        'morcos2018importance'
    """
    family = re.sub(r"[^a-z0-9]", "", plain_letters(surname(work.authors[0]))) if work.authors else ""
    year = "" if work.year is None else str(work.year)
    return f"{family or 'anonymous'}{year}{first_word(work.title)}"


def citation_keys(works: Sequence[Described]) -> tuple[str, ...]:
    """Make the keys of a list of works, each one different: further works of one key get a letter.

    Example:
        >>> from lenslab.papers.work import Work
        >>> smith = Work("On units", ("Ann Smith",), 2018)
        >>> citation_keys([smith, smith, Work("Places", ("Bolei Zhou",), 2017), smith])
        ('smith2018units', 'smith2018unitsa', 'zhou2017places', 'smith2018unitsb')
    """
    plain = [citation_key(work) for work in works]
    taken = set(plain)
    suffixes = {key: _suffixes() for key, times in Counter(plain).items() if times > 1}
    seen: set[str] = set()
    keys = []
    for key in plain:
        if key in seen:
            # A key with a letter may be that of another work already.
            key = next(longer for suffix in suffixes[key] if (longer := key + suffix) not in taken)
            taken.add(key)
        seen.add(key)
        keys.append(key)
    return tuple(keys)


def _suffixes() -> Iterator[str]:
    """Count in letters: a, b, c ... z, aa, ab ..."""
    for number in count(1):
        suffix = ""
        while number:
            number, place = divmod(number - 1, 26)
            suffix = chr(ord("a") + place) + suffix
        yield suffix


def resolve_citation(key: str, works: Iterable[W]) -> W | None:
    r"""Find the one work that a citation key can mean.

    A work matches if the key begins with the surname of its first author and names its year. Where several match, the
    word after the year decides: it has to stand in the title. A key whose year is one off, as of a preprint that was
    published later, matches only together with the title's first word.

    Args:
        key: The key inside ``\cite{...}``.
        works: The works it may mean, usually the references of the paper that cites; ``None`` says that none of them
            fits, or more than one.

    Example:
        >>> from lenslab.papers.work import Work
        >>> morcos = Work("On the importance of single directions for generalization", ("Ari S. Morcos",), 2018)
        >>> resolve_citation("morcos2018importance", [morcos]).title
        'On the importance of single directions for generalization'
        >>> resolve_citation("zhou2018revisiting", [morcos])
    """
    match = _KEY.match(plain_letters(key))
    if match is None:
        return None
    family, year, word = match[1], int(match[2]), match[3]
    named = [work for work in works if _is_first_author(family, work)]
    exact = [work for work in named if _same_year(year, work.year)]
    titled = [work for work in exact if word and word in re.findall(r"[a-z0-9]+", plain_letters(work.title))]
    if len(titled) == 1:
        return titled[0]
    # Short endings such as ``a`` only tell entries apart.
    if len(exact) == 1 and len(word) <= 2:
        return exact[0]
    headed = [work for work in named if word and word == first_word(work.title)]
    near = [work for work in headed if _same_year(year - 1, work.year) or _same_year(year + 1, work.year)]
    return near[0] if len(near) == 1 else None


def _is_first_author(family: str, work: Described) -> bool:
    return bool(work.authors) and re.sub(r"[^a-z]", "", plain_letters(surname(work.authors[0]))) == family


def _same_year(written: int, year: int | None) -> bool:
    return year is not None and (written == year or (written < 100 and written == year % 100))
