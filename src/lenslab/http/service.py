"""A service on the network: its address, the hosts that belong to it, its pace, and where its key is found."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from lenslab.http.rate_limit import Rate
from lenslab.papers.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service, and how to ask it.

    Attributes:
        name: The source's name, as in ``Description.source``.
        url: The base address.
        variable: The environment variable that names another base address, of a mirror.
        rate: The queue in which requests wait.
        hosts: The hosts to which it may send a request on.
        pause: The first pause after a failure, in seconds; it doubles with every further one.
        throttling: Statuses by which it says, beside 429, that it is asked too often.
        key_variable: The environment variable that holds its key; empty where there are no keys.
        key_header: The header that takes the key.
        key_parameter: The parameter that takes the key.
        seconds: How long a whole answer may take.
        largest: The most bytes of an answer.
    """

    name: str
    url: str
    variable: str
    rate: Rate
    hosts: frozenset[str] = frozenset()
    pause: float = 2.0
    throttling: frozenset[int] = frozenset()
    key_variable: str = ""
    key_header: str = ""
    key_parameter: str = ""
    seconds: float = 120.0
    largest: int = 64 << 20

    def placed(self, urls: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> Service:
        """The service at the address that holds here.

        A mirror has a queue of its own, at the service's pace unless ``LENSLAB_MIRROR_INTERVAL`` says how many seconds
        to leave between requests to it; pauses after failures shrink or grow with that.

        Args:
            urls: Base addresses by variable name; they go before the environment.
            environment: The environment.

        Raises:
            SourceError: An address or a number that is none.

        Example:
            >>> arxiv = Service(name="arXiv", url="https://arxiv.org", variable="ARXIV_URL", rate=Rate("arXiv", 3.0))
            >>> arxiv.placed({}, {"ARXIV_URL": "http://localhost:8000"}).rate
            Rate(name='arXiv at localhost:8000', interval=3.0)
        """
        url = urls.get(self.variable) or environment.get(self.variable) or self.url
        if url == self.url:
            return self
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise SourceError(f"{self.variable} is {url!r}; give a plain address like {self.url}")
        interval = _seconds(environment.get("LENSLAB_MIRROR_INTERVAL", ""), self.rate.interval)
        return replace(
            self,
            url=url.rstrip("/"),
            hosts=frozenset(),
            rate=Rate(f"{self.rate.name} at {parts.netloc}", interval),
            pause=self.pause * interval / self.rate.interval,
        )

    def address(self, path: str, parameters: Mapping[str, str]) -> str:
        """The address of a question. The parameters' order and letters are kept, so equal questions have one address.

        Example:
            >>> Service(name="a", url="https://a.org", variable="", rate=Rate("a", 1)).address("/b", {"q": "x y%3D"})
            'https://a.org/b?q=x+y%253D'
        """
        return f"{self.url}{path}" + (f"?{urlencode(parameters)}" if parameters else "")

    def owns(self, url: str) -> bool:
        """Whether an address belongs to the service: on its own host, or one that it is known to send requests to."""
        asked, own = urlsplit(url), urlsplit(self.url)
        if asked.username or asked.password:
            return False
        if (asked.scheme, asked.netloc) == (own.scheme, own.netloc):
            return True
        return asked.scheme == "https" and asked.port in (None, 443) and asked.hostname in self.hosts


def _seconds(text: str, otherwise: float) -> float:
    if not text:
        return otherwise
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise SourceError(f"LENSLAB_MIRROR_INTERVAL is {text!r}; give seconds, for instance 0.5")
    return seconds
