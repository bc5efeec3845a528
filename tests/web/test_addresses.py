"""Addresses: those that Django's own resolver gives, and that lead back to the work."""

from __future__ import annotations

import pytest
from django.urls import resolve, reverse, set_script_prefix
from hypothesis import given
from hypothesis import strategies as st

from lenslab.web.addresses import work_address

KEYS = (
    "1806.02891",
    "hep-th/9901001",
    "on-units-bau-2018",
    "神经元的选择性-2018",
    "a b",
    "50%-of-them",
    "x?y#z",
    "1234.1234",
)


@pytest.mark.parametrize("key", KEYS)
def test_an_address_is_what_django_makes_of_the_key(key: str) -> None:
    kind = "paper" if key in ("1806.02891", "hep-th/9901001") else "work"
    assert work_address(key) == reverse(kind, args=[key])


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_any_key_has_the_address_that_django_gives(key: str) -> None:
    assert work_address(key) in (reverse("paper", args=[key]), reverse("work", args=[key]))
    assert work_address(key).isascii()


def test_an_address_leads_to_the_view_with_the_key() -> None:
    assert resolve(work_address("on-units-bau-2018")).kwargs == {"name": "on-units-bau-2018"}


def test_a_site_below_another_has_its_addresses_there() -> None:
    try:
        set_script_prefix("/lens/")
        assert work_address("1806.02891") == "/lens/paper/1806.02891"
    finally:
        set_script_prefix("/")
    assert work_address("1806.02891") == "/paper/1806.02891"
