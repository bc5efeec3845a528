"""The claims panel: what was measured in words, several results, and records that mean harm."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from lenslab.records import Record
from tests.web.conftest import PAPER
from tests.web.studies import claim, study_document

pytestmark = pytest.mark.usefixtures("library")

Write = Callable[..., Record]
HOSTILE = "</script><script>alert(1)</script>"


def body(client: Client, address: str = PAPER, **query: str) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_before_any_run_the_page_says_how_to_run(client: Client) -> None:
    page = body(client)
    assert "lenslab study run 1806.02891" in page
    assert page.count(">not run</p>") == 3
    assert "at most 1 point" in page


def test_a_card_holds_verdict_figure_interval_network_images_scope_and_rule(client: Client, study: Write) -> None:
    study()
    page = body(client)
    for words in (
        ">supported here</p>",
        ">undecided here</p>",
        ">contradicted here</p>",
        "<strong>0.4 points</strong>",
        "99 % interval 0.1 to 0.9 points",
        "<strong>34 %</strong>",
        "99 % interval 20 to 50 %",
        "<strong>−0.25</strong>",
        "<li>small</li>",
        "10,000 images of fashion-mnist (10 classes)",
        "91.2 % of which",
        "fewer than 100 classes",
        "upper bound of the drop at most 1 point",
        "1 dead unit left out",
        "rules 1806.02891.toml",
    ):
        assert words in page, words


def test_no_badge_is_a_bare_failure(client: Client, study: Write) -> None:
    study()
    badges = re.findall(r'<p class="badge [a-z]+">([^<]+)</p>', body(client))
    assert len(badges) == 3
    assert all(badge.endswith(" here") for badge in badges)


def test_a_reader_chooses_among_several_results(client: Client, study: Write) -> None:
    study("one", study_document(network={"name": "resnet20"}, finished="2026-01-01T00:00:00+00:00"))
    study("two", study_document(network={"name": "vgg"}, finished="2026-02-01T00:00:00+00:00"))
    assert "<strong>vgg</strong>" in body(client)
    assert "<strong>resnet20</strong>" in body(client, result="one")
    assert "<strong>vgg</strong>" in body(client, result="../../etc")
    assert "?result=one#claims" in body(client)


def test_a_result_of_another_study_is_not_shown(client: Client, study: Write) -> None:
    study(document=study_document(study="9999.99999"))
    assert "Nothing has been measured here yet" in body(client)


def test_the_home_page_shows_the_verdicts(client: Client, study: Write) -> None:
    study()
    page = body(client, "/")
    assert "supported here" in page
    assert "Measured with small on 10,000 images" in page


def test_charts_are_shown_as_images_for_both_themes(client: Client, study: Write) -> None:
    study()
    page = body(client)
    assert 'src="/results/first/charts/claim-a.light.svg"' in page
    assert 'srcset="/results/first/charts/claim-a.dark.svg"' in page
    assert 'data-specification="/results/first/charts/claim-a.vl.json"' in page


def test_a_chart_that_the_record_does_not_hold_is_named(client: Client, study: Write) -> None:
    study(charts=False)
    page = body(client)
    assert "names the chart “claim-a” and does not hold it" in page
    assert "<picture>" not in page


def test_markup_in_a_record_is_shown_as_text(client: Client, study: Write) -> None:
    entry = claim(statement=HOSTILE, detail=HOSTILE, statistic=HOSTILE, scope=[HOSTILE])
    entry["rule"] = {"supported": HOSTILE, "contradicted": HOSTILE}
    study(
        "<i>x",
        study_document(network={"name": HOSTILE}, claims=[entry], warnings=[HOSTILE], site=HOSTILE, finished=HOSTILE),
    )
    page = body(client)
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<i>x" not in page


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"claims": None}, "claims"),
        ({"claims": [claim(chart="../../../etc/passwd")]}, "chart"),
        ({"claims": [claim(estimate=1e300)]}, "estimate"),
        ({"claims": [claim(estimate="<b>")]}, "estimate"),
        ({"claims": [claim(estimate=float("inf"))]}, "estimate"),
        ({"claims": [claim(verdict="fails")]}, "verdict"),
        ({"network": None}, "network"),
        ({"network": {"name": "x" * 5000}}, "name"),
        ({"accuracy": True}, "accuracy"),
        ({"units": 10**400}, None),
        ({"images": {"name": "x"}}, "count"),
    ],
)
def test_a_record_that_cannot_be_read_is_named_and_the_others_are_shown(
    client: Client, study: Write, changes: dict[str, Any], named: str | None
) -> None:
    study("good", study_document(finished="2020-01-01T00:00:00+00:00"))
    record = study("bad", charts=False)
    document = {**record.document, **study_document(**changes)}
    (record.directory / "record.json").write_text(json.dumps(document))
    page = body(client)
    assert "small" in page
    if named:
        assert re.search(rf'<p class="problem">[^<]*bad[^<]*{named}', page)
        assert "supported here" in page


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"schema": 99, "kind": "study"}', '{"schema": 1, "kind": "<script>"}', "[" * 9000]
)
def test_a_record_of_an_unknown_schema_or_no_record_at_all_is_named(
    client: Client, study: Write, settings: Any, text: str
) -> None:
    study("good")
    (settings.RECORDS / "bad").mkdir()
    (settings.RECORDS / "bad" / "record.json").write_text(text)
    page = body(client)
    assert "supported here" in page
    assert re.search(r'<p class="problem">[^<]*bad', page)
    assert "<script>" not in page


def test_a_figure_that_is_not_known_is_left_out(client: Client, study: Write) -> None:
    unknown = claim(verdict="not run", estimate=None, low=None, high=None)
    study(document=study_document(claims=[unknown]))
    page = body(client)
    assert ">not run</p>" in page
    assert '<p class="figure">' not in page
