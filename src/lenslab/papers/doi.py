"""A DOI: every way to write one, and the one way to compare it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from lenslab.papers.arxiv_id import ArxivId, quoted
from lenslab.papers.errors import ArxivIdError, DoiError

EXAMPLE = "write it like 10.1109/TPAMI.2017.2723009 or https://doi.org/10.48550/arXiv.1806.02891"
ARXIV_PREFIX = "10.48550/arxiv."

PREPRINTS = (
    *(ARXIV_PREFIX, "10.1101/", "10.2139/ssrn.", "10.20944/preprints", "10.21203/rs.", "10.26434/chemrxiv"),
    *(
        "10.31219/osf.io/",
        "10.31234/osf.io/",
        "10.31235/osf.io/",
        "10.22541/au.",
        "10.36227/techrxiv",
        "10.5281/zenodo.",
    ),
)
"""How DOIs begin that preprint servers give; an article has another one beside it."""

_NAME = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]+)*/[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]+")
_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?(?:dx\.)?doi\.org/(?:doi:)?", re.IGNORECASE)
_LABEL = re.compile(r"(?:info:doi/|urn:doi:|doi\s*[:=]?\s*)", re.IGNORECASE)
_PAIRS = {")": "(", "]": "[", "}": "{", ">": "<"}
_CLOSING_SIGNS = ".,;:!?'\"’”"
# Handles may be longer by the rules, and nobody registers one that is.
_LONGEST = 1_024
# Only the letters of ASCII have no case in a DOI.
_LOWER = {ord(letter): ord(letter.lower()) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@dataclass(frozen=True, slots=True)
class Doi:
    """A DOI.

    Attributes:
        name: The DOI in lower case; two spellings of one DOI have one name
            (https://www.doi.org/doi-handbook/HTML/case-sensitivity.html).
        spelling: The DOI as it was written, without what it was wrapped in.

    Example:
        >>> Doi.parse("https://doi.org/10.1109/TPAMI.2017.2723009") == Doi.parse("doi:10.1109/tpami.2017.2723009.")
        True
    """

    name: str
    spelling: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.spelling:
            object.__setattr__(self, "spelling", self.name)
        if not _is_name(self.name):
            raise DoiError(f"{quoted(self.name)} is no DOI; {EXAMPLE}")
        if not self.name == self.name.translate(_LOWER) == self.spelling.translate(_LOWER):
            raise DoiError(f"{quoted(self.name)} is not in lower case; use Doi.parse({quoted(self.spelling)})")

    @classmethod
    def parse(cls, written: str) -> Doi:
        """Read any usual way to write a DOI: bare, after ``doi:``, or as an address.

        In an address signs may be percent-encoded; signs that end a sentence, and a bracket that the DOI did not open,
        are left out.

        Raises:
            DoiError: It is no DOI; the message shows a good one.

        Example:
            >>> str(Doi.parse("http://dx.doi.org/10.1016%2FS0140-6736(18)30001-4"))
            '10.1016/S0140-6736(18)30001-4'
        """
        text = written.strip()
        if len(text) <= 4 * _LONGEST:
            text = text.lstrip("<([{\"'“‘")
            if wrapping := _ADDRESS.match(text):
                # Only an address is percent-encoded; a bare DOI may hold the sign itself.
                text = unquote(text[wrapping.end() :].split("?")[0].split("#")[0])
            elif wrapping := _LABEL.match(text):
                text = text[wrapping.end() :]
            text = without_closing_signs(text)
            if _is_name(text):
                return cls(text.translate(_LOWER), text)
        raise DoiError(f"{quoted(written)} is no DOI; {EXAMPLE}")

    @classmethod
    def of(cls, identifier: ArxivId) -> Doi:
        """Give the DOI that arXiv gives to a paper; a version has none of its own.

        Example:
            >>> str(Doi.of(ArxivId("1806.02891", 2)))
            '10.48550/arXiv.1806.02891'
        """
        spelling = f"10.48550/arXiv.{identifier.base}"
        return cls(spelling.lower(), spelling)

    def __str__(self) -> str:
        return self.spelling

    @property
    def arxiv_id(self) -> ArxivId | None:
        """The paper at arXiv whose DOI this is; ``None`` where it is a publisher's.

        Example:
            >>> Doi.parse("10.48550/ARXIV.1806.02891").arxiv_id
            ArxivId(base='1806.02891', version=None)
        """
        if not self.name.startswith(ARXIV_PREFIX):
            return None
        try:
            return ArxivId.parse(self.name.removeprefix(ARXIV_PREFIX))
        except ArxivIdError:
            return None

    @property
    def url(self) -> str:
        """The address that leads to the work."""
        return "https://doi.org/" + quote(self.spelling, safe="/:;()!$&'*+,=@~")


def arxiv_id_or_doi(name: str) -> ArxivId | Doi | None:
    """Read a name as an arXiv id, else as a DOI; ``None`` where it is neither.

    Example:
        >>> arxiv_id_or_doi("10.48550/arXiv.1806.02891"), arxiv_id_or_doi("frogs")
        (ArxivId(base='1806.02891', version=None), None)
    """
    try:
        return ArxivId.parse(name)
    except ArxivIdError:
        pass
    try:
        return Doi.parse(name)
    except DoiError:
        return None


def first_doi(text: str) -> str:
    """Find the first DOI in a field, as it is spelled; empty where there is none.

    arXiv's field for the DOI is what authors typed: it may hold several, and things that are none.

    Example:
        >>> first_doi("doi: 10.1103/PhysRevC.76.024606, 10.1103/PhysRevC.76.039902")
        '10.1103/PhysRevC.76.024606'
    """
    for word in text.split():
        try:
            return Doi.parse(word).spelling
        except DoiError:
            continue
    return ""


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST and _NAME.fullmatch(text) is not None and without_closing_signs(text) == text


def without_closing_signs(text: str) -> str:
    """Cut off the signs that end a sentence, and a bracket that the text did not open."""
    while text:
        last = text[-1]
        if last not in _CLOSING_SIGNS and not (last in _PAIRS and text.count(last) > text.count(_PAIRS[last])):
            return text
        text = text[:-1]
    return text
