"""Records that mean the same work: the rule, and the evidence in words.

Sources list one work under several records: a preprint and its article, or two versions with changed titles. Two
records are taken for **the same work** only if one of these holds:

1. *same title*: the titles are equal but for case, punctuation and usual abbreviations, the authors agree, and the
   years are at most three apart;
2. *extended title*: the authors agree, the years are at most one apart, and every telling word of the shorter title (at
   least four) stands in the longer one;
3. *same coined name*: both titles begin with one coined name and a colon, the authors agree, the years are at most one
   apart, and at least half of the shorter title's telling words stand in the longer one;
4. *cut title*: one record names no authors, the years are equal, and its title, which begins with a coined name, is how
   the other begins;
5. *cut authors*: the titles are equal as in rule 1 and at least four words long, the authors of one are the first of
   the other's, and the years are at most one apart.

Two records with agreeing authors, years at most two apart and at least half of the shorter title's telling words (at
least three) in the longer one are **possibly the same work**, and so are two of one title and year that name nobody.
They stay apart, and the page says so: authors do write two papers with near titles, and a false merge loses a paper.

Authors agree if the lists are equally long and, in whatever order, surname and initial of each name fit. Titles that
differ in a number (*part II*) are of different works.

What speaks **against** it is weighed, too, see `contradiction`: two DOIs, another volume, issue or page of one journal,
another ISBN or edition, a book or thesis and something else, two entries of one file. Records that are the same by the
rules above and contradict each other are possibly the same work. A preprint and its article contradict each other in
none of this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from lenslab.papers.doi import PREPRINTS
from lenslab.papers.person import TIE, Person, last_words
from lenslab.papers.text.latex_display import plain_text
from lenslab.papers.text.plurals import singular
from lenslab.papers.work import plain_letters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenslab.papers.description import Description
    from lenslab.papers.paper import Paper
    from lenslab.papers.work import Described

_ABBREVIATIONS = {
    "cnn": "convolutional neural network",
    "convnet": "convolutional neural network",
    "dnn": "deep neural network",
    "rnn": "recurrent neural network",
    "gan": "generative adversarial network",
    "llm": "large language model",
    "nmt": "neural machine translation",
    "nlp": "natural language processing",
}
_SILENT_WORDS = (
    "a an and are as at be by can do does for from how in into is it its of on or that the their this to toward "
    "towards under using via what when where which why with without through"
)
_ROMAN = re.compile(r"x{0,3}(?:ix|iv|v?i{0,3})(?<=[ivx]{2})|[iv](?=$)")
# Marks of scripts in which they are vowels are letters here.
_LETTER = r"(?:[^\W_]|[\u0591-\u05c7\u064b-\u065f\u0900-\u0fff\u1000-\u109f\u1780-\u17ff\u3099\u309a])"
_WORD = re.compile(rf"\d+(?:\.\d+)+|{_LETTER}+(?:\+\+|#)?")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_KINDS = {
    "article-journal": "an article",
    "paper-conference": "a conference paper",
    "chapter": "a chapter",
    "book": "a book",
    "thesis": "a thesis",
    "report": "a report",
}
_DIVISIONS = frozenset(("part", "volume", "vol", "section", "appendix", "chapter", "book", "type", "class", "case"))
_NOTICES = frozenset(("erratum", "errata", "corrigendum", "correction", "retraction", "comment", "reply", "addendum"))
_ABOUT = re.compile(
    r"(?:data|datasets?|code|software|supplement\w*|appendix|response|rejoinder|review|discussion)\b"
    r"(?:\W+(?:and|data|datasets?|code|software|materials?|information))*\W+(?:for|to|of|on)\b"
)
_NEGATIONS = frozenset(("not", "no", "cannot", "without", "never", "non", "nor"))
_SILENT = frozenset(_SILENT_WORDS.split())


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two records have in common, and why, in one sentence for readers; empty for records that are apart."""

    verdict: Literal["same", "possibly", "apart"]
    evidence: str = ""


_APART = Likeness("apart")


def compare(one: Described, other: Described) -> Likeness:
    """Decide whether two records mean the same work.

    Example:
        >>> from lenslab.papers.work import Work
        >>> one = Work("When and how CNNs generalize", ("S. Madan", "X. Boix"), 2020)
        >>> other = Work("When and how CNNs Generalize", ("Spandan Madan", "Xavier Boix"), 2022)
        >>> compare(one, other)
        Likeness(verdict='same', evidence='same title but for abbreviations and punctuation, same 2 authors, years
        2020 and 2022')
    """
    apart = _years_apart(one, other)
    if not one.authors or not other.authors:
        return _cut_title(one, other, apart)
    if not same_authors(one.authors, other.authors):
        return _cut_authors(one, other, apart)
    if apart > 3:
        return _APART
    people = f"same {len(one.authors)} authors" if len(one.authors) > 1 else "same author"
    when = _when(one, other)
    words = _normal_words(one.title)
    if words == _normal_words(other.title) and (words or plain_text(one.title) == plain_text(other.title)):
        verdict: Literal["same", "possibly"] = "same" if _signs(one.title) == _signs(other.title) else "possibly"
        return Likeness(verdict, f"same title but for abbreviations and punctuation, {people}, {when}")
    if any(told(one.title) != told(other.title) for told in (_numbers, _notices)):
        return _APART
    differing = _signs(one.title) != _signs(other.title) or _negations(one.title) != _negations(other.title)
    shorter, longer = sorted((_telling(one.title), _telling(other.title)), key=len)
    shared = len(shorter & longer)
    names = coined_name(one.title), coined_name(other.title)
    if all(names) and names[0] != names[1]:
        return _APART
    overlap = f"{shared} of {len(shorter)} telling words of the shorter title stand in the longer one"
    if apart <= 1 and names[0] and names[0] == names[1] and 2 * shared >= len(shorter):
        return Likeness("same", f"same coined name {_written_name(one.title)!r}, {overlap}, {people}, {when}")
    if apart <= 1 and len(shorter) >= 4 and shorter <= longer and not differing:
        overlap = f"all {len(shorter)} telling words of the shorter title stand in the longer one"
        return Likeness("same", f"{overlap}, {people}, {when}")
    if apart <= 2 and shared >= 3 and 2 * shared >= len(shorter):
        return Likeness("possibly", f"{overlap}, {people}, {when}")
    return _APART


def may_be_one(one: Described, other: Described) -> bool:
    """Tell whether two records can be of one work at all, whatever name they share.

    Two records of one DOI or arXiv id whose titles and people have nothing in common are of two works, of which one
    states a wrong identifier, or that of the book that it is in. Titles in two scripts say nothing of this.

    Example:
        >>> from lenslab.papers.work import Work
        >>> cats, units = Work("All about cats", ("Kim",)), Work("On units of networks", ("Ada Bau",))
        >>> may_be_one(cats, units), may_be_one(units, Work("Neurons, revisited", ("A. Bau", "C. Sun")))
        (False, True)
    """
    latin = {all(word.isascii() for word in _telling(each.title)) for each in (one, other)}
    people = [{*map(person, each.authors)} for each in (one, other)]
    nobody = not (people[0] and people[1])
    return titles_alike(one, other) or len(latin) > 1 or nobody or bool(people[0] & people[1])


def titles_alike(one: Described, other: Described) -> bool:
    """Tell whether at least half of the shorter title's telling words stand in the longer one.

    Example:
        >>> from lenslab.papers.work import Work
        >>> titles_alike(Work("On units of networks"), Work("Units: a survey"))
        True
    """
    shorter, longer = sorted((_telling(one.title), _telling(other.title)), key=len)
    return 2 * len(shorter & longer) >= len(shorter)


def contradiction(one: Description, other: Description) -> str:
    """Say in a few words what speaks against two records of one title being one work; empty where nothing does.

    Example:
        >>> from lenslab.papers.description import Description
        >>> from lenslab.papers.paper import Paper
        >>> from lenslab.papers.publication import Publication
        >>> places = [Publication(container="News", volume=number) for number in "12"]
        >>> papers = [Paper(title="Letters", publication=place) for place in places]
        >>> contradiction(*(Description(source="RIS", locator="", paper=paper) for paper in papers))
        'volumes 1 and 2 of News'
    """
    for a, b in zip(one.paper.authors, other.paper.authors, strict=False):
        if person(a) == person(b) and _other_given(Person.parse(a).given, Person.parse(b).given):
            return f"authors {a} and {b}"
    mine, its = one.paper.publication, other.paper.publication
    if _is_preprint(one.paper) != _is_preprint(other.paper):
        published = (its if _is_preprint(one.paper) else mine).kind
        return "a thesis and a preprint" if published == "thesis" else ""
    dois = [paper.doi.lower() for paper in (one.paper, other.paper) if paper.doi and not _is_of_preprint(paper.doi)]
    if len(dois) == 2:
        return f"DOIs {dois[0]} and {dois[1]}" if dois[0] != dois[1] else ""
    parts = [("volumes", mine.volume, its.volume), ("issues", mine.number, its.number)]
    parts.append(("pages", mine.first_page, its.first_page))
    stated = [(name, a, b) for name, a, b in parts if _number(a) and _number(b)]
    apart = [(name, a, b) for name, a, b in stated if _number(a) != _number(b)]
    journal = bool(mine.container) and _letters(mine.container) == _letters(its.container)
    # An editorial appears everywhere.
    usual = len(_telling(one.paper.title)) < 2 and bool(mine.container and its.container)
    if apart and (journal or usual or {"volumes", "pages"} <= {name for name, *_ in apart}):
        name, a, b = apart[0]
        return f"{name} {a} and {b}" + (f" of {mine.container}" if journal else "")
    if usual and not journal and not _telling(mine.container) & _telling(its.container):
        return f"{mine.container} and {its.container}"
    books = [_book(each.isbn) for each in (mine, its) if each.isbn]
    if len(books) == 2 and books[0] != books[1]:
        return f"ISBNs {mine.isbn} and {its.isbn}"
    if mine.edition and its.edition and _ordinal(mine.edition) != _ordinal(its.edition):
        return f"editions {mine.edition} and {its.edition}"
    kinds = sorted({mine.kind, its.kind} - {""})
    if len(kinds) == 2 and {"book", "thesis"} & {*kinds}:
        return " and ".join(_KINDS.get(kind, kind) for kind in kinds)
    files = [(each.source, *each.locator.rpartition(": ")[:2]) for each in (one, other)]
    in_one_file = bool(files[0][2]) and files[0] == files[1] and one.locator != other.locator
    return f"two entries of {files[0][1]}" if in_one_file and not (journal and stated and not apart) else ""


def _number(text: str) -> str:
    """Write a volume, an issue or a page by its digits where it has some: ``02`` and ``Vol. 2`` are one."""
    digits = re.sub(r"\D+", " ", text).split()
    return " ".join(str(int(each)) for each in digits) or _letters(text)


def _ordinal(edition: str) -> str:
    """Write an edition by its number.

    Example:
        >>> _ordinal("Second") == _ordinal("2nd ed.") == _ordinal("2")
        True
    """
    word = next((word for word in re.findall(r"[a-z]+", plain_letters(edition)) if word in _ORDINALS), "")
    return str(_ORDINALS.index(word) + 1) if word else _number(edition)


def _book(isbn: str) -> str:
    """Write what the two forms of an ISBN have in common.

    Example:
        >>> _book("0-306-40615-2") == _book("978-0-306-40615-7")
        True
    """
    letters = _letters(isbn)
    return letters[3:12] if len(letters) == 13 else letters[:9] if len(letters) == 10 else letters


def _other_given(one: str, other: str) -> bool:
    """Tell whether two first given names, both written out, are different ones."""
    names = [_letters(given.split(" ")[0]) for given in (one, other)]
    a, b = sorted(names, key=len)
    return len(a) > 2 and not b.startswith(a[:3])


def _is_preprint(paper: Paper) -> bool:
    if paper.doi:
        return _is_of_preprint(paper.doi)
    return paper.arxiv_id is not None and not paper.journal_reference


def _is_of_preprint(doi: str) -> bool:
    return doi.lower().startswith(PREPRINTS)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", plain_letters(text))


def same_authors(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether two author lists can be the same people, names abbreviated or not, in any order.

    Example:
        >>> same_authors(["X. Boix", "P. Sinha"], ["Pawan Sinha", "Xavier Boix"])
        True
        >>> same_authors(["A. Bau"], ["David Bau"])
        False
    """
    return len(one) == len(other) and sorted(map(person, one)) == sorted(map(person, other))


def coined_name(title: str) -> str:
    """Give the name that a title coins before its colon, in plain letters; empty where there is none.

    Example:
        >>> coined_name("NormLime: A New Metric"), coined_name("On units: a study")
        ('normlime', '')
    """
    head, colon, _ = title.partition(":")
    words = head.split()
    return plain_letters(words[0]) if colon and len(words) == 1 else ""


def _cut_title(one: Described, other: Described, apart: int) -> Likeness:
    short, long = sorted((_normal_words(one.title), _normal_words(other.title)), key=len)
    if not one.authors and not other.authors and short == long and apart == 0 and len(_telling(one.title)) >= 3:
        return Likeness("possibly", f"same title, neither record names authors, {_when(one, other)}")
    named = coined_name(one.title) and coined_name(one.title) == coined_name(other.title)
    if apart or not named or len(short) < 4 or long[: len(short)] != short:
        return _APART
    why = f"one record names no authors and its title is how the other begins, coined name {_written_name(one.title)!r}"
    return Likeness("same", f"{why}, year {one.year}")


def _cut_authors(one: Described, other: Described, apart: int) -> Likeness:
    few, many = sorted((one.authors, other.authors), key=len)
    words = _normal_words(one.title)
    begins = list(map(person, few)) == list(map(person, many[: len(few)]))
    if apart > 1 or len(words) < 4 or not begins or words != _normal_words(other.title):
        return _APART
    why = f"same title, the {len(few)} authors of one are the first of the other's {len(many)}"
    return Likeness("same", f"{why}, {_when(one, other)}")


def _when(one: Described, other: Described) -> str:
    return f"year {one.year}" if _years_apart(one, other) == 0 else f"years {one.year} and {other.year}"


def _years_apart(one: Described, other: Described) -> int:
    """Give the distance of the years; unknown years speak neither for nor against, so they count as one apart."""
    return 1 if one.year is None or other.year is None else abs(one.year - other.year)


@lru_cache(maxsize=65536)
def person(name: str) -> tuple[str, str]:
    """Reduce a name to what all sources agree on: surname and first initial, in plain letters.

    Few sources say where a family name begins; so what one states, by bound words, makes no difference here.

    Example:
        >>> person("Morcos, Ari S."), person("Ari Morcos")
        (('morcos', 'a'), ('morcos', 'a'))
    """
    name = name.replace(TIE, " ").strip()
    given = name.split(",", 1)[1] if "," in name else name
    return re.sub(r"[\W\d_]", "", plain_letters(last_words(name))), plain_letters(given.strip())[:1]


def _written_name(title: str) -> str:
    return title.partition(":")[0].strip()


def _normal_words(title: str) -> list[str]:
    """Give the title's words in plain letters, singular, abbreviations written out; ``C++`` and ``C#`` are words."""
    words: list[str] = []
    for word in _WORD.findall(plain_letters(title)):
        single = singular(word)
        words.extend(_ABBREVIATIONS.get(single, single).split())
    return words


def _numbers(title: str) -> list[str]:
    """Give the numbers in a title, and the letters of its parts, which tell parts, editions and years apart."""
    words = _normal_words(title)
    lettered = [b for a, b in pairwise(words) if len(b) == 1 and a in _DIVISIONS]
    return [*lettered, *(word for word in words if word[0].isdecimal() or _ROMAN.fullmatch(word))]


def _notices(title: str) -> frozenset[str]:
    """Give the words by which a title says that it is about another publication: an erratum, a reply, ..."""
    about = {"about"} if _ABOUT.match(plain_letters(title).strip()) else set()
    return (_NOTICES & {*_normal_words(title)}) | about


def _negations(title: str) -> list[str]:
    return [word for word in _normal_words(title) if word in _NEGATIONS]


def _signs(title: str) -> list[str]:
    """Give the signs of a title that mean something: charges, powers, marks, a minus before a number."""
    return re.findall(r"[+*±²³¹⁺⁻°<>≤≥=^]|(?<![^\W_])[-−](?=\d)|[-−](?![\w-])(?!\s)", plain_text(title))


def _telling(title: str) -> frozenset[str]:
    return frozenset(word for word in _normal_words(title) if word not in _SILENT)
