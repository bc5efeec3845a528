import pytest

from lenslab.http.retry import retry_after


@pytest.mark.parametrize(
    "header", ["", "-1", "1e9", "９", "Thu, 99 Foo 2026", "9" * 5000, "Mon, 01 Jan 99999 00:00:00 GMT"]
)
def test_a_pause_that_makes_no_sense_is_none(header):
    assert retry_after(header, 0.0) is None


def test_a_date_that_is_over_asks_for_no_pause():
    assert retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 1e9) == 0.0
