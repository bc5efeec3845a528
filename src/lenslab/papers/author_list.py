"""The names in a list of authors that somebody typed as one line."""

from __future__ import annotations

import re

from lenslab.papers.latex import plain_text

_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv)\.?", re.IGNORECASE)
_OTHERS = re.compile(r"et\.? al\.?", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*[,;]\s*(?:and\s+|&\s+)?|(?<=ollaboration)\s*:\s*|\s+and\s+|\s+&\s+", re.IGNORECASE)


def author_names(line: str) -> tuple[str, ...]:
    r"""The names, in order, without affiliations.

    arXiv asks for names between commas or *and*, with affiliations in brackets,
    https://info.arxiv.org/help/prep.html#author; TeX's accents become letters.

    Args:
        line: the list as it was typed.

    >>> author_names(r"C. Bal\'azs (1), Sammy Davis Jr (MIT, Cambridge (USA)) and P. M. Nadolsky, Jr.")
    ('C. Balázs', 'Sammy Davis Jr', 'P. M. Nadolsky, Jr.')
    """
    names: list[str] = []
    for part in _BETWEEN.split(_without_brackets(line)):
        name = plain_text(" ".join(part.split())).strip(" :")
        if _SUFFIX.fullmatch(name) and names:
            names[-1] = f"{names[-1]}, {name}"
        elif not _OTHERS.fullmatch(name) and any(letter.isalnum() for letter in name):
            names.append(name)
    return tuple(names)


def _without_brackets(line: str) -> str:
    """The line without what stands in round brackets, however deeply they are nested; one that never closes stays."""
    kept: list[str] = []
    opened: list[int] = []
    for letter in line:
        if letter == "(":
            opened.append(len(kept))
        kept.append(letter)
        if letter == ")" and opened:
            del kept[opened.pop() :]
            kept.append(" ")
    return "".join(kept)
