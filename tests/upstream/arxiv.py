"""arXiv's API (Atom) and its OAI-PMH, as both behave."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode
from xml.sax.saxutils import escape, quoteattr

from tests.upstream.answers import Answer, as_xml

if TYPE_CHECKING:
    from tests.upstream.corpus import Corpus, Entry

ID = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]+(\.[a-zA-Z-]{2,})?/\d{7})(v[1-9]\d*)?")
DEEPEST = 30_000
LARGEST_SLICE = 2_000


def query(corpus: Corpus, parameters: dict[str, str], *, empty: bool = False, error_status: int = 400) -> Answer:
    """One page of the API. ``empty`` sends it without its entries, as happens."""
    try:
        start = _number(parameters, "start", 0)
        most = _number(parameters, "max_results", 10)
        found = _found(corpus, parameters)
    except ValueError as error:
        return _error(str(error), error_status)
    if start + most > DEEPEST:
        return _error("start+max_results must be below 30000", error_status)
    page = [] if empty else found[start : start + min(most, LARGEST_SLICE)]
    asked = "&amp;".join(f"{name}={escape(value)}" for name, value in parameters.items())
    entries = "".join(_entry(corpus.by_name[f"arxiv:{name}"], version) for name, version in page)
    return as_xml(
        f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/api/t9dbt8/PVn2GHVEqA2dFcVPOufA</id>
  <title>arXiv Query: {asked}</title>
  <updated>2026-04-12T22:10:29Z</updated>
  <link href="https://arxiv.org/api/query" type="application/atom+xml"/>
  <opensearch:itemsPerPage>{most}</opensearch:itemsPerPage>
  <opensearch:totalResults>{len(found)}</opensearch:totalResults>
  <opensearch:startIndex>{start}</opensearch:startIndex>
{entries}</feed>
""",
        media="application/atom+xml",
    )


def _number(parameters: dict[str, str], name: str, default: int) -> int:
    text = parameters.get(name, str(default))
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"{name} must be an integer") from None
    if number < 0:
        raise ValueError(f"{name} must be non-negative")
    return number


def _found(corpus: Corpus, parameters: dict[str, str]) -> list[tuple[str, int]]:
    """Ids and versions, in order."""
    if ids := parameters.get("id_list"):
        found = []
        for name in ids.split(","):
            match = ID.fullmatch(name)
            if match is None:
                raise ValueError(f"incorrect id format for {name}")
            entry = corpus.by_name.get(f"arxiv:{match[1].lower()}")
            if entry is not None:
                found.append((entry.arxiv, int(match[3][1:]) if match[3] else entry.versions))
        return found
    wanted = re.findall(r"\w+", parameters.get("search_query", "").lower().split(":")[-1])
    return [
        (entry.arxiv, entry.versions)
        for entry in corpus.entries
        if entry.arxiv and all(word in entry.title.lower() for word in wanted)
    ]


def _error(message: str, status: int) -> Answer:
    code = message.replace(" ", "_")
    return as_xml(
        f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/</id><title>arXiv Search Results</title><updated>2026-04-12T22:10:29Z</updated>
  <opensearch:itemsPerPage>1</opensearch:itemsPerPage><opensearch:totalResults>1</opensearch:totalResults>
  <opensearch:startIndex>0</opensearch:startIndex>
  <entry><id>https://arxiv.org/api/errors#{escape(code)}</id><title>Error</title><updated>2026-04-12T22:10:29Z</updated>
    <summary>{escape(message)}</summary><author><name>arXiv api core</name></author></entry>
</feed>
""",
        status,
        "application/atom+xml",
    )


def _entry(entry: Entry, version: int) -> str:
    name = f"{entry.arxiv}v{version}"
    authors = "".join(
        f"<author><name>{escape(author)}</name>"
        + ("<arxiv:affiliation>MIT</arxiv:affiliation><arxiv:affiliation>CSAIL</arxiv:affiliation>" * (place == 0))
        + "</author>"
        for place, author in enumerate(entry.authors or ("Anonymous",))
    )
    categories = "".join(
        f'<category term="{category}" scheme="http://arxiv.org/schemas/atom"/>' for category in entry.categories
    )
    optional = "".join(
        f"<arxiv:{tag}>{escape(text)}</arxiv:{tag}>"
        for tag, text in (("comment", entry.comments), ("journal_ref", entry.journal), ("doi", entry.doi))
        if text
    )
    return f"""  <entry>
    <id>http://arxiv.org/abs/{name}</id>
    <title>{escape(entry.title)}</title>
    <updated>{entry.revised(version):%Y-%m-%dT%H:%M:%SZ}</updated>
    <link href="https://arxiv.org/abs/{name}" rel="alternate" type="text/html"/>
    <link href="https://arxiv.org/pdf/{name}" rel="related" type="application/pdf" title="pdf"/>
    <summary>  {escape(entry.abstract or "")}
</summary>
    {categories}
    <published>{entry.submitted:%Y-%m-%dT%H:%M:%SZ}</published>
    {optional}
    <arxiv:primary_category term="{entry.categories[0]}"/>
    {authors}
  </entry>
"""


def oai(corpus: Corpus, parameters: dict[str, str], *, page: int, overlap: int, expired: bool = False) -> Answer:
    """One answer of OAI-PMH: ``page`` records, of which the last ``overlap`` come again on the next page."""
    verb = parameters.get("verb", "")
    if verb == "GetRecord":
        return _record(corpus, parameters)
    if verb != "ListRecords":
        return _oai_error("badVerb", "unknown verb")
    skip = 0
    if token := parameters.get("resumptionToken"):
        held = dict(parse_qsl(unquote(token)))
        if expired or len(parameters) > 2 or held.get("verb") != verb or "skip" not in held:
            return _oai_error("badResumptionToken", "the token has expired or is not one of ours")
        skip = int(held.pop("skip"))
        parameters = held
    if parameters.get("metadataPrefix") != "arXivRaw":
        return _oai_error("cannotDisseminateFormat", "did not recognize requested format")
    since, until = parameters.get("from", "2005-09-16"), parameters.get("until", "9999-12-31")
    if since < "2005-09-16" or since > until:
        return _oai_error("badArgument", "start date too early, or after the end date")
    wanted = parameters.get("set", "")
    if wanted and not re.fullmatch(r"[a-z-]+(:[a-zA-Z-]+){0,2}", wanted):
        return _oai_error("badArgument", "set does not exist")
    records = sorted(
        [(entry.datestamp, entry.arxiv, entry) for entry in corpus.entries if entry.arxiv and _in_set(entry, wanted)]
        + [(day, name, None) for name, day in corpus.deleted],
        key=lambda record: record[:2],
    )
    records = [record for record in records if since <= record[0] <= until]
    if not records:
        return _oai_error("noRecordsMatch", "no records match")
    shown, rest = records[skip : skip + page], records[skip + page :]
    body = "".join(_oai_record(day, name, entry) for day, name, entry in shown)
    if rest:
        # The server moves "from" on to the last day, and skips what was sent of it.
        day = shown[-1][0]
        sent = sum(record[0] == day for record in records[: skip + page]) - overlap
        held = {**parameters, "verb": verb, "from": day, "skip": str(max(0, sent))}
        body += f"<resumptionToken expires='2025-03-02T00:00:00Z'>{escape(quote(urlencode(held)))}</resumptionToken>"
    return _oai_document(f"<{verb}>{body}</{verb}>", parameters)


def _in_set(entry: Entry, wanted: str) -> bool:
    return not wanted or any(name == wanted or name.startswith(f"{wanted}:") for name in _sets(entry))


def _sets(entry: Entry) -> list[str]:
    return [f"{archive}:{archive}:{category}" for archive, category in (c.split(".") for c in entry.categories)]


def _record(corpus: Corpus, parameters: dict[str, str]) -> Answer:
    identifier = parameters.get("identifier", "")
    name = identifier.removeprefix("oai:arXiv.org:")
    if name == identifier:
        return _oai_error("idDoesNotExist", "All identifiers start with: oai:arXiv.org:")
    for deleted, day in corpus.deleted:
        if deleted == name:
            return _oai_document(f"<GetRecord>{_oai_record(day, name, None)}</GetRecord>", parameters)
    entry = corpus.by_name.get(f"arxiv:{name}")
    if entry is None:
        return _oai_error("idDoesNotExist", "Nothing found for this identifier.")
    return _oai_document(f"<GetRecord>{_oai_record(entry.datestamp, name, entry)}</GetRecord>", parameters)


def _oai_record(day: str, name: str, entry: Entry | None) -> str:
    head = f"<identifier>oai:arXiv.org:{name}</identifier><datestamp>{day}</datestamp>"
    if entry is None:
        return f"<record><header status='deleted'>{head}</header></record>"
    sets = "".join(f"<setSpec>{name}</setSpec>" for name in _sets(entry))
    return f"<record><header>{head}{sets}</header><metadata>{_raw(entry)}</metadata></record>"


def _raw(entry: Entry) -> str:
    versions = ""
    for number in range(1, entry.versions + 1):
        last = number == entry.versions
        kind = "I" if entry.withdrawn and last else "D"
        date = f"{entry.revised(number):%a, %d %b %Y %H:%M:%S} GMT"
        versions += f'<version version="v{number}"><date>{date}</date><size>{13 + number}kb</size>'
        versions += f"<source_type>{kind}</source_type></version>"
    fields = [
        ("title", entry.title),
        ("authors", ", ".join(entry.authors or ("Anonymous",))),
        ("categories", " ".join(entry.categories)),
        ("comments", entry.comments),
        ("msc-class", entry.msc),
        ("acm-class", entry.msc),  # the server fills it with the other class
        ("journal-ref", entry.journal),
        ("doi", entry.doi),
        ("license", entry.license),
        ("abstract", f"  {entry.abstract or ''}\n"),
    ]
    body = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in fields if text)
    return (
        '<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://arxiv.org/OAI/arXivRaw/ http://arxiv.org/OAI/arXivRaw.xsd">'
        f"<id>{entry.arxiv}</id><submitter>Bolei Zhou</submitter>{versions}{body}</arXivRaw>"
    )


def _oai_error(code: str, message: str) -> Answer:
    return _oai_document(f"<error code='{code}'>{escape(message)}</error>", {})


def _oai_document(body: str, parameters: dict[str, str]) -> Answer:
    asked = " ".join(f"{name}={quoteattr(value)}" for name, value in parameters.items())
    now = dt.datetime(2025, 3, 1, 12, tzinfo=dt.UTC)
    return as_xml(
        f"""<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">
<responseDate>{now:%Y-%m-%dT%H:%M:%SZ}</responseDate><request {asked}>https://oaipmh.arxiv.org/oai</request>{body}</OAI-PMH>
"""
    )
