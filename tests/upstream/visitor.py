"""A visitor of the upstream who waits on a virtual clock: minutes of patience cost no time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lenslab.http.client import HttpClient
from lenslab.http.rate_limit import RateLimiter
from tests.upstream.server import Upstream


@dataclass
class Visitor:
    """A client, what it logged, and how long it waited."""

    fetcher: HttpClient
    told: list[str]
    waits: list[float]
    now: list[float]
    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def visiting(server: Upstream, place: Path, **options: Any) -> Iterator[Visitor]:
    """A visitor who keeps the real services' intervals, virtually."""
    now, told, waits = [time.time()], [], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    environment = {**server.environment, **options.pop("environment", {})}
    environment.pop("LENSLAB_MIRROR_INTERVAL")
    limiter = RateLimiter(place / "pace", clock=lambda: now[0], sleep=sleep)
    fetcher = HttpClient(
        rate_limiter=limiter, clock=lambda: now[0], log=told.append, environment=environment, **options
    )
    with fetcher:
        yield Visitor(fetcher, told, waits, now, environment)
