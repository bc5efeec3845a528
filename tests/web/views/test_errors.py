"""What goes wrong is one page in the site's style, and tells nothing of the inside."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_fault_of_the_site_shows_no_inside(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    from lenslab.web import home_page

    def fail() -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(home_page, "gather", fail)
    with caplog.at_level(logging.ERROR):
        answer = Client(raise_request_exception=False).get("/")
    assert answer.status_code == 500
    assert b"Something went wrong here" in answer.content
    assert b"the inside" not in answer.content
    assert "the inside" in caplog.text


def test_a_host_that_was_not_named_is_refused(client: Client) -> None:
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert b"This request makes no sense" in answer.content
