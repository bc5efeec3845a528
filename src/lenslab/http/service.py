"""A service on the network: its address, the hosts that belong to it, its limits, and where its key is found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

from lenslab.http.errors import UnavailableError
from lenslab.http.rate_limit import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service, and how to ask it.

    Attributes:
        name: Its name, as messages and records give it.
        url: The base address.
        rate: The queue in which requests wait.
        variable: The environment variable that names the base address of a mirror; empty where there are no mirrors.
        hosts: The hosts to which it may send a request on.
        pause: The first pause after a failure, in seconds; it doubles with every further one.
        throttling: Statuses by which it says, beside 429, that it is asked too often.
        invalid: What its answers with these statuses say where the question itself is wrong, so that asking again would
            not help; empty where none does.
        key_variable: The environment variable that holds its key; empty where there are no keys.
        key_header: The header that takes the key.
        key_scheme: What stands before the key in that header, for instance ``Bearer``.
        key_parameter: The parameter that takes the key.
        silence: How long it may stay silent, in seconds.
        seconds: How long a whole answer may take.
        retry_late: Whether a question whose answer takes too long is asked again.
        largest: The most bytes of an answer.
        advice: What to do where it does not answer.
    """

    name: str
    url: str
    rate: Rate
    variable: str = ""
    hosts: frozenset[str] = frozenset()
    pause: float = 2.0
    throttling: frozenset[int] = frozenset()
    invalid: str = ""
    key_variable: str = ""
    key_header: str = ""
    key_scheme: str = ""
    key_parameter: str = ""
    silence: float = 60.0
    seconds: float = 120.0
    retry_late: bool = True
    largest: int = 64 << 20
    advice: str = "wait some minutes and give the same command again, it goes on from here"

    def configured(self, urls: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> Service:
        """Give the service at the address that the environment names.

        A mirror has a queue of its own, at the service's rate unless ``LENSLAB_MIRROR_INTERVAL`` says how many seconds
        to leave between requests to it; pauses after failures shrink or grow with that.

        Args:
            urls: Base addresses by variable name; they go before the environment.
            environment: Where the service's ``variable`` is looked up.

        Raises:
            UnavailableError: The address is not a web address, or the interval not a number of seconds.

        Example:
            >>> arxiv = Service(name="arXiv", url="https://arxiv.org", variable="ARXIV_URL", rate=Rate("arXiv", 3.0))
            >>> arxiv.configured({}, {"ARXIV_URL": "http://localhost:8000"}).rate
            Rate(name='arXiv at localhost:8000', interval=3.0)
        """
        url = urls.get(self.variable) or environment.get(self.variable) or self.url
        if url == self.url:
            return self
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise UnavailableError(f"{self.variable} is {url!r}; give a plain address like {self.url}")
        written = environment.get("LENSLAB_MIRROR_INTERVAL") or self.rate.interval
        try:
            interval = float(written)
        except ValueError:
            interval = -1.0
        if not 0 <= interval <= 3600:
            raise UnavailableError(f"LENSLAB_MIRROR_INTERVAL is {written!r}; give seconds, for instance 0.5")
        return replace(
            self,
            url=url.rstrip("/"),
            hosts=frozenset(),
            rate=Rate(f"{self.rate.name} at {parts.netloc}", interval),
            pause=self.pause * interval / self.rate.interval,
        )

    def address(self, path: str, parameters: Mapping[str, str]) -> str:
        """Give the address of a request. The parameters' order and case are kept, so equal requests have one address.

        Example:
            >>> Service(name="a", url="https://a.org", rate=Rate("a", 1)).address("/b", {"q": "x y%3D"})
            'https://a.org/b?q=x+y%253D'
        """
        return f"{self.url}{path}" + (f"?{urlencode(parameters)}" if parameters else "")

    def owns(self, url: str) -> bool:
        """Tell whether an address belongs to the service: on its own host, or on one of ``hosts``."""
        target, own = urlsplit(url), urlsplit(self.url)
        if target.username or target.password:
            return False
        if (target.scheme, target.netloc) == (own.scheme, own.netloc):
            return True
        return target.scheme == "https" and target.port in (None, 443) and target.hostname in self.hosts
