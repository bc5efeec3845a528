"""arXiv's OAI-PMH: whole records with licence and versions, one by one or all that have changed since a day.

The protocol is that of https://www.openarchives.org/OAI/openarchivesprotocol.html, the format arXiv's ``arXivRaw``,
https://info.arxiv.org/help/oa/index.html.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element

from lenslab.http.client import HttpClient
from lenslab.http.errors import NotFoundError, RefusedError
from lenslab.http.service import Service
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.errors import ArxivIdError, MalformedError
from lenslab.papers.paper import Paper, Version
from lenslab.papers.sources.arxiv_api import HOSTS, RATE
from lenslab.papers.text.author_list import author_names
from lenslab.papers.text.safe_xml import element, raw, text

NAME = "arXiv OAI-PMH"
SERVICE = Service(
    name=NAME,
    url="https://oaipmh.arxiv.org/oai",
    variable="LENSLAB_ARXIV_OAI_URL",
    rate=RATE,
    hosts=HOSTS,
    pause=10.0,
    throttling=frozenset({406}),
    seconds=300.0,
    largest=128 << 20,
)
_FORMAT = "arXivRaw"
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_SET = re.compile(r"[a-z-]+(?::[a-z-]+(?::[A-Za-z-]+)?)?", re.ASCII)
_PREFIX = "oai:arXiv.org:"
# How often a harvest begins again on one day because arXiv forgot its token.
_MOST_RESTARTS = 3
_MEANINGS = {
    "badArgument": "an argument is wrong, or a day lies before its first or after tomorrow",
    "badResumptionToken": "it no longer knows how far a harvest had come",
    "badVerb": "it does not know the question",
    "cannotDisseminateFormat": "it does not write records in this format",
    "idDoesNotExist": "it knows no such paper",
    "noMetadataFormats": "it writes the record in no format",
    "noRecordsMatch": "nothing has changed in this time",
    "noSetHierarchy": "it has no sets",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a harvest.

    Whoever keeps ``token`` and ``datestamp`` with what the page brought can go on from there, with the token for as
    long as arXiv knows it, and else from the datestamp.

    Attributes:
        descriptions: The papers, as their newest versions describe them.
        deleted: Ids of papers that are no longer there.
        rejected: Records that could not be read: their ids and why.
        token: What to go on with; ``None`` at the end.
        datestamp: The last day on which one of these records changed, as ``YYYY-MM-DD``; empty where there is none.
    """

    descriptions: tuple[Description, ...] = ()
    deleted: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    token: str | None = None
    datestamp: str = ""


def record(client: HttpClient, arxiv_id: ArxivId | str) -> Description:
    """Get one paper's record; a version in the identifier does not matter.

    Raises:
        NotFoundError: ArXiv knows no such paper, or no longer.
        UnavailableError: ArXiv does not answer, or refuses.
    """
    name = (ArxivId.parse(arxiv_id) if isinstance(arxiv_id, str) else arxiv_id).base
    parameters = {"verb": "GetRecord", "metadataPrefix": _FORMAT, "identifier": f"{_PREFIX}{name}"}
    try:
        return client.get(SERVICE, "", parameters, _read_record, subject=name)
    except RefusedError as error:
        if error.code != "idDoesNotExist":
            raise
        raise NotFoundError(f"arXiv knows no paper {name}; look at https://arxiv.org/abs/{name}") from None


def harvest(
    client: HttpClient,
    *,
    since: dt.date | str | None = None,
    until: dt.date | str | None = None,
    set_: str | None = None,
    token: str | None = None,
) -> Iterator[Page]:
    """Get all records that have changed, in the order in which they did, two thousand at a time.

    Records come again where arXiv's pages overlap, and where a harvest went on from a day because its token had
    expired. A paper that changes while it is harvested comes again at the end.

    Args:
        client: Asks arXiv.
        since: The first day; ``None`` means from the beginning. To go on, the last page's ``datestamp``.
        until: The last day; ``None`` means today.
        set_: A part of arXiv, for instance ``cs`` or ``cs:cs:CV``; ``None`` means all of it.
        token: The last page's token, to go on exactly where it ended.

    Raises:
        RefusedError: ArXiv refuses; ``code`` is OAI-PMH's name of the error.
        UnavailableError: ArXiv does not answer.
    """
    if set_ is not None and not _SET.fullmatch(set_):
        raise RefusedError(f"{set_[:60]!r} is no part of arXiv; name one like cs, physics:hep-th or cs:cs:CV")
    reached, last = _day(since, "since"), _day(until, "until")
    restarts: dict[str, int] = {}
    while True:
        parameters = {"verb": "ListRecords"}
        if token is not None:
            parameters["resumptionToken"] = token
        else:
            bounds = {"metadataPrefix": _FORMAT, "from": reached, "until": last, "set": set_ or ""}
            parameters |= {name: value for name, value in bounds.items() if value}
        try:
            subject = f"what has changed{f' since {reached}' if reached else ''}"
            page = client.get(SERVICE, "", parameters, _read_page, subject=subject, cached=False)
        except RefusedError as error:
            if error.code == "noRecordsMatch":
                yield Page(datestamp=reached)
                return
            if error.code != "badResumptionToken" or token is None:
                raise
            restarts[reached] = restarts.get(reached, 0) + 1
            if restarts[reached] > _MOST_RESTARTS:
                raise
            token = None
            continue
        # Pages come in the order of their days; an older one that slips in does not lead the harvest back.
        reached = max(reached, page.datestamp)
        yield page
        token = page.token
        if token is None:
            return


def parse(raw: bytes) -> Description:
    """Read one ``<record>`` with its header.

    Raises:
        MalformedError: It is not a record, it was deleted, or it describes no paper.
    """
    root = element(raw)
    held = root.find(f"{_OAI}metadata/{_RAW}arXivRaw")
    if root.tag != f"{_OAI}record" or held is None:
        raise MalformedError("it is no record in the format arXivRaw")
    try:
        name = ArxivId.parse(text(held, f"{_RAW}id"))
    except ArxivIdError as error:
        raise MalformedError(f"its record has no arXiv id: {error}") from None
    license_uri = text(held, f"{_RAW}license")
    versions = _versions(held, license_uri)
    msc, acm = text(held, f"{_RAW}msc-class"), text(held, f"{_RAW}acm-class")
    submitted = versions[0].created if versions else None
    return Description(
        source=NAME,
        locator=name.base,
        raw=raw,
        paper=Paper(
            title=text(held, f"{_RAW}title"),
            authors=author_names(held.findtext(f"{_RAW}authors") or ""),
            year=submitted.year if submitted else name.year,
            arxiv_id=ArxivId(name.base),
            abstract=text(held, f"{_RAW}abstract"),
            categories=tuple(dict.fromkeys(text(held, f"{_RAW}categories").split())),
            license_uri=license_uri,
            doi=text(held, f"{_RAW}doi").partition(" ")[0],
            journal_reference=text(held, f"{_RAW}journal-ref"),
            author_comments=text(held, f"{_RAW}comments"),
            report_number=text(held, f"{_RAW}report-no"),
            msc_class=msc,
            # arXiv's server writes the MSC's classes into this field, too; then the ACM's are unknown.
            acm_class="" if acm == msc else acm,
            submitted=submitted,
            updated=versions[-1].created if versions else None,
            versions=versions,
        ),
    )


def _versions(held: Element, license_uri: str) -> tuple[Version, ...]:
    """List the versions, oldest first; the record's licence is the newest's, and earlier ones may have had another."""
    found = {}
    for version in held.iterfind(f"{_RAW}version"):
        digits = version.get("version", "").removeprefix("v")
        if not re.fullmatch(r"[1-9]\d{0,3}", digits, re.ASCII):
            raise MalformedError(f"its version is called {version.get('version', '')[:20]!r}")
        stamp, size, kind = (text(version, f"{_RAW}{tag}") for tag in ("date", "size", "source_type"))
        try:
            created = parsedate_to_datetime(stamp).date() if stamp else None
        except (ValueError, TypeError, IndexError, OverflowError):
            raise MalformedError(f"its version is dated {stamp[:40]!r}, which is no date") from None
        found[int(digits)] = Version(int(digits), created, "", size, kind)
    if found:
        found[max(found)] = replace(found[max(found)], license_uri=license_uri)
    return tuple(found[number] for number in sorted(found))


def _day(day: dt.date | str | None, name: str) -> str:
    """Write a day as arXiv does; empty for none."""
    if day is None:
        return ""
    try:
        return (day if isinstance(day, dt.date) else dt.date.fromisoformat(day)).strftime("%Y-%m-%d")
    except ValueError:
        raise RefusedError(f"{name} is {day!r}; give a day like 2025-03-01") from None


def _answer(content: bytes, verb: str) -> Element:
    root = element(content)
    if root.tag != f"{_OAI}OAI-PMH":
        raise MalformedError(f"it is no answer of OAI-PMH but <{root.tag[:60]}>")
    error = root.find(f"{_OAI}error")
    if error is not None:
        code = error.get("code", "")[:40]
        details = " ".join("".join(error.itertext()).split())[:200]
        meaning = _MEANINGS.get(code, "no error that the protocol knows")
        raise RefusedError(
            f"arXiv OAI-PMH refuses what it was asked, {code}: {meaning}{f' ({details})' if details else ''}", code=code
        )
    answer = root.find(f"{_OAI}{verb}")
    if answer is None:
        raise MalformedError(f"it holds no {verb}")
    return answer


def _read_record(content: bytes) -> Description:
    held = _answer(content, "GetRecord").find(f"{_OAI}record")
    if held is None:
        raise MalformedError("it holds no record")
    if _is_deleted(held):
        name = _identifier(held)
        raise NotFoundError(f"arXiv has deleted the paper {name}; look at https://arxiv.org/abs/{name}")
    return parse(raw(held))


def _read_page(content: bytes) -> Page:
    answer = _answer(content, "ListRecords")
    descriptions, deleted, rejected = [], [], []
    datestamp = ""
    for held in answer.iterfind(f"{_OAI}record"):
        stamp = text(held, f"{_OAI}header/{_OAI}datestamp")[:10]
        if re.fullmatch(r"\d{4}-\d\d-\d\d", stamp, re.ASCII):
            datestamp = max(datestamp, stamp)
        if _is_deleted(held):
            deleted.append(_identifier(held))
            continue
        try:
            descriptions.append(parse(raw(held)))
        except MalformedError as error:
            # One record that nobody can read must not end the harvest of three million.
            rejected.append(f"{_identifier(held) or 'a record without a name'}: {error}")
    token = text(answer, f"{_OAI}resumptionToken") or None
    if not descriptions and not deleted and not rejected:
        raise MalformedError("it is a page without records")
    return Page(tuple(descriptions), tuple(deleted), tuple(rejected), token, datestamp)


def _is_deleted(held: Element) -> bool:
    header = held.find(f"{_OAI}header")
    return header is not None and header.get("status") == "deleted"


def _identifier(held: Element) -> str:
    return text(held, f"{_OAI}header/{_OAI}identifier").removeprefix(_PREFIX)[:60]
