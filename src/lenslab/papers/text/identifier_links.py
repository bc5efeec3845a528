"""Addresses, arXiv identifiers and DOIs in running text, as links."""

import re

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.doi import without_closing_signs
from lenslab.papers.errors import ArxivIdError

_LINKABLE = re.compile(
    r"""
      (?P<address>https?://[^\s<>"'{}|\\^`\u00a0]{1,2000})
    | \barxiv:\s?(?P<arxiv>(?:\d{4}\.\d{4,5}|[a-z-]{2,12}(?:\.[a-z]{2})?/\d{7})(?:v\d{1,3})?)\b
    | (?P<doi>\b10\.\d{4,9}/[^\s<>"{}|\\^`\u00a0]{1,500})
    """,
    re.VERBOSE | re.IGNORECASE,
)


def linked(text: str) -> list[tuple[str, str]]:
    """Split plain text into pieces, each with the address it links to, or with none.

    Joined, the shown texts are the text. An address begins with http:// or https://.

    Example:
        >>> linked("Code at https://example.org/a.")
        [('Code at ', ''), ('https://example.org/a', 'https://example.org/a'), ('.', '')]
        >>> linked("extends arXiv:1806.02891")
        [('extends ', ''), ('arXiv:1806.02891', 'https://arxiv.org/abs/1806.02891')]
    """
    # Every kind holds one of these, and most texts hold none.
    if "://" not in text and "10." not in text and "arxiv:" not in text.lower():
        return [(text, "")] if text else []
    pieces: list[tuple[str, str]] = []
    position = 0
    for match in _LINKABLE.finditer(text):
        shown = without_closing_signs(match[0])
        address = _address(match, shown)
        if not address:
            continue
        pieces.append((text[position : match.start()], ""))
        pieces.append((shown, address))
        position = match.start() + len(shown)
    pieces.append((text[position:], ""))
    return [piece for piece in pieces if piece[0]]


def _address(match: re.Match[str], shown: str) -> str:
    if match["address"]:
        return shown if len(shown) > len("https://") else ""
    if match["doi"]:
        return f"https://doi.org/{shown}"
    try:
        return ArxivId.parse(match["arxiv"]).url
    except ArxivIdError:
        return ""
