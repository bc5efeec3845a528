import datetime as dt
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from lenslab.http.errors import NotFoundError, RefusedError, UnavailableError
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.errors import MalformedError
from lenslab.papers.sources import arxiv_api, arxiv_oai
from lenslab.papers.sources.record_parsers import PARSERS
from tests.upstream import Corpus, Fault, Faults, corpus

SMALL = corpus(citations=40, references=20)
ON_ARXIV = sorted((entry for entry in SMALL.entries if entry.arxiv), key=lambda entry: (entry.datestamp, entry.arxiv))
NAMES = [entry.arxiv for entry in ON_ARXIV]


def faulty(*faults):
    return Faults({"arXiv OAI-PMH": {number: fault for number, fault in enumerate(faults) if fault}})


def names_of(pages):
    return [description.locator for page in pages for description in page.descriptions]


def test_a_record_says_what_the_feed_does_not(visit):
    visitor, _ = visit(SMALL)
    found = arxiv_oai.record(visitor.fetcher, "https://arxiv.org/abs/1806.02891v1")
    assert found.paper.license_uri == "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"
    assert found.paper.authors == SMALL.paper.authors
    assert found.paper.arxiv_id == ArxivId("1806.02891")
    assert found.paper.categories == ("cs.CV", "cs.LG")
    assert found.paper.submitted == dt.date(2018, 6, 7)
    (version,) = found.paper.versions
    assert (version.number, version.size, version.source_type, version.withdrawn) == (1, "14kb", "D", False)
    assert version.license_uri == found.paper.license_uri
    assert PARSERS["arXiv OAI-PMH"](found.raw) == found


def test_a_record_and_a_feed_agree_on_what_both_say(visit):
    visitor, _ = visit(SMALL)
    for entry in ON_ARXIV[:12]:
        feed = arxiv_api.paper(visitor.fetcher, entry.arxiv).paper
        record = arxiv_oai.record(visitor.fetcher, entry.arxiv).paper
        assert (feed.title, feed.authors, feed.year, feed.abstract) == (
            record.title,
            record.authors,
            record.year,
            record.abstract,
        )
        assert (feed.submitted, feed.updated, feed.doi) == (record.submitted, record.updated, record.doi)
        assert len(feed.versions) == len(record.versions) == entry.versions


def test_the_class_that_the_server_copies_from_another_is_dropped(visit):
    visitor, _ = visit(SMALL)
    assert arxiv_oai.record(visitor.fetcher, "1806.02891").paper.msc_class == "68T07"
    assert arxiv_oai.record(visitor.fetcher, "1806.02891").paper.acm_class == ""
    raw = arxiv_oai.record(visitor.fetcher, "1806.02891").raw.replace(b"acm-class>68T07<", b"acm-class>I.2.10<")
    assert arxiv_oai.parse(raw).paper.acm_class == "I.2.10"


def test_a_withdrawn_paper_says_so(visit):
    visitor, _ = visit(SMALL)
    withdrawn = next(entry for entry in SMALL.entries if entry.withdrawn)
    versions = arxiv_oai.record(visitor.fetcher, withdrawn.arxiv).paper.versions
    assert [version.withdrawn for version in versions] == [False, True]
    assert [version.license_uri != "" for version in versions] == [False, True]


def test_a_paper_that_arxiv_does_not_know_or_no_longer_is_named(visit):
    visitor, _ = visit(SMALL)
    with pytest.raises(NotFoundError, match=r"arXiv knows no paper 1801\.99999"):
        arxiv_oai.record(visitor.fetcher, "1801.99999")
    with pytest.raises(NotFoundError, match=r"arXiv has deleted the paper 1806\.99991"):
        arxiv_oai.record(visitor.fetcher, "1806.99991")


@pytest.mark.parametrize("size", [1, 7, len(NAMES), 2000])
def test_a_harvest_brings_every_record_in_the_order_of_their_days(visit, size):
    visitor, _ = visit(SMALL, oai_page=size)
    pages = list(arxiv_oai.harvest(visitor.fetcher))
    assert names_of(pages) == NAMES
    assert [name for page in pages for name in page.deleted] == ["1806.99991"]
    assert [page.datestamp for page in pages] == sorted(page.datestamp for page in pages)
    assert pages[-1].token is None
    for page in pages:
        for description in page.descriptions:
            assert PARSERS["arXiv OAI-PMH"](description.raw) == description


def test_records_that_come_again_on_the_next_page_harm_nobody(visit):
    visitor, _ = visit(SMALL, oai_page=10, oai_overlap=2)
    found = names_of(arxiv_oai.harvest(visitor.fetcher))
    assert len(found) > len(NAMES)
    assert list(dict.fromkeys(found)) == NAMES


def test_a_record_that_changes_while_it_is_harvested_comes_again_and_hides_no_other(visit):
    visitor, _ = visit(SMALL, oai_page=10, oai_changes=True)
    found = names_of(arxiv_oai.harvest(visitor.fetcher))
    assert list(dict.fromkeys(found)) == NAMES
    assert found[-1] == NAMES[0]


def test_a_harvest_goes_on_from_its_token(visit):
    visitor, _ = visit(SMALL, oai_page=10)
    first = next(arxiv_oai.harvest(visitor.fetcher, set_="cs:cs:CV"))
    rest = list(arxiv_oai.harvest(visitor.fetcher, token=first.token))
    assert names_of([first, *rest]) == NAMES
    assert first.datestamp in first.token


def test_a_token_is_encoded_once_more_on_its_way(visit):
    visitor, server = visit(SMALL, oai_page=10)
    pages = list(arxiv_oai.harvest(visitor.fetcher, set_="cs:cs:CV"))
    assert "set%3Dcs%253Acs%253ACV" in pages[0].token
    sent = server.log[1].target
    assert parse_qs(urlsplit(sent).query)["resumptionToken"] == [pages[0].token]
    assert "%253D" in sent
    assert "metadataPrefix=" not in sent


@pytest.mark.parametrize("since", [None, "2005-09-16"])
def test_a_harvest_whose_token_expired_goes_on_from_the_last_day(visit, since):
    visitor, server = visit(SMALL, faulty(None, None, Fault.EXPIRED_TOKEN), oai_page=10)
    pages = list(arxiv_oai.harvest(visitor.fetcher, since=since))
    assert list(dict.fromkeys(names_of(pages))) == NAMES
    assert f"from={pages[1].datestamp}" in server.log[3].target


def test_a_kept_token_that_expired_is_replaced_by_the_kept_day(visit):
    visitor, server = visit(SMALL, oai_page=10)
    first = next(arxiv_oai.harvest(visitor.fetcher))
    rest = list(arxiv_oai.harvest(visitor.fetcher, since=first.datestamp, token="verb%3DListRecords"))
    assert set(names_of([first, *rest])) == set(NAMES)
    assert f"from={first.datestamp}" in server.log[2].target


def test_a_server_that_never_knows_its_tokens_is_given_up(visit):
    visitor, server = visit(SMALL, faulty(*[None, Fault.EXPIRED_TOKEN] * 20), oai_page=1)
    with pytest.raises(RefusedError, match="badResumptionToken: it no longer knows") as refusal:
        list(arxiv_oai.harvest(visitor.fetcher))
    assert refusal.value.code == "badResumptionToken"
    assert len(server.log) < 20


def test_nothing_new_is_an_empty_page(visit):
    visitor, _ = visit(SMALL)
    (page,) = arxiv_oai.harvest(visitor.fetcher, since=dt.date(2099, 1, 1))
    assert (page.descriptions, page.token, page.datestamp) == ((), None, "2099-01-01")


def test_a_harvest_of_some_days_brings_what_changed_on_them(visit):
    visitor, _ = visit(SMALL)
    since, until = ON_ARXIV[5].datestamp, ON_ARXIV[15].datestamp
    found = names_of(arxiv_oai.harvest(visitor.fetcher, since=since, until=until))
    assert found == [entry.arxiv for entry in ON_ARXIV if since <= entry.datestamp <= until]


def test_every_refusal_of_the_protocol_is_named(visit):
    visitor, _ = visit(SMALL)
    with pytest.raises(RefusedError, match="badArgument: an argument is wrong") as refusal:
        list(arxiv_oai.harvest(visitor.fetcher, since="1991-01-01"))
    assert refusal.value.code == "badArgument"
    with pytest.raises(RefusedError, match="'cs; drop' is no part of arXiv"):
        list(arxiv_oai.harvest(visitor.fetcher, set_="cs; drop"))
    with pytest.raises(RefusedError, match="since is 'yesterday'; give a day like"):
        list(arxiv_oai.harvest(visitor.fetcher, since="yesterday"))


def test_one_record_that_nobody_can_read_does_not_end_the_harvest(visit):
    broken = replace(SMALL.entries[1], arxiv="1234.1234")
    visitor, _ = visit(Corpus(entries=(SMALL.paper, broken), edges=()))
    (page,) = arxiv_oai.harvest(visitor.fetcher)
    assert names_of([page]) == ["1806.02891"]
    assert page.rejected[0].startswith("1234.1234: its record has no arXiv id")


@pytest.mark.parametrize("fault", [Fault.DOCTYPE, Fault.MALFORMED, Fault.RATE_EXCEEDED, Fault.WEB_PAGE])
def test_what_is_no_answer_is_never_read_as_one(visit, fault):
    visitor, _ = visit(SMALL, Faults(always={"arXiv OAI-PMH": fault}), attempts=2)
    with pytest.raises(UnavailableError, match="arXiv OAI-PMH does not answer"):
        arxiv_oai.record(visitor.fetcher, "1806.02891")


def test_feed_and_records_share_one_queue(visit):
    visitor, server = visit(SMALL)
    begun = visitor.now[0]
    arxiv_api.paper(visitor.fetcher, "1806.02891")
    arxiv_oai.record(visitor.fetcher, "1806.02891")
    assert visitor.now[0] - begun == pytest.approx(3.0, abs=1e-4)
    assert len(server.log) == 2


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_run_of_faults_changes_nothing_but_the_time_it_takes(visit, seed):
    visitor, server = visit(SMALL, Faults.random(seed=seed, count=15), oai_page=5)
    assert list(dict.fromkeys(names_of(arxiv_oai.harvest(visitor.fetcher)))) == NAMES
    assert len(server.faults.injected) >= 3


RECORD = b'<record xmlns="http://www.openarchives.org/OAI/2.0/"><metadata>%s</metadata></record>'
HELD = b'<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>1806.02891</id>%s</arXivRaw>'


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<a/>",
        RECORD % b"",
        RECORD % (HELD % b'<version version="v0"/>'),
        RECORD % (HELD % b'<version version="v1"><date>yesterday</date></version>'),
        RECORD % HELD.replace(b"1806", b"1834"),
    ],
)
def test_what_is_no_record_is_refused(raw):
    with pytest.raises(MalformedError):
        arxiv_oai.parse(raw)


# As recorded, its texts shortened.
RECORDED = b"""<record xmlns="http://www.openarchives.org/OAI/2.0/">
   <header><identifier>oai:arXiv.org:0806.4129</identifier><datestamp>2014-12-15</datestamp>
     <setSpec>physics:math-ph</setSpec><setSpec>math:math:MP</setSpec></header>
   <metadata><arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/">
     <id>0806.4129</id><submitter>Waldyr A. Rodrigues Jr</submitter>
     <version version="v1"><date>Wed, 25 Jun 2008 15:29:38 GMT</date><size>14kb</size></version>
     <version version="v6"><date>Fri, 12 Dec 2014 13:15:28 GMT</date><size>17kb</size>
       <source_type>D</source_type></version>
     <title>Gauge Fixing in the Maxwell Like Gravitational Theory</title>
     <authors>Roldao da Rocha, Waldyr A. Rodrigues Jr</authors>
     <categories>math-ph math.MP</categories><comments>15 pages.</comments>
     <msc-class>15A66</msc-class><journal-ref>AIP Conf.Proc.1316:466-477,2010</journal-ref>
     <doi>10.1063/1.3536454</doi><license>http://arxiv.org/licenses/nonexclusive-distrib/1.0/</license>
     <abstract>In a previous paper we investigate</abstract></arXivRaw></metadata>
  </record>"""


def test_a_recorded_record_is_read():
    found = arxiv_oai.parse(RECORDED).paper
    assert found.authors == ("Roldao da Rocha", "Waldyr A. Rodrigues Jr")
    assert found.categories == ("math-ph", "math.MP")
    assert (found.submitted, found.updated, found.year) == (dt.date(2008, 6, 25), dt.date(2014, 12, 12), 2008)
    assert [(version.number, version.size) for version in found.versions] == [(1, "14kb"), (6, "17kb")]
    assert (found.doi, found.msc_class, found.acm_class) == ("10.1063/1.3536454", "15A66", "")
    assert found.journal_reference == "AIP Conf.Proc.1316:466-477,2010"
