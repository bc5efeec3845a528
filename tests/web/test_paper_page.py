"""What the page says of what the library knows: summary, terms, versions, licence, coverage, sources, merges."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from lenslab.library import summaries, works
from lenslab.library.intake import record_intake, source_download, work_merging
from lenslab.library.intake.file_import import import_file
from lenslab.library.models import Listing, Merge, SourceRecord, Work
from lenslab.library.paper_facts import PaperFacts
from lenslab.library.stored_records import parse_record
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Assertion, Description
from lenslab.papers.paper import Paper, Version
from lenslab.papers.sources import openalex
from lenslab.web import paper_page as pages
from lenslab.web.addresses import work_address
from tests.library.intake.test_record_intake import say
from tests.library.making import NOW, cite
from tests.upstream.corpus import corpus
from tests.upstream.endpoint import KEY, MODEL, Answer, asking, completion, serving
from tests.upstream.server import Upstream
from tests.upstream.visitor import visiting
from tests.web.conftest import PAPER

pytestmark = pytest.mark.usefixtures("library")


def body(client: Client, address: str = PAPER) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def own() -> Work:
    return works.find_work("1806.02891")


SENTENCE = "Ablating any individual unit does not hurt the overall classification accuracy."


def written() -> None:
    with serving(Answer(completion(json.dumps({"sentences": [SENTENCE, "Frogs are green."]})))) as upstream:
        made = summaries.summary(own(), endpoint=asking(upstream.url))
    assert made.sentences == (SENTENCE,)


def test_a_summary_that_a_model_wrote_says_so_and_shows_where_the_abstract_says_it(client: Client) -> None:
    written()
    page = body(client)
    assert SENTENCE in page
    assert f"Written by the language model {MODEL} at 127.0.0.1" in page
    assert "checked against the abstract of version 1" in page
    assert "1 sentence that the abstract does not support left out" in page
    support = re.search(r'<details class="support">.*?</details>', page, re.DOTALL)
    assert support is not None
    assert "though ablating any individual unit does not hurt overall classification accuracy" in support[0]
    assert "Frogs" not in page
    assert "Extractive" not in page


def test_a_page_asks_no_endpoint(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Answer(completion("{}"))) as upstream:
        for name, value in (("URL", upstream.url), ("MODEL", MODEL), ("KEY", KEY)):
            monkeypatch.setenv(f"LENSLAB_LLM_{name}", value)
        assert "Extractive: two sentences of the abstract" in body(client)
        assert upstream.requests == []


def test_an_extractive_summary_needs_no_other_support_than_itself(client: Client) -> None:
    assert 'class="support"' not in body(client)


def test_every_key_term_says_why_it_is_one_without_a_pointer(client: Client) -> None:
    page = body(client)
    terms = PaperFacts(own()).terms
    assert len(terms) == 20
    for term in terms:
        found = re.search(rf'<span class="term">{re.escape(term.term)}</span>.*?</details>', page, re.DOTALL)
        assert found is not None
        assert term.reason in found[0]


def versioned(*versions: Version, key: str = "2501.00001", **said: Any) -> str:
    paper = Paper(title="Units, revised", year=2025, arxiv_id=ArxivId(key), versions=versions, **said)
    raw = json.dumps({"locator": key, "title": paper.title, "authors": [], "year": 2025, "arxiv_id": key}).encode()
    record_intake.add_records([Description(source="a list", locator=key, paper=paper, raw=raw)])
    return f"/paper/{key}"


BY, OLD = "http://creativecommons.org/licenses/by/4.0/", "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"


def test_versions_stand_with_their_days_and_licences_and_a_withdrawal_is_marked(client: Client) -> None:
    first = Version(1, dt.date(2025, 1, 6), OLD)
    page = body(client, versioned(first, Version(2, dt.date(2025, 2, 7), BY), Version(3, None, "", "", "I")))
    listed = re.findall(r"<li><a href=\"https://arxiv.org/abs/2501.00001v(\d)\".*?</li>", page)
    assert listed == ["1", "2", "3"]
    lines = re.search(r'<ol class="versions">.*?</ol>', page, re.DOTALL)
    assert lines is not None
    text = " ".join(re.sub(r"<[^>]+>", " ", lines[0]).split())
    assert text == "v1 6 January 2025 arXiv licence v2 7 February 2025 CC BY 4.0 v3 withdrawn"


def test_the_licence_is_that_of_the_version_that_is_shown(client: Client) -> None:
    page = body(client, versioned(Version(1, None, OLD), Version(2, None, BY), license_uri=BY))
    assert "of version 2" in page
    assert "Creative Commons Attribution 4.0" in page
    # A licence of an earlier version is none of the newest.
    page = body(client, versioned(Version(1, None, BY), Version(2), key="2501.00002"))
    assert "Not stated" in page


def test_a_long_history_is_folded(client: Client) -> None:
    page = body(client, versioned(*(Version(number) for number in range(1, 9))))
    assert "<summary>8 versions</summary>" in page
    assert 'abs/2501.00001v8"' in page


def test_what_sources_report_and_what_is_held_stands_below_the_network(client: Client) -> None:
    record = own().source_records.first()
    assert record is not None
    Listing.objects.create(record=record, direction="citing", reported=133, received=113, begun=NOW, updated=NOW)
    expected = [one.sentence for one in works.coverage(own())]
    assert expected[0].startswith(f"{record.source} reports 133 citations, we hold ")
    assert expected[0] in body(client)
    alone = Work.objects.create(key="alone", title="Alone")
    record = SourceRecord.objects.create(work=alone, source="s", locator="1", retrieved=NOW, sha256=b"", content=b"")
    Listing.objects.create(record=record, direction="referenced", reported=None, begun=NOW, updated=NOW)
    SourceRecord.objects.filter(pk=record.pk).update(
        content=own().source_records.first().content, source="ArxivLens page"
    )
    assert "does not say how many references there are" in body(client, "/work/alone")


def test_every_row_says_who_asserts_it_and_what_is_influential(client: Client) -> None:
    page = body(client)
    rows = re.findall(r"<tr data-work=.*?</tr>", page, re.DOTALL)
    said = [re.search(r'<td class="said">(.*?)</td>', row) for row in rows]
    assert {found[1].replace("\u00a0", " ") for found in said if found} >= {"ArxivLens page"}
    assert all(found and found[1] for found in said)
    assert "influential" not in page
    strong = Work.objects.create(key="strong", title="A strong one", year=2020)
    cite((strong, own()), influential=True)
    assert body(client).count(">influential<") == 1


def test_a_row_names_a_dozen_authors_and_counts_the_others(client: Client) -> None:
    crowd = Work.objects.create(key="crowd", title="Crowd", authors=[f"Author {n}" for n in range(3000)])
    cite((crowd, own()))
    page = body(client)
    assert "Author 11 and 2,988 more" in page
    assert "Author 12" not in page
    assert body(client, "/work/crowd").count("Author 2999") >= 1


def test_what_one_day_says_in_several_sources_is_one_line(client: Client) -> None:
    facts = PaperFacts(own())
    facts.__dict__["dates"] = (
        works.DatedFact("submitted", dt.date(2018, 6, 7), "arXiv"),
        works.DatedFact("updated", dt.date(2018, 6, 7), "arXiv"),
        works.DatedFact("submitted", dt.date(2018, 6, 7), "arXiv OAI-PMH"),
        works.DatedFact("updated", dt.date(2018, 6, 7), "arXiv OAI-PMH"),
        works.DatedFact("published", dt.date(2018, 6, 11), "a page", "probably"),
    )
    assert [(date.label, date.text, date.source) for date in pages._dates(facts)] == [
        ("Submitted, updated", "7 June 2018", "arXiv; arXiv OAI-PMH"),
        ("Published", "11 June 2018", "a page: probably"),
    ]
    assert "7 June 2018" in body(client)


def test_a_doi_is_a_link_whatever_stands_in_it(client: Client) -> None:
    Work.objects.create(key="odd", title="Odd", doi="10.1/a<b>#c?d%e", journal_reference="J. 1", report_number="R-7")
    page = client.get("/work/odd").content.decode()
    assert 'href="https://doi.org/10.1/a%3Cb%3E%23c%3Fd%25e"' in page
    assert "10.1/a&lt;b&gt;#c?d%e</a>" in page
    assert "J. 1" in page
    assert "R-7" in page


def test_a_merged_work_s_address_leads_to_the_other_for_now(client: Client) -> None:
    record_intake.add_records([say("a", "1", "Units"), say("a", "2", "Classes", ("Bo Sun",))])
    one, other = (Work.objects.get(source_records__locator=locator) for locator in "12")
    work_merging.merge(one, other, evidence="a test")
    answer = client.get(f"/work/{other.key}", {"result": "x"})
    assert (answer.status_code, answer["Location"]) == (302, f"/work/{one.key}?result=x")
    work_merging.undo(Merge.objects.get())
    assert client.get(f"/work/{other.key}").status_code == 200


def test_a_former_address_and_a_doi_lead_to_today_s_for_now_and_other_spellings_for_good(client: Client) -> None:
    record_intake.add_records([say("a", "1", "Units and classes", doi="10.1000/x")])
    record_intake.add_records([say("b", "2", "Units and classes", doi="10.1000/x", arxiv_id="1807.00001")])
    for name, status in (
        ("work/units-and-classes-bau-2018", 302),
        ("paper/10.1000/x", 302),
        ("work/1807.00001", 301),
        ("paper/1807.00001v3", 301),
    ):
        answer = client.get(f"/{name}")
        assert (answer.status_code, answer["Location"]) == (status, "/paper/1807.00001"), name


def test_a_page_with_everything_takes_queries_that_do_not_grow(
    client: Client, tmp_path: Any, django_assert_max_num_queries: Any
) -> None:
    told = corpus(citations=80, references=12, seed=1)
    with Upstream(told) as server, visiting(server, tmp_path) as visitor:
        source_download.add_paper(told.paper.arxiv, fetcher=visitor.fetcher)
    written()
    with django_assert_max_num_queries(32):
        page = body(client)
    assert "Semantic Scholar reports 100 citations, we hold " in page
    assert "OpenAlex reports 80 citations, we hold " in page
    assert "Semantic\u00a0Scholar, OpenAlex</td>" in page
    assert page.count("<tr data-work=") > 180


def test_pages_of_awkward_works_are_whole(client: Client, tmp_path: Any) -> None:
    told = corpus(citations=30, references=5, seed=2)
    with Upstream(told) as server, visiting(server, tmp_path) as visitor:
        source_download.add_paper(told.paper.arxiv, fetcher=visitor.fetcher)
    for row in works.relations(own()):
        answer = client.get(pages.work_address(row.key))
        assert answer.status_code == 200, row.key
        assert b"<script>alert" not in answer.content


def of_openalex(*, doi: str, retracted: bool, title: str = "Units that were made up") -> Description:
    record = {"id": "https://openalex.org/W77", "title": title, "publication_year": 2019, "is_retracted": retracted}
    record |= {"doi": f"https://doi.org/{doi}"}
    record["biblio"] = {"volume": "8", "issue": "2", "first_page": "1", "last_page": "9"}
    record["primary_location"] = {"source": {"display_name": "Journal of Units"}}
    return openalex.parse(json.dumps(record).encode())


def test_a_retraction_stands_on_the_page_in_the_table_and_in_the_network(client: Client) -> None:
    retracted = of_openalex(doi="10.1000/retracted", retracted=True)
    record = own().source_records.first()
    assert record is not None
    record_intake.add_citations([Assertion(citing=retracted, cited=parse_record(record.source, record.content))])
    page = body(client, work_address(works.find_work("10.1000/retracted").key))
    assert "This work was retracted, according to OpenAlex." in page
    assert re.search(r"note +=", page[page.index("@article") :])
    (row,) = re.findall(r"<tr[^>]*>(?:(?!</tr>).)*Units that were made up.*?</tr>", body(client), re.DOTALL)
    assert '<strong class="standing">retracted</strong>' in row
    picture = body(client).partition("<table")[0]
    (node,) = re.findall(r"<a [^>]*Units that were made up.*?</a>", picture)
    assert 'class="mark citing retracted"' in node
    assert "2019, retracted" in node
    assert "</svg> Retracted</li>" in picture


def test_a_work_whose_retraction_is_taken_back_stands_again(client: Client) -> None:
    for retracted in (True, False):
        record_intake.add_records([of_openalex(doi="10.1000/retracted", retracted=retracted)])
        page = body(client, work_address(works.find_work("10.1000/retracted").key))
        assert ("was retracted" in page) == retracted


def test_a_file_that_says_so_is_named(client: Client, tmp_path: Path) -> None:
    (tmp_path / "own.bib").write_text("@article{a, title = {Units that were made up}, note = {Retracted}}")
    (key,) = import_file(tmp_path / "own.bib").works
    assert "This work was retracted, according to own.bib." in body(client, f"/work/{key}")


def test_a_withdrawn_paper_says_so_at_its_top(client: Client) -> None:
    page = body(client, versioned(Version(1), Version(2, None, "", "", "I")))
    assert "This paper was withdrawn from arXiv by its version 2." in page
