"""An arXiv identifier: every way to write one, and the one way to store it.

The schemes are those of https://info.arxiv.org/help/arxiv_identifier.html. What arXiv's own parser lets pass
but no paper can have (month 34, four digits after 2014) is refused here, so that a typing error is reported at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lenslab.papers.errors import ArxivIdError

EXAMPLE = "write it like 1806.02891, 1806.02891v1 or hep-th/9901001"

_NEW = re.compile(r"(?P<year>\d\d)(?P<month>\d\d)\.(?P<number>\d{4,5})(?:v(?P<version>\d{1,4}))?", re.ASCII)
_OLD = re.compile(
    r"(?P<archive>[a-z]+(?:-[a-z]+)?)(?:\.[a-z][a-z-]+)?"
    r"/(?P<year>\d\d)(?P<month>\d\d)(?P<number>\d{3})(?:v(?P<version>\d{1,4}))?",
    re.ASCII | re.IGNORECASE,
)
# Nearly all: recognised in one match, since millions are read at a time.
_COMMON = re.compile(
    r"""
      (?: 07(?:0[4-9]|1[0-2]) | (?:0[89]|1[0-4])(?:0[1-9]|1[0-2]) ) \. (?!0000)\d{4}
    | (?:1[5-9]|[2-9]\d)(?:0[1-9]|1[0-2]) \. (?!00000)\d{5}
    """,
    re.VERBOSE | re.ASCII,
)
_WRAPPING = re.compile(
    r"""
    (?: (?:https?://)? (?:[a-z0-9-]+\.){0,2} arxiv\.org / (?:abs|pdf|html|format|ps|src|e-print) /  # a paper's page
      | (?:https?://)? (?:dx\.|www\.)? doi\.org / 10\.48550/arxiv\.                                # DataCite's address
      | (?:doi:\s*)? 10\.48550/arxiv\.                                                             # and its bare name
      | oai:arxiv\.org:                                                                            # OAI-PMH
      | (?:url:)? (?=https?://)                                                                    # Semantic Scholar
      | arxiv: \s*
      | /? (?:abs|pdf|html) /
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
# DBLP's keys: journals/corr/abs-1806-02891, journals/corr/cs-AI-0111007 and journals/corr/abs-cs-0111007.
_DBLP = re.compile(
    r"(?:https?://dblp\.org/rec/)?(?:dblp:)?journals/corr/(?:abs-)?"
    r"(?:(?P<month>\d{4})-(?P<number>\d{4,5})|(?P<archive>[a-z]+(?:-[a-z]+)??)(?-i:-[A-Z]{2})?-(?P<rest>\d{7}))"
    r"(?:\.html|\.bib)?",
    re.ASCII | re.IGNORECASE,
)
# What stands behind an identifier: how a file is packed, and in references the category in brackets.
_ENDING = re.compile(r"(?:\.(?:pdf|ps|gz))+$|\s*\[[a-z-]+(?:\.[a-z-]+)?\]$", re.IGNORECASE)
# The archives of the old scheme, 1991 to March 2007.
_ARCHIVE_NAMES = (
    "acc-phys adap-org alg-geom ao-sci astro-ph atom-ph bayes-an chao-dyn chem-ph cmp-lg comp-gas cond-mat cs dg-ga "
    "funct-an gr-qc hep-ex hep-lat hep-ph hep-th math math-ph mtrl-th nlin nucl-ex nucl-th patt-sol physics plasm-ph "
    "q-alg q-bio quant-ph solv-int supr-con"
)
_ARCHIVES = frozenset(_ARCHIVE_NAMES.split())
_LONGEST = 500
_WITHOUT_HYPHEN = {archive.replace("-", ""): archive for archive in _ARCHIVES}


@dataclass(frozen=True, slots=True)
class ArxivId:
    """A paper on arXiv, or one version of it.

    Attributes:
        base: The identifier without a version, in its canonical form (subject classes of the old scheme dropped).
        version: The version that was named, counted from 1; ``None`` means the newest.

    Example:
        >>> ArxivId.parse("https://arxiv.org/pdf/1806.02891v1.pdf")
        ArxivId(base='1806.02891', version=1)
        >>> str(ArxivId.parse("math.CA/0611800v2"))
        'math/0611800v2'
    """

    base: str
    version: int | None = None

    def __post_init__(self) -> None:
        if self.version is None and _COMMON.fullmatch(self.base):
            return
        name = str(self)
        match = _NEW.fullmatch(name) or _OLD.fullmatch(name)
        if match is None:
            raise ArxivIdError(f"{name!r} is no arXiv identifier; {EXAMPLE}")
        _check(name, match)
        if self.base != _canonical(match):
            raise ArxivIdError(f"{self.base!r} is not in canonical form; use ArxivId.parse({name!r})")

    @classmethod
    def parse(cls, name: str) -> ArxivId:
        """Read any usual way to name an arXiv paper.

        That is an identifier of the new or old scheme, with or without version, bare or as ``arXiv:``, as the address
        of its abstract or PDF, as an OAI name, as arXiv's DOI at DataCite, or as DBLP's key.

        Raises:
            ArxivIdError: No paper can have this name; the message says why and shows a good one.

        Example:
            >>> ArxivId.parse("10.48550/ARXIV.1806.02891").base
            '1806.02891'
        """
        text = _unwrapped(name.strip()) if len(name) <= _LONGEST else ""
        match = _NEW.fullmatch(text) or _OLD.fullmatch(text)
        if match is None:
            raise ArxivIdError(f"{quoted(name)} is no arXiv identifier; {EXAMPLE}")
        _check(name, match)
        version = match["version"]
        return cls(_canonical(match), None if version is None else int(version))

    @classmethod
    def without_version(cls, name: str) -> ArxivId | None:
        """Read what may name a paper, without the version; ``None`` where it does not."""
        try:
            return cls(cls.parse(name).base) if name else None
        except ArxivIdError:
            return None

    def __str__(self) -> str:
        return self.base if self.version is None else f"{self.base}v{self.version}"

    @property
    def url(self) -> str:
        """The address of the abstract at arXiv.

        Example:
            >>> ArxivId("1806.02891").url
            'https://arxiv.org/abs/1806.02891'
        """
        return f"https://arxiv.org/abs/{self}"

    @property
    def year(self) -> int:
        """The year in which the first version was submitted, as the identifier says.

        Example:
            >>> ArxivId("hep-th/9901001").year, ArxivId("1806.02891").year
            (1999, 2018)
        """
        archive, _, number = self.base.rpartition("/")
        return _year(int(number[:2]), int(number[2:4]), old=bool(archive))


def _unwrapped(text: str) -> str:
    """Take address, scheme and ending off a name."""
    if dblp := _DBLP.fullmatch(text):
        return f"{dblp['month']}.{dblp['number']}" if dblp["month"] else f"{dblp['archive']}/{dblp['rest']}"
    # An address may hold a name that is wrapped itself, as https://arxiv.org/abs/arXiv:1806.02891 does.
    for _ in range(3):
        if wrapping := _WRAPPING.match(text):
            text = text[wrapping.end() :]
    text = text.split("#")[0].split("?")[0].rstrip("/").replace("%2F", "/").replace("%2f", "/")
    return _ENDING.sub("", text)


def _canonical(match: re.Match[str]) -> str:
    parts = match.groupdict()
    if "archive" not in parts:
        return f"{parts['year']}{parts['month']}.{parts['number']}"
    archive = parts["archive"].lower()
    archive = _WITHOUT_HYPHEN.get(archive, archive)
    return f"{archive}/{parts['year']}{parts['month']}{parts['number']}"


def _year(year: int, month: int, *, old: bool) -> int:
    """Give the full year: the old scheme ran from August 1991 to March 2007, the new one began in April 2007."""
    if old:
        return 1900 + year if year >= 91 else 2000 + year
    return 2000 + year if (year, month) >= (7, 4) else 2100 + year


def _check(name: str, match: re.Match[str]) -> None:
    shown = quoted(name)
    month = int(match["month"])
    if not 1 <= month <= 12:
        raise ArxivIdError(f"{shown} names month {match['month']}, and there are twelve; {EXAMPLE}")
    if match["version"] is not None and (int(match["version"]) < 1 or match["version"].startswith("0")):
        raise ArxivIdError(f"{shown} names version {match['version']}; versions are counted from 1, as in 1806.02891v1")
    if int(match["number"]) < 1:
        raise ArxivIdError(f"{shown} has number zero; papers of a month are counted from 1, as in 0704.0001")
    archive, _, _ = _canonical(match).rpartition("/")
    dated = (_year(int(match["year"]), month, old=bool(archive)), month)
    if archive:
        if archive not in _ARCHIVES:
            raise ArxivIdError(f"{shown} names the archive {archive!r}, which arXiv never had; {EXAMPLE}")
        if not (1991, 7) <= dated <= (2007, 3):
            raise ArxivIdError(
                f"{shown} is dated outside of July 1991 to March 2007, when arXiv wrote identifiers with a slash; "
                f"{EXAMPLE}"
            )
        return
    digits, since, like = 5, "from January 2015 on", "1501.00001"
    if (2007, 4) <= dated <= (2014, 12):
        digits, since, like = 4, "up to December 2014", "1412.7878"
    if (found := len(match["number"])) != digits:
        raise ArxivIdError(f"{shown} has {found} digits after the dot; {since} arXiv writes {digits}, as in {like}")


def quoted(name: str) -> str:
    """Quote a name for a message, shortened where a whole page was pasted."""
    return repr(name if len(name) <= 80 else name[:77] + "...")
