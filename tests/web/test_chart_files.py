"""Charts of records: pictures in which nothing runs, specifications that reach nowhere, names that are no paths."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from lenslab.records import Record
from tests.web.studies import specification

pytestmark = pytest.mark.django_db

Write = Callable[..., Record]


def test_a_picture_is_an_image_in_which_nothing_may_run(client: Client, study: Write) -> None:
    record = study()
    hostile = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    (record.directory / "charts" / "claim-a.light.svg").write_text(hostile)
    answer = client.get("/results/first/charts/claim-a.light.svg")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "script" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    "address",
    [
        "/results/first/charts/..%2f..%2fsecret.light.svg",
        "/results/first/charts/claim-z.light.svg",
        "/results/first/charts/claim-a.sepia.svg",
        "/results/first/charts/CLAIM-A.light.svg",
        "/results/second/charts/claim-a.light.svg",
        "/results/../charts/claim-a.light.svg",
        "/results/first/charts/..%2frecord.vl.json",
        "/results/first/charts/claim-z.vl.json",
    ],
)
def test_no_name_leads_out_of_a_record(client: Client, study: Write, address: str, settings: Any) -> None:
    study()
    (settings.RECORDS / "secret.light.svg").write_text("secret")
    assert client.get(address).status_code == 404


def test_a_link_out_of_the_record_is_not_followed(client: Client, study: Write, settings: Any) -> None:
    record = study()
    (settings.RECORDS / "secret").write_text("secret")
    (record.directory / "charts" / "link.light.svg").symlink_to(settings.RECORDS / "secret")
    assert client.get("/results/first/charts/link.light.svg").status_code == 404


def test_a_picture_larger_than_any_chart_is_refused(client: Client, study: Write) -> None:
    record = study()
    (record.directory / "charts" / "claim-a.light.svg").write_text(" " * 3_000_001)
    assert client.get("/results/first/charts/claim-a.light.svg").status_code == 404


def served(client: Client, study: Write, document: Any) -> int:
    record = study()
    (record.directory / "charts" / "claim-a.vl.json").write_text(json.dumps(document))
    return client.get("/results/first/charts/claim-a.vl.json").status_code


def test_a_specification_is_served_with_its_themes_and_without_other_orders(client: Client, study: Write) -> None:
    themes = {"light": {"background": "white"}, "dark": {"background": "black"}}
    document = {**specification(), "usermeta": {"themes": themes, "embedOptions": {"ast": False}}}
    assert served(client, study, document) == 200
    answer = client.get("/results/first/charts/claim-a.vl.json").json()
    assert answer["usermeta"] == {"themes": themes}
    assert answer["data"] == document["data"]


def test_rows_of_data_may_have_any_column(client: Client, study: Write) -> None:
    assert served(client, study, {**specification(), "data": {"values": [{"url": "a", "href": "b"}]}}) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"url": "https://example.org/data.json"}},
        {"data": {"sequence": {"start": 0, "stop": 1e12}}},
        {"encoding": {"href": {"value": "javascript:alert(1)"}}},
        {"layer": [{"mark": {"type": "image", "url": "https://example.org/a.png"}}]},
        {"transform": [{"sequence": 1}]},
        {"transform": [{"calculate": "1", "as": "x"}]},
        {"usermeta": {"themes": {"light": {"url": "x"}}}},
        {"$schema": "https://vega.github.io/schema/vega/v6.json"},
        {"$schema": 3},
        {"data": {"values": [{"a": 1}] * 50_001}},
    ],
)
def test_a_specification_that_reaches_out_or_is_too_large_is_refused(
    client: Client, study: Write, changes: dict[str, Any]
) -> None:
    assert served(client, study, {**specification(), **changes}) == 404


def test_a_specification_nested_too_deep_is_refused(client: Client, study: Write) -> None:
    nested: Any = 1
    for _ in range(200):
        nested = [nested]
    assert served(client, study, {**specification(), "layer": nested}) == 404
