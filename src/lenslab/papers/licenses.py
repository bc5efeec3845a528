"""Licences of arXiv papers: the name behind an address, and what a reader may do."""

import re
from dataclasses import dataclass

from lenslab.papers.errors import UnknownVersionError
from lenslab.papers.paper import Paper


@dataclass(frozen=True, slots=True)
class License:
    """A licence.

    Attributes:
        uri: Its address; empty where none is known.
        name: Its name.
        short: Its short name.
        allows: What it lets a reader do, in one sentence.
    """

    uri: str
    name: str
    short: str
    allows: str


ASSUMED = "http://arxiv.org/licenses/assumed-1991-2003/"
# arXiv asks for a licence since January 2004 (https://info.arxiv.org/help/license/).
_ASSUMED_UNTIL = 2003
_NOT_COMMERCIALLY = "You may share and adapt the paper, but not commercially, if you name its authors"
_ATTRIBUTION = "You may share and adapt the paper for any purpose if you name its authors"
_AS_YOU_LIKE = "You may do with the paper what you like."
_ASK = "arXiv may distribute the paper; for anything beyond reading and quoting, ask its authors."
_CC = "http://creativecommons.org"
_BY_NC_SA = "Creative Commons Attribution-NonCommercial-ShareAlike"
_LICENSES = (
    License(f"{_CC}/licenses/by/4.0/", "Creative Commons Attribution 4.0", "CC BY 4.0", f"{_ATTRIBUTION}."),
    License(
        f"{_CC}/licenses/by-sa/4.0/",
        "Creative Commons Attribution-ShareAlike 4.0",
        "CC BY-SA 4.0",
        f"{_ATTRIBUTION} and pass it on under the same licence.",
    ),
    License(
        f"{_CC}/licenses/by-nc-sa/4.0/",
        f"{_BY_NC_SA} 4.0",
        "CC BY-NC-SA 4.0",
        f"{_NOT_COMMERCIALLY} and pass it on under the same licence.",
    ),
    License(
        f"{_CC}/licenses/by-nc-nd/4.0/",
        "Creative Commons Attribution-NonCommercial-NoDerivatives 4.0",
        "CC BY-NC-ND 4.0",
        "You may share the paper unchanged, but not commercially, if you name its authors.",
    ),
    License(f"{_CC}/publicdomain/zero/1.0/", "Creative Commons Zero 1.0, public domain", "CC0 1.0", _AS_YOU_LIKE),
    License(f"{_CC}/licenses/by/3.0/", "Creative Commons Attribution 3.0", "CC BY 3.0", f"{_ATTRIBUTION}."),
    License(
        f"{_CC}/licenses/by-nc-sa/3.0/",
        f"{_BY_NC_SA} 3.0",
        "CC BY-NC-SA 3.0",
        f"{_NOT_COMMERCIALLY} and pass it on under the same licence.",
    ),
    License(f"{_CC}/licenses/publicdomain/", "Public domain", "public domain", _AS_YOU_LIKE),
    License(
        "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
        "arXiv.org perpetual, non-exclusive licence 1.0",
        "arXiv licence",
        _ASK,
    ),
    License(
        ASSUMED,
        "Assumed arXiv.org perpetual, non-exclusive licence, for papers of 1991 to 2003",
        "assumed arXiv licence",
        _ASK,
    ),
)


def _plain(uri: str) -> str:
    """Take off what differs between sources: scheme, www, the last slash, and what comes after it."""
    plain = re.sub(r"^https?://(www\.)?", "", uri.strip().lower()).split("#")[0]
    return re.sub(r"/(?:legalcode|deed)(?:\.[a-z_-]+)?$", "", plain).rstrip("/")


_BY_URI = {_plain(known.uri): known for known in _LICENSES}


def license_of(uri: str | None) -> License:
    """Find the licence behind an address as a source gives it, with http or https, with or without a last slash.

    Example:
        >>> license_of("https://creativecommons.org/licenses/by/4.0").short
        'CC BY 4.0'
        >>> license_of(None).name
        'Not stated'
    """
    if not uri or not uri.strip():
        return License("", "Not stated", "not stated", "The source names no licence; ask the authors.")
    known = _BY_URI.get(_plain(uri))
    return known or License(uri, uri, uri, "This version does not know the licence; read it at its address.")


def license_of_version(paper: Paper, number: int | None = None) -> License:
    """Find the licence of one version of a paper; each version has its own.

    Where no source states one, arXiv assumes its own for what was submitted up to 2003; of later versions nothing is
    assumed, and a licence of one version is none of another.

    Args:
        paper: The paper.
        number: Counted from 1; ``None`` means the newest.

    Raises:
        UnknownVersionError: The paper has no such version.

    Example:
        >>> from lenslab.papers.arxiv_id import ArxivId
        >>> from lenslab.papers.paper import Paper
        >>> license_of_version(Paper(title="Units", arxiv_id=ArxivId("hep-th/9901001"))).short
        'assumed arXiv licence'
        >>> license_of_version(Paper(title="Units", arxiv_id=ArxivId("1806.02891"))).short
        'not stated'
    """
    newest = paper.versions[-1].number if paper.versions else None
    number = number or newest
    version = next((version for version in paper.versions if version.number == number), None)
    if paper.versions and version is None:
        known = ", ".join(str(version.number) for version in paper.versions)
        raise UnknownVersionError(f"{paper.arxiv_id or paper.title!r} has no version {number}; its versions: {known}")
    stated = version.license_uri if version else ""
    if not stated and number == newest:
        stated = paper.license_uri
    if stated or paper.arxiv_id is None:
        return license_of(stated)
    day = (version.created if version else None) or (paper.updated if version and number == newest else None)
    if day is None and number in (None, 1):
        year = paper.submitted.year if paper.submitted else paper.arxiv_id.year
    else:  # where the day is unknown, nothing is assumed
        year = day.year if day else _ASSUMED_UNTIL + 1
    return license_of(ASSUMED if year <= _ASSUMED_UNTIL else "")
