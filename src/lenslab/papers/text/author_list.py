r"""A list of authors as one string, the way people type it: it becomes names, without affiliations.

The form is that of https://info.arxiv.org/help/prep.html#author: names are separated by commas or *and*, affiliations
stand in parentheses, and a collaboration may come before a colon.
"""

import re

from lenslab.papers.text.latex_display import plain_text

_SEPARATOR = re.compile(r"[,;]?\s+(?:and|&)\s+|[,;](?:\s*and\s)?|\s*:\s+|^and\s+")
_SUFFIX = re.compile(r"(?:jr|sr|jnr|snr)\.?|i{2,3}|iv", re.IGNORECASE)
# "F.R. Ferraro" is written with and without a space, and is one name.
_INITIAL = re.compile(r"(?:(?<=\b[A-Z]\.)|(?<=\b[A-Z][a-z]\.))(?=[^\W\d_])")
# Notes to affiliations, as in "A. Author [1]", and what is said of a group beside its name.
_NO_NAME = re.compile(r"\[[\d,\s*]*\]|\bet\.? al\.?$|^(?:for|on behalf of|with) (?:the )?|^the (?=.*collab)")
_MARKS = "0123456789*^_†‡§¶ "
# Beyond this no list of authors goes; reading TeX takes long where somebody means harm.
_LONGEST = 200_000


def author_names(listed: str) -> tuple[str, ...]:
    r"""Split what stands in arXiv's field ``authors`` into names; accents may be LaTeX.

    Example:
        >>> author_names("C. Bal\\'azs (MSU), E. L. Berger, Jr. and P. Nadolsky ((1) ANL, (2) SMU)")
        ('C. Balázs', 'E. L. Berger Jr.', 'P. Nadolsky')
    """
    names: list[str] = []
    text = _without_parentheses(listed)
    text = plain_text(text, formulas=False) if len(text) <= _LONGEST else text
    for part in _SEPARATOR.split(text):
        name = tidy_name(_NO_NAME.sub("", tidy_name(_INITIAL.sub(" ", part)).rstrip(_MARKS)).strip(" -"))
        if names and _SUFFIX.fullmatch(name):
            names[-1] = f"{names[-1]} {name}"
        elif any(character.isalpha() for character in name):
            names.append(name)
    return tuple(names)


def tidy_name(name: str) -> str:
    """Write one name with single spaces, and without the one that arXiv puts before the hyphen of initials.

    Example:
        >>> tidy_name(" C. -P.  Yuan ")
        'C.-P. Yuan'
    """
    return " ".join(name.split()).replace(". -", ".-")


def _without_parentheses(text: str) -> str:
    r"""Take out what stands in parentheses, nested ones too; one that is never closed goes to the end.

    TeX's escaped signs and groups such as ``{\(}`` are no parentheses.
    """
    kept: list[str] = []
    depth = begin = opened = 0
    for match in re.finditer(r"\\.|[()]", text, re.DOTALL):
        if match[0] == "(":
            if depth == 0:
                kept.append(text[begin : match.start()])
                opened = match.end()
            depth += 1
        elif match[0] == ")" and depth:
            depth -= 1
            begin = match.end()
            # "A (Univ. X) B (2) and C": an affiliation ends a name, and a nickname, of one word, does not.
            if depth == 0 and re.search(r"[\d\s,]", text[opened : match.start()]):
                kept.append(", ")
    if depth == 0:
        kept.append(text[begin:])
    return " ".join(kept)
