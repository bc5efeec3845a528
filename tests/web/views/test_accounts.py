"""Accounts: signing up and in, the way back, and how often one may guess."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

PASSWORD = "a-long-and-odd-password-7"

pytestmark = pytest.mark.django_db


def sign_in(client: Client, password: str, **more: str) -> int:
    return client.post("/sign-in", {"username": "ada", "password": password, **more}).status_code


def test_the_right_password_signs_in_and_leads_back(client: Client) -> None:
    User.objects.create_user("ada", password=PASSWORD)
    answer = client.post("/sign-in", {"username": "ada", "password": PASSWORD, "next": "/cookies"})
    assert answer["Location"] == "/cookies"
    assert answer.cookies["sessionid"]["httponly"]
    assert answer.cookies["sessionid"]["samesite"] == "Lax"
    assert b"Sign out" in client.get("/").content


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_way_back_never_leaves_the_site(client: Client, following: str) -> None:
    User.objects.create_user("ada", password=PASSWORD)
    answer = client.post("/sign-in", {"username": "ada", "password": PASSWORD, "next": following})
    assert answer["Location"] == "/"
    answer = client.post(
        "/sign-up", {"username": "eve", "password1": PASSWORD, "password2": PASSWORD, "next": following}
    )
    assert answer["Location"] == "/"


def test_guessing_is_bounded_for_a_name_and_forgotten_after_a_success(client: Client) -> None:
    User.objects.create_user("ada", password=PASSWORD)
    for _ in range(7):
        assert sign_in(client, "wrong") == 200
    assert sign_in(client, PASSWORD) == 302
    client.logout()
    for _ in range(8):
        assert sign_in(client, "wrong") == 200
    assert sign_in(client, PASSWORD) == 200
    assert b"Too many tries" in client.post("/sign-in", {"username": "ada", "password": PASSWORD}).content


def test_a_wrong_name_and_a_wrong_password_are_told_alike(client: Client) -> None:
    User.objects.create_user("ada", password=PASSWORD)
    pages = [
        client.post("/sign-in", {"username": name, "password": "wrong"}).content.decode() for name in ("ada", "nobody")
    ]
    told = [page[page.index('class="problem"') : page.index("</p>", page.index('class="problem"'))] for page in pages]
    assert told[0] == told[1]


def test_a_weak_password_is_refused(client: Client) -> None:
    answer = client.post("/sign-up", {"username": "eve", "password1": "12345", "password2": "12345"})
    assert answer.status_code == 200
    assert not User.objects.exists()


def test_accounts_made_in_an_hour_are_bounded(client: Client) -> None:
    for number in range(12):
        client.post("/sign-up", {"username": f"eve{number}", "password1": PASSWORD, "password2": PASSWORD})
    assert User.objects.count() == 10


def test_a_new_account_has_no_rights(client: Client) -> None:
    client.post(
        "/sign-up",
        {"username": "eve", "password1": PASSWORD, "password2": PASSWORD, "is_staff": "on", "is_superuser": "on"},
    )
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_a_hostile_name_is_refused(client: Client) -> None:
    client.post("/sign-up", {"username": "<script>", "password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.exists()
