"""Sentences of an abstract, whole and in their order."""

import re

_END = re.compile(r"[.!?][\"'”’)\]]*(?=\s+[\"'“‘(\[]?[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|et al|etc|Fig|Figs|Eq|Eqs|Sec|Ref|Refs|No|Dr|Prof|St|approx|resp|ca)|(?:^|[\s(])[A-Z])\.$"
)


def sentences(text: str) -> list[str]:
    """Split plain text into sentences; abbreviations and initials end none.

    Example:
        >>> sentences("We study units, e.g. those of A. Morcos. Our results hold.")
        ['We study units, e.g. those of A. Morcos.', 'Our results hold.']
    """
    found = []
    start = 0
    for end in _END.finditer(text):
        sentence = text[start : end.end()].strip()
        if not _ABBREVIATION.search(sentence):
            found.append(sentence)
            start = end.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]
