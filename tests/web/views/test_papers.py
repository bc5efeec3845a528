"""Pages: every work has one, every part is there, nothing of what a source says is markup."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from django.test import Client

from lenslab.library.models import Citation, Work
from lenslab.web.addresses import work_address
from tests.library.making import assert_citation, cite
from tests.web.conftest import PAPER

pytestmark = pytest.mark.usefixtures("library")

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> </title> \u2028 & \" '"


def body(client: Client, address: str = PAPER) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.thorough
def test_every_work_of_the_library_has_a_page(client: Client) -> None:
    keys = list(Work.objects.values_list("key", flat=True))
    assert len(keys) > 100
    for key in keys:
        assert client.get(work_address(key)).status_code == 200, key


PARTS = (
    "Revisiting the Importance of Individual Units in CNNs via Ablation",
    "Bolei Zhou, Yiyou Sun, David Bau, Antonio Torralba",
    "Quick summary",
    "Extractive: two sentences of the abstract",
    'href="https://arxiv.org/abs/1806.02891"',
    'href="https://arxiv.org/pdf/1806.02891"',
    "7 June 2018",
    "11 June 2018",
    "Computer Vision and Pattern Recognition",
    "class selectivity",
    "Creative Commons Attribution 4.0",
    "You may share and adapt the paper",
    "[Morcos et al., 2018]",
    "@misc{zhou2018revisiting",
    "Citation &amp; Reference Network",
    "Citations and References",
    "records merged",
    "Comments (0)",
    "cookies",
    "Thank you to arXiv for use of its open access interoperability",
)


def test_the_paper_s_page_has_every_part(client: Client) -> None:
    page = body(client)
    assert [words for words in PARTS if words not in page] == []


def test_a_citation_in_the_abstract_leads_to_the_reference_s_page(client: Client) -> None:
    address = re.search(r'<a class="citation" href="([^"]+)"', body(client))
    assert address is not None
    assert "importance of single directions" in body(client, address[1])


def test_table_and_picture_hold_every_work_that_cites_or_is_cited(client: Client) -> None:
    page = body(client)
    citing = Citation.objects.filter(cited__key="1806.02891").count()
    referenced = Citation.objects.filter(citing__key="1806.02891").count()
    assert citing > 100
    assert referenced > 3
    assert page.count('data-direction="citing"') == page.count('<path class="mark citing" transform') == citing
    assert page.count('data-direction="referenced"') == page.count('class="mark referenced" transform') == referenced


def test_the_table_is_sorted_by_year_over_both_directions(client: Client) -> None:
    years = [int(year) for year in re.findall(r'data-year="(\d+)"', body(client))]
    assert len(set(years)) > 5
    assert years == sorted(years, reverse=True)


def test_rows_without_authors_say_so(client: Client) -> None:
    assert "not recorded" in body(client)


@pytest.mark.parametrize(
    "name", ["1806.02891v1", "arXiv:1806.02891", "abs/1806.02891", "https://arxiv.org/abs/1806.02891", "1806.02891/"]
)
def test_other_names_of_a_paper_lead_to_its_one_address(client: Client, name: str) -> None:
    answer = client.get(f"/paper/{name}", {"result": "x y"})
    assert answer.status_code == 301
    assert answer["Location"].split("?")[0] == PAPER
    assert "result=x+y" in answer["Location"]


def test_a_paper_of_the_old_scheme_has_its_slash_in_the_address(client: Client) -> None:
    Work.objects.create(key="hep-th/9901001", arxiv_id="hep-th/9901001", title="An old paper", year=1999)
    assert "An old paper" in body(client, "/paper/hep-th/9901001")
    assert client.get("/work/hep-th/9901001")["Location"] == "/paper/hep-th/9901001"
    assert client.get("/paper/hep-th/9901001v2")["Location"] == "/paper/hep-th/9901001"


@pytest.mark.parametrize(
    "address", ["/paper/9999.99999", "/paper/<b>", "/paper/..%2f..%2fetc/passwd", "/work/nothing", "/no"]
)
def test_what_is_not_there_is_a_page_that_says_so(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert b"There is no such page" in answer.content
    assert b"<b>" not in answer.content


def test_an_unknown_paper_s_message_names_it_and_the_next_step(client: Client) -> None:
    page = client.get("/paper/1806.0289").content.decode()
    assert "1806.0289" in page
    assert "1806.02891" in page
    assert "?." not in page


def hostile_work() -> Work:
    work = Work.objects.create(
        key="hostile",
        title=HOSTILE,
        year=2020,
        abstract=f"{HOSTILE} $</span><script>x</script>$ \\href{{javascript:alert(1)}}{{here}} \\cite{{{HOSTILE}}}",
        doi='10.1/"><script>',
        journal_reference=HOSTILE,
        author_comments=HOSTILE,
        license_uri="javascript:alert(1)",
        categories=[HOSTILE],
        authors=[HOSTILE],
        byline=HOSTILE,
    )
    (edge,) = cite((work, Work.objects.get(key="1806.02891")))
    for locator in ("first", "second"):
        assert_citation(edge, HOSTILE[:60], locator, HOSTILE)
    return work


@pytest.mark.parametrize("address", ["/work/hostile", PAPER, "/"])
def test_nothing_that_a_source_says_becomes_markup(client: Client, address: str) -> None:
    hostile_work()
    page = body(client, address)
    assert "alert(1)" in page
    assert re.findall(r"<script(?![^>]*(?:src=\"/static/|application/json))", page) == []
    assert "<img src=x" not in page
    assert 'href="javascript' not in page
    assert page.count("</title>") == 1 + len(re.findall(r"<(?:circle|path) [^>]*><title>", page))


def test_every_page_forbids_what_does_not_come_from_this_site(client: Client) -> None:
    for address in (PAPER, "/", "/cookies", "/sign-in", "/sign-up", "/nothing"):
        answer = client.get(address)
        policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"


def test_pages_hold_no_inline_style_and_no_handlers(client: Client) -> None:
    for address in (PAPER, "/", "/cookies", "/sign-in", "/sign-up"):
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"", body(client, address))


def test_a_page_takes_few_queries_however_many_works_cite(client: Client, django_assert_max_num_queries: Any) -> None:
    paper = Work.objects.get(key="1806.02891")
    for number in range(120):
        work = Work.objects.create(key=f"more-{number}", title=f"More {number}", year=2025, authors=["Ada Lovelace"])
        cite((work, paper))
    with django_assert_max_num_queries(25):
        page = body(client)
    assert "More 119" in page


def test_the_home_page_takes_few_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(4):
        body(client, "/")


def test_the_home_page_lists_a_hundred_works_of_however_many_there_are(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    assert "117 works; the 100 that came last" in body(client, "/")
    Work.objects.bulk_create(Work(key=f"more-{n}", title=f"More {n}", year=1990 + n % 30) for n in range(1500))
    with django_assert_max_num_queries(4):
        page = body(client, "/")
    assert "1,617 works; the 100 that came last" in page
    listed = re.findall(r'<li><a href="/work/(more-\d+)">', page)
    assert set(listed) == {f"more-{n}" for n in range(1400, 1500)}
    years = [int(name.split("-")[1]) % 30 for name in listed]
    assert years == sorted(years, reverse=True)


def test_a_small_library_is_listed_whole(client: Client) -> None:
    Work.objects.exclude(key="1806.02891").filter(pk__gt=Work.objects.order_by("pk")[5].pk).delete()
    number = Work.objects.count()
    page = body(client, "/")
    assert f"{number} works, the newest first" in page
    assert len(re.findall(r'<li><a href="/(?:work|paper)/', page)) == number


def test_reading_sets_no_cookie(client: Client) -> None:
    for address in (PAPER, "/", "/cookies"):
        assert not client.get(address).cookies


def test_pages_are_whole_without_the_built_front_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from lenslab.web import context_processors

    monkeypatch.setattr(context_processors, "bundled", lambda: False)
    page = body(client)
    assert "dist/page.js" not in page
    assert "network-picture" in page
    assert page.count("<tr data-work=") > 100


def test_nothing_but_reading_is_answered_on_a_page(client: Client) -> None:
    assert client.post(PAPER).status_code == 405
    assert client.delete("/").status_code == 405


def test_pages_travel_packed_to_who_takes_that(client: Client) -> None:
    plain = client.get(PAPER)
    packed = client.get(PAPER, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert "Citation &amp; Reference Network" in gzip.decompress(packed.content).decode()
    assert len(packed.content) < len(plain.content) / 4
