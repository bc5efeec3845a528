r"""LaTeX in titles and abstracts: a string becomes segments that a page can show safely.

arXiv stores what the author typed. As on arXiv, only ``$...$`` is a formula; accents become letters, ``\emph`` and the
like become emphasis, ``\cite`` becomes a citation, addresses become links. Nothing is an error: what is unknown
degrades to the words it holds, and an unbalanced sign stays as it was typed.
"""

import re
from dataclasses import replace

from lenslab.papers.text.identifier_links import linked
from lenslab.papers.text.segment import Segment
from lenslab.papers.text.tex_parser import COMMAND, read
from lenslab.papers.text.tex_symbols import SYMBOLS

__all__ = ["Segment", "plain_text", "prose", "segments"]

# Signs that show nothing and can turn a terminal or a line of text around: control characters and direction overrides.
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
# Whatever TeX does not print as it is typed. Most abstracts hold none of it and need no walk.
_MARKUP = ("\\", "$", "{", "}", "~", "--", "``", "''")
_WHITE = re.compile(r"\s+")
_EMPTY_BRACKET = re.compile(r" ?(?:\([,;\s]*\)|\[[,;\s]*\])")
_GAP = re.compile(r" ([.,;:!?)\]])")
_RUNNING = ("text", "emphasis", "strong")


def segments(source: str) -> tuple[Segment, ...]:
    r"""Split a title or abstract into segments.

    Runs of white space become one space, and neighbours of one kind are joined.

    Args:
        source: Text as arXiv stores it, with LaTeX and hard line breaks.

    Example:
        >>> found = segments(r"On $L_1$ by \emph{units} \cite{morcos2018importance}")
        >>> [(segment.kind, segment.text) for segment in found]
        [('text', 'On '), ('formula', 'L_1'), ('text', ' by '), ('emphasis', 'units'), ('text', ' '),
         ('citation', 'morcos2018importance')]
    """
    text = _visible(source)
    if not _has_markup(text):
        text = text.strip(" ")
        walked = [Segment("text", text)] if text else []
    else:
        walked = _tidied(read(text))
    found: list[Segment] = []
    for segment in walked:
        if segment.kind not in _RUNNING or (len(pieces := linked(segment.text)) < 2 and not pieces[0][1]):
            found.append(segment)
        else:
            found.extend(
                Segment("link", text, target) if target else replace(segment, text=text) for text, target in pieces
            )
    return tuple(found)


def plain_text(source: str, *, formulas: bool = True) -> str:
    r"""Give the words of a title or abstract, without markup and without citations.

    Args:
        source: Text as arXiv stores it.
        formulas: Whether formulas stay, written in plain characters; without them only words are left.

    Example:
        >>> plain_text(r"Poincar\'e on $\alpha$-units, as found \cite{morcos2018importance}.")
        'Poincaré on α-units, as found.'
    """
    text = _visible(source)
    if not _has_markup(text):
        # Links show the words that they are found in.
        return text.strip(" ") if text.isascii() else _WHITE.sub(" ", text).strip()
    parts = []
    cited = False
    for segment in segments(text):
        cited = cited or segment.kind == "citation"
        if segment.kind == "formula":
            parts.append(_formula_as_text(segment.text) if formulas else " ")
        elif segment.kind != "citation":
            parts.append(segment.text)
    text = _WHITE.sub(" ", "".join(parts)).strip()
    if not cited:
        return text
    # A citation leaves a space before the sign that followed it, or an empty bracket.
    return _GAP.sub(r"\1", _EMPTY_BRACKET.sub("", text))


def prose(source: str) -> str:
    r"""Give the running words of a title or abstract; formulas, citations and addresses become breaks in the sentence.

    Example:
        >>> prose(r"weight $L_1$ norm, code at https://example.org, as found \cite{morcos2018importance}")
        'weight ; norm, code at ; , as found ;'
    """
    parts = [
        " ; " if segment.kind in ("formula", "citation") or segment.text.startswith("http") else segment.text
        for segment in segments(source)
    ]
    return _WHITE.sub(" ", "".join(parts)).strip()


def _formula_as_text(formula: str) -> str:
    return re.sub(r"[{}\\$]", "", COMMAND.sub(_symbol, formula))


def _symbol(match: re.Match[str]) -> str:
    symbol = SYMBOLS.get(match[1], " ")
    # "n\log n" is read as two words.
    apart = len(symbol) > 1 and match.string[match.start() - 1 : match.start()].isalnum()
    return f" {symbol}" if apart else symbol


def _has_markup(text: str) -> bool:
    return any(sign in text for sign in _MARKUP)


def _visible(source: str) -> str:
    """Take out hidden signs, and make every run of white space one space."""
    if source.isascii():
        text = " ".join(source.split())
        # A backslash before the last space is TeX for a space.
        text = text + " " if text.endswith("\\") and not source.endswith("\\") else text
        if text.isprintable():
            return text
        source = text
    return _SPACE.sub(" ", _HIDDEN.sub(" ", source))


def _tidied(found: list[Segment]) -> list[Segment]:
    """Join neighbours of one kind, make runs of white space one space, and trim both ends."""
    joined: list[tuple[Segment, list[str]]] = []
    for segment in found:
        if joined and segment.kind in _RUNNING and joined[-1][0].kind == segment.kind:
            joined[-1][1].append(segment.text)
        else:
            joined.append((segment, [segment.text]))
    texts = [_SPACE.sub(" ", "".join(parts)) for _, parts in joined]
    if texts:
        texts[0] = texts[0].lstrip(" ")
        texts[-1] = texts[-1].rstrip(" ")
    return [
        first if text is first.text else Segment(first.kind, text, first.target)
        for (first, _), text in zip(joined, texts, strict=True)
        if text
    ]
