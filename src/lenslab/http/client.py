"""The client: asks services at their rate, with retries, and only for what has changed.

Every request waits in the service's queue (``lenslab.http.rate_limit``), and so does every pause after a failure, so
that all processes of the machine respect it. Keys come from the environment, are put on at the last moment, and stand
in no message, log or cache.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import time
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from lenslab.http.errors import UnavailableError
from lenslab.http.rate_limit import RateLimiter
from lenslab.http.request import Request
from lenslab.http.response_cache import CachedResponse, MemoryCache, ResponseCache
from lenslab.http.retry import TransientError, duration
from lenslab.http.service import Service

if TYPE_CHECKING:
    import stamina


Value = TypeVar("Value")

_LONGEST_PAUSE = 160.0
_LEAST_LOGGED = 0.5
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)", re.IGNORECASE | re.DOTALL)
_NULL_HANDLER = logging.NullHandler()


class HttpClient:
    """Asks services, one request at a time.

    Args:
        cache: Keeps what services answer, so that they are asked only for what has changed.
        rate_limiter: The queues; by default those that all of the user's processes share.
        sleep: Waits for that many seconds.
        clock: Tells the time, in seconds since 1970.
        log: Called with a line for people whenever something takes its time.
        urls: Base addresses of services by the name of their variable; they go before the environment's.
        environment: Where keys, addresses and ``LENSLAB_CONTACT`` are looked up.
        attempts: How often a request is tried before it is given up.
        patience: The longest pause, in seconds, that is waited for; a service that asks for more is given up.
    """

    def __init__(
        self,
        *,
        cache: ResponseCache | None = None,
        rate_limiter: RateLimiter | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        log: Callable[[str], object] = str,
        urls: Mapping[str, str] | None = None,
        environment: Mapping[str, str] = os.environ,
        attempts: int = 6,
        patience: float = 600.0,
    ) -> None:
        from lenslab.http.transport import Transport

        self.cache = MemoryCache() if cache is None else cache
        directory = environment.get("LENSLAB_PACE")
        self._rate_limiter = rate_limiter or RateLimiter(directory, clock=clock, sleep=sleep)
        self._log = log
        self._urls = urls or {}
        self._environment = environment
        self._attempts = attempts
        self._patience = patience
        self._transport = Transport(self._rate_limiter, environment, clock)
        # Retries are logged above; without a handler stamina's own lines would go to the error stream, too.
        logging.getLogger("stamina").addHandler(_NULL_HANDLER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def get(
        self,
        service: Service,
        path: str,
        parameters: Mapping[str, str],
        read: Callable[[bytes], Value],
        *,
        subject: str,
        final: Collection[int] = (),
        cached: bool = True,
    ) -> Value:
        """Ask for something, and give what ``read`` makes of the answer.

        Args:
            service: Who is asked.
            path: What is appended to the base address, quoted.
            parameters: The parameters, unquoted.
            read: Makes a value of the body; a ``ValueError`` that it raises is a failure that may pass.
            subject: What is asked for, as a message names it.
            final: Statuses after which the request is not tried again, though after others it might be.
            cached: Whether the answer is kept and used; not worth it for what is asked for only once.

        Raises:
            NotFoundError: The service does not know what was asked for.
            RefusedError: The service refuses.
            UnavailableError: The service does not answer, or with nothing that can be read, however often it is asked.
        """
        service = service.configured(self._urls, self._environment)
        url = service.address(path, parameters)
        return self._ask(Request(service, "GET", url, subject, final=final, cached=cached), read)

    def post(
        self,
        service: Service,
        path: str,
        parameters: Mapping[str, str],
        payload: object,
        read: Callable[[bytes], Value],
        *,
        subject: str,
        final: Collection[int] = (),
    ) -> Value:
        """Ask as ``get`` does, with ``payload`` as a body in JSON; the answer is not cached."""
        service = service.configured(self._urls, self._environment)
        url, content = service.address(path, parameters), json.dumps(payload).encode()
        return self._ask(Request(service, "POST", url, subject, content, final), read)

    def _ask(self, request: Request, read: Callable[[bytes], Value]) -> Value:
        import stamina

        service = request.service
        response = self.cache.find(request.url) if request.cached else None
        tries = stamina.retry_context(
            # The pause is kept in the queue, where every process sees it; nothing is left to wait for here.
            on=lambda error: 0.0 if isinstance(error, TransientError) else False,
            attempts=self._attempts,
            timeout=None,
            wait_initial=service.pause,
            wait_max=_LONGEST_PAUSE,
            wait_jitter=0,
        )
        logged = 0.0
        try:
            for attempt in tries:
                with attempt:
                    try:
                        return self._attempt(request, response, read, logged)
                    except TransientError as error:
                        response = None  # a cached response that cannot be read is asked for anew
                        logged = self._pause(request, error, attempt)
                        raise
        except TransientError as error:
            times = "once" if self._attempts == 1 else f"{self._attempts} times"
            message = f"{service.name} does not answer when asked for {request.subject}: {error} (asked {times})"
            raise UnavailableError("; ".join(filter(None, (message, service.advice)))) from None
        raise AssertionError("unreachable")

    def _pause(self, request: Request, error: TransientError, attempt: stamina.Attempt) -> float:
        """Close the service's queue until the next try, and give for how long."""
        service = request.service
        if error.pause is not None and error.pause > self._patience:
            self._rate_limiter.postpone(service.rate, error.pause)
            raise UnavailableError(
                f"{service.name} asks for a pause of {duration(error.pause)} before it can be asked for "
                f"{request.subject}; give the same command again after that, it goes on from here"
            ) from None
        pause = attempt.next_wait * random.uniform(1.0, 1.25) if error.pause is None else error.pause
        self._rate_limiter.postpone(service.rate, pause)
        if attempt.num < self._attempts:
            self._log(f"{service.name}: {error}; try {attempt.num + 1} of {self._attempts} in {duration(pause)}")
        return pause

    def _attempt(
        self, request: Request, cached: CachedResponse | None, read: Callable[[bytes], Value], logged: float
    ) -> Value:
        response = self._transport.response(request, cached, lambda: self._wait(request.service, logged))
        if _HTML.match(response.content[:2000]):
            raise TransientError("it sent a web page where data was promised")
        try:
            value = read(response.content)
        except ValueError as error:
            raise TransientError(f"its answer cannot be read, {error}") from None
        if request.cached:
            self.cache.keep(response)
        return value

    def _wait(self, service: Service, logged: float) -> None:
        """Wait for the request's turn, and log the wait unless it is the pause that was logged before."""

        def report(seconds: float) -> None:
            if seconds >= logged + _LEAST_LOGGED:
                self._log(f"waiting {duration(seconds)} for {service.rate.name}")

        self._rate_limiter.wait(service.rate, patience=self._patience, report=report)
