r"""LaTeX in titles and abstracts: a string becomes segments that a page can show safely.

arXiv stores what the author typed. As on arXiv, only ``$...$`` is a formula; accents become letters, ``\emph`` and the
like become emphasis, ``\cite`` becomes a citation, addresses become links. Nothing is an error: what is unknown
degrades to the words it holds, and an unbalanced sign stays as it was typed.
"""

from __future__ import annotations

import re
from dataclasses import replace

from lenslab.papers.letters import SYMBOLS
from lenslab.papers.links import linked
from lenslab.papers.segment import Segment
from lenslab.papers.tex import COMMAND, read

__all__ = ["Segment", "plain_text", "prose", "segments"]

# Signs that show nothing and can turn a terminal or a line of text around: control characters and direction overrides.
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def segments(source: str) -> tuple[Segment, ...]:
    r"""Splits a title or abstract into segments.

    Args:
        source: text as arXiv stores it, with LaTeX and hard line breaks.

    Returns:
        The segments in order. Runs of white space are one space; neighbours of one kind are joined.

    >>> [(segment.kind, segment.text) for segment in segments(r"On $L_1$ by \emph{units} \cite{morcos2018importance}")]
    [('text', 'On '), ('formula', 'L_1'), ('text', ' by '), ('emphasis', 'units'), ('text', ' '),
     ('citation', 'morcos2018importance')]
    """
    found: list[Segment] = []
    for segment in _tidied(read(_HIDDEN.sub(" ", source))):
        found.extend(
            Segment("link", text, target) if target else replace(segment, text=text)
            for text, target in (linked(segment.text) if segment.kind in ("text", "emphasis", "strong") else [])
        )
        if segment.kind not in ("text", "emphasis", "strong"):
            found.append(segment)
    return tuple(found)


def plain_text(source: str, *, formulas: bool = True) -> str:
    r"""The words of a title or abstract, without markup and without citations.

    Args:
        source: text as arXiv stores it.
        formulas: whether formulas stay, written in plain characters; without them only words are left.

    >>> plain_text(r"Poincar\'e on $\alpha$-units, as found \cite{morcos2018importance}.")
    'Poincaré on α-units, as found.'
    """
    parts = []
    for segment in segments(source):
        if segment.kind == "formula":
            parts.append(_formula_as_text(segment.text) if formulas else " ")
        elif segment.kind != "citation":
            parts.append(segment.text)
    text = re.sub(r"\s+", " ", "".join(parts)).strip()
    # A citation leaves a space before the sign that followed it, or an empty bracket.
    text = re.sub(r" ?(\(\s*[,;\s]*\)|\[\s*[,;\s]*\])", "", text) if r"\cite" in source else text
    return re.sub(r" ([.,;:!?)\]])", r"\1", text) if r"\cite" in source else text


def prose(source: str) -> str:
    r"""The running words of a title or abstract; formulas, citations and addresses become a break in the sentence.

    >>> prose(r"weight $L_1$ norm, code at https://example.org, as found \cite{morcos2018importance}")
    'weight ; norm, code at ; , as found ;'
    """
    parts = [
        " ; " if segment.kind in ("formula", "citation") or segment.text.startswith("http") else segment.text
        for segment in segments(source)
    ]
    return re.sub(r"\s+", " ", "".join(parts)).strip()


def _formula_as_text(formula: str) -> str:
    text = COMMAND.sub(lambda match: SYMBOLS.get(match[1], " "), formula)
    return re.sub(r"[{}\\$]", "", text)


def _tidied(found: list[Segment]) -> list[Segment]:
    """Joins neighbours of one kind, makes runs of white space one space, and trims both ends."""
    joined: list[Segment] = []
    for segment in found:
        if joined and joined[-1].kind == segment.kind and segment.kind in ("text", "emphasis", "strong"):
            joined[-1] = replace(joined[-1], text=joined[-1].text + segment.text)
        else:
            joined.append(segment)
    spaced = [replace(segment, text=re.sub(r"[ \t\r\n\f\v]+", " ", segment.text)) for segment in joined]
    if spaced:
        spaced[0] = replace(spaced[0], text=spaced[0].text.lstrip(" "))
        spaced[-1] = replace(spaced[-1], text=spaced[-1].text.rstrip(" "))
    return [segment for segment in spaced if segment.text]
