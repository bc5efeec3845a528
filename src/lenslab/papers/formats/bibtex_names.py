"""Names in BibTeX files: who wrote a work, with what the file states of the parts of each name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lenslab.papers.person import SUFFIX, Person
from lenslab.papers.text.latex_display import plain_text

_AND = re.compile(r"(?:^|(?<=\s)|\s+)and(?=\s|$)\s*", re.IGNORECASE)
_COMMA, _SPACE, _BRACE = re.compile(","), re.compile(r"[\s~]+"), re.compile("[{}]")
_ET_AL = re.compile(r",?\s+et\.?\s+al\.?\s*$", re.IGNORECASE)
_OTHERS = re.compile(r"others|et\.?\s*al\.?", re.IGNORECASE)
_SEMICOLON = re.compile(";")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[\s-]*){1,4}")
_EXTENDED = re.compile(r"\s*(?:family|given|prefix|suffix)(?:-i)?\s*=", re.IGNORECASE)


def authors_of(written: str) -> Iterator[str]:
    """Read a field of names, with what it states of their parts; ``and others`` is left out.

    Example:
        >>> list(authors_of("Lovelace, Ada and {World Health Organization} and others"))
        ['Ada Lovelace', 'World Health Organization']
    """
    for name in _split(written, _AND):
        if name and not _OTHERS.fullmatch(name):
            yield from filter(None, map(str, _people(name)))


def is_cut(written: str) -> bool:
    """Tell whether a field of names leaves some out, as ``and others`` or ``et al.`` does.

    Example:
        >>> is_cut("Lovelace, Ada and others"), is_cut("Lovelace, Ada and Others, Jim")
        (True, False)
    """
    last = list(_split(written, _AND))[-1]
    return bool(_OTHERS.fullmatch(last) or _ET_AL.search(last))


def _people(name: str) -> Iterator[Person]:
    """Read a name with the parts that its file states; where several stand in one line, all of them."""
    name = _ET_AL.sub("", name)
    several = [each for each in _split(name, _SEMICOLON) if each]
    if len(several) > 1:
        for each in several:
            yield from _people(each)
        return
    parts = list(_split(name, _COMMA))
    if any(map(_EXTENDED.match, parts)):
        yield _extended(parts)
    elif _is_group(name):
        yield Person.of(family=plain_text(name))
    elif len(parts) == 1 and not any(map(_is_group, _split(name, _SPACE))):
        yield Person.parse(_plain(name))
    elif len(parts) == 2 and _is_suffix(parts[1]):
        yield Person.parse(f"{_plain(parts[0])}, {_plain(parts[1])}")
    elif len(parts) == 3 and _is_suffix(parts[2]) and not _is_suffix(parts[1]):
        yield Person.of(family=_plain(parts[0]), given=_plain(parts[1]), suffix=_plain(parts[2]))
    elif _are_pairs(parts):
        yield from (Person.of(family=_plain(a), given=_plain(b)) for a, b in zip(parts[::2], parts[1::2], strict=True))
    elif _is_list(parts):
        yield from map(Person.parse, map(_plain, parts))
    else:
        yield _of_parts(name)


def _of_parts(name: str) -> Person:
    """Read a name by BibTeX's rules: first, von, last and jr."""
    from bibtexparser.middlewares.names import parse_single_name_into_parts

    found = parse_single_name_into_parts(name, strict=False)
    family, given, suffix = ([*found.von, *found.last], found.first, found.jr)
    return Person.of(family=_words(family), given=_words(given), suffix=_words(suffix))


def _words(tokens: list[str]) -> str:
    return plain_text(" ".join(tokens))


def _extended(parts: list[str]) -> Person:
    """Read a name in biblatex's extended form: ``family=..., given=..., prefix=..., suffix=...`` in any order."""
    told = {}
    for part in parts:
        key, _, value = part.partition("=")
        told[key.strip().lower()] = plain_text(value.strip().removeprefix('"').removesuffix('"'))
    family = f"{told.get('prefix', '')} {told.get('family', '')}"
    return Person.of(family=family, given=told.get("given", ""), suffix=told.get("suffix", ""))


def _is_suffix(part: str) -> bool:
    return bool(SUFFIX.fullmatch(_plain(part)))


def _is_group(name: str) -> bool:
    """Tell whether a name is one group in braces of several words, which is not taken apart."""
    whole = name.startswith("{") and name.endswith("}") and len(list(_split(name[1:-1], _BRACE))) == 1
    return whole and len(plain_text(name).split()) > 1


def _are_pairs(parts: list[str]) -> bool:
    """Tell whether families and initials alternate: ``Smith, A., Jones, B. C.`` is two people."""
    initials = [bool(_INITIALS.fullmatch(_plain(part))) for part in parts]
    return len(parts) > 3 and len(parts) % 2 == 0 and all(initials[1::2]) and not any(initials[::2])


def _is_list(parts: list[str]) -> bool:
    """Tell whether commas stand between whole names: no form of one name has three parts of two words and more.

    Nor has one two parts that both begin with initials, as in ``A. Smith, B. Jones``.
    """
    words = [_plain(part).split() for part in parts]
    begin = all(len(part) > 1 and re.fullmatch(r"(?:[^\W\d_]\.-?)+", part[0]) for part in words)
    return all(len(part) > 1 for part in words) and (len(parts) > 2 or (len(parts) == 2 and begin))


def _plain(text: str) -> str:
    """Write a part of a name without markup; a tie of TeX's is a space like any other."""
    return " ".join(plain_text(text).replace(",", " ").split())


def _split(text: str, separator: re.Pattern[str]) -> Iterator[str]:
    """Split a text where the separator stands outside of braces."""
    outside = list(text)
    depth = 0
    for match in re.finditer(r"\\.|[{}]|[^\\{}]+", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth > 0 or match[0] == "}":
            outside[match.start() : match.end()] = "x" * len(match[0])
    start = 0
    for match in separator.finditer("".join(outside)):
        yield text[start : match.start()].strip()
        start = match.end()
    yield text[start:].strip()
