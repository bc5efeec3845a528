"""The notice about cookies: shown until it is dismissed, by a plain link."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_notice_is_a_link_that_dismisses_it_and_leads_back(client: Client) -> None:
    page = client.get("/cookies").content.decode()
    assert 'href="/cookies/dismiss?next=/cookies"' in page
    answer = client.get("/cookies/dismiss?next=/cookies")
    assert answer["Location"] == "/cookies"
    assert "/cookies/dismiss" not in client.get("/cookies").content.decode()


@pytest.mark.parametrize(
    "following", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", ""]
)
def test_dismissing_never_leads_off_the_site(client: Client, following: str) -> None:
    assert client.get("/cookies/dismiss", {"next": following})["Location"] == "/"


def test_the_page_names_every_cookie_that_the_site_sets(client: Client) -> None:
    page = client.get("/cookies").content.decode()
    for name in ("sessionid", "csrftoken", "messages", "notice"):
        assert f"<code>{name}</code>" in page
