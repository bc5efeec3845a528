import pytest

from lenslab.http.errors import UnavailableError
from lenslab.http.user_agent import user_agent


def test_nobody_is_named_where_no_contact_is_given():
    assert "mailto" not in user_agent({})


def test_a_contact_that_is_no_address_is_refused():
    with pytest.raises(UnavailableError, match="LENSLAB_CONTACT"):
        user_agent({"LENSLAB_CONTACT": "ada\r\nX: y"})
