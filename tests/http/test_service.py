from dataclasses import replace

import pytest

from lenslab.http.errors import UnavailableError
from lenslab.http.rate_limit import Rate
from lenslab.http.service import Service

ARXIV = Service(
    name="arXiv API",
    url="https://export.arxiv.org/api/query",
    variable="LENSLAB_ARXIV_API_URL",
    rate=Rate("arXiv", 3.0),
)


@pytest.mark.parametrize(
    ("url", "owned"),
    [
        ("https://export.arxiv.org/api/other", True),
        ("https://arxiv.org/api/query", True),
        ("http://arxiv.org/api/query", False),
        ("http://export.arxiv.org/api/query", False),
        ("https://arxiv.org:8080/", False),
        ("https://arxiv.org.evil.example/", False),
        ("https://user@export.arxiv.org/", False),
        ("https://evil.example/export.arxiv.org", False),
    ],
)
def test_a_service_owns_its_host_and_those_it_names(url, owned):
    assert replace(ARXIV, hosts=frozenset({"arxiv.org"})).owns(url) is owned


@pytest.mark.parametrize("url", ["file:///etc/passwd", "localhost:80", "http://", "http://a:b@c/", "http://a/?q=1"])
def test_a_base_address_that_is_none_is_named(url):
    with pytest.raises(UnavailableError, match="LENSLAB_ARXIV_API_URL is "):
        ARXIV.configured({}, {"LENSLAB_ARXIV_API_URL": url})
