"""The one home of the network: asks a source politely, patiently and no further than it may.

Every request waits in the source's queue (``lenslab.http.rate_limit``), and so does every pause after a failure, so
that all processes of the machine respect it. Keys come from the environment, are put on at the last moment, and stand
in no message, log or archive.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import random
import re
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import httpx
import stamina

from lenslab.http.headers import asked_pause, duration, reason_of, said_by, user_agent
from lenslab.http.rate_limit import Pace
from lenslab.http.response_body import body
from lenslab.http.response_cache import Archive, Kept, MemoryArchive
from lenslab.papers.errors import MalformedError, NotFoundError, PapersError, RefusedError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import TracebackType

    from lenslab.http.service import Service

Value = TypeVar("Value")

_LONGEST_PAUSE = 160.0
_LARGEST_ERROR = 64 << 10
_REDIRECTS = 5
_WORTH_TELLING = 0.5
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Question:
    service: Service
    method: str
    url: str
    asked: str
    payload: bytes | None = None
    final: Collection[int] = ()
    archived: bool = False


class _TransientError(PapersError):
    """A failure that may pass: what happened, and how long the source asks to wait, where it says."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


class Fetcher:
    """Asks services, one question at a time.

    Args:
        archive: Keeps what services answer, so that they are asked only for what has changed.
        pace: The queues; by default those that all of the user's processes share.
        sleep: Waits for that many seconds.
        clock: Tells the time, in seconds since 1970.
        told: Is called with a line for people whenever something takes its time.
        urls: Base addresses of services by the name of their variable; they go before the environment's.
        environment: Where keys, addresses and ``LENSLAB_CONTACT`` are looked up.
        attempts: How often a question is asked before it is given up.
        patience: The longest pause, in seconds, that is waited for; a source that asks for more is given up.
    """

    def __init__(
        self,
        *,
        archive: Archive | None = None,
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        told: Callable[[str], object] | None = None,
        urls: Mapping[str, str] | None = None,
        environment: Mapping[str, str] = os.environ,
        attempts: int = 6,
        patience: float = 600.0,
    ) -> None:
        self.archive = MemoryArchive() if archive is None else archive
        self._pace = Pace(environment.get("LENSLAB_PACE"), clock=clock, sleep=sleep) if pace is None else pace
        self._clock = clock
        self._told = told or _tell_nobody
        self._urls = urls or {}
        self._environment = environment
        self._attempts = attempts
        self._patience = patience
        self._client = httpx.Client(
            headers={"User-Agent": user_agent(environment), "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(60.0, connect=15.0),
            follow_redirects=False,
        )
        logging.getLogger("httpx").addFilter(_without_keys)
        # Whoever wants to hear of retries is told so above; without a handler they would go to the error stream, too.
        logging.getLogger("stamina").addHandler(_NOWHERE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection."""
        self._client.close()

    def get(
        self,
        service: Service,
        path: str,
        parameters: Mapping[str, str],
        read: Callable[[bytes], Value],
        *,
        asked: str,
        final: Collection[int] = (),
        archived: bool = True,
    ) -> Value:
        """Asks a question that changes nothing.

        Args:
            service: Who is asked.
            path: What is appended to the base address, quoted.
            parameters: The parameters, unquoted.
            read: Makes a value of the body; a ``MalformedError`` that it raises is a failure that may pass.
            asked: What is asked for, as a message names it.
            final: Statuses not worth asking again, though for others they might be.
            archived: Whether the answer is kept, and a kept one told of; not worth it for what nobody asks twice.

        Returns:
            What ``read`` made.

        Raises:
            NotFoundError: The service does not know what was asked for.
            RefusedError: The service refuses.
            SourceError: The service does not answer, or with nothing that can be read, however often it is asked.
        """
        service = service.placed(self._urls, self._environment)
        question = _Question(service, "GET", service.address(path, parameters), asked, final=final, archived=archived)
        return self._ask(question, read)

    def post(
        self,
        service: Service,
        path: str,
        parameters: Mapping[str, str],
        payload: object,
        read: Callable[[bytes], Value],
        *,
        asked: str,
        final: Collection[int] = (),
    ) -> Value:
        """Asks a question that is too long for an address; its answer is not archived.

        Args:
            service: Who is asked.
            path: What is appended to the base address, quoted.
            parameters: The parameters, unquoted.
            payload: The body, sent as JSON.
            read: Makes a value of the answer.
            asked: What is asked for, as a message names it.
            final: Statuses not worth asking again, though for others they might be.

        Returns:
            What ``read`` made.

        Raises:
            NotFoundError: The service does not know what was asked for.
            RefusedError: The service refuses.
            SourceError: The service does not answer, or with nothing that can be read, however often it is asked.
        """
        service = service.placed(self._urls, self._environment)
        content = json.dumps(payload).encode()
        return self._ask(_Question(service, "POST", service.address(path, parameters), asked, content, final), read)

    def _ask(self, question: _Question, read: Callable[[bytes], Value]) -> Value:
        service = question.service
        kept = self.archive.find(question.url) if question.archived else None
        tries = stamina.retry_context(
            # The pause is kept in the queue, where every process sees it; nothing is left to wait for here.
            on=lambda error: 0.0 if isinstance(error, _TransientError) else False,
            attempts=self._attempts,
            timeout=None,
            wait_initial=service.pause,
            wait_max=_LONGEST_PAUSE,
            wait_jitter=0,
        )
        announced = 0.0
        try:
            for attempt in tries:
                with attempt:
                    try:
                        return self._attempt(question, kept, read, announced)
                    except _TransientError as error:
                        kept = None  # a kept answer that cannot be read is asked for anew
                        announced = self._pause(question, error, attempt)
                        raise
        except _TransientError as error:
            raise SourceError(
                f"{service.name} does not answer when asked for {question.asked}: {error} (asked {self._attempts} "
                f"times); wait some minutes and give the same command again, it goes on from here"
            ) from None
        raise AssertionError("unreachable")

    def _pause(self, question: _Question, error: _TransientError, attempt: stamina.Attempt) -> float:
        """Lets everybody wait before the next try, says so, and for how long."""
        service = question.service
        if error.pause is not None and error.pause > self._patience:
            self._pace.postpone(service.rate, error.pause)
            raise SourceError(
                f"{service.name} asks for a pause of {duration(error.pause)} before it can be asked for "
                f"{question.asked}; give the same command again after that, it goes on from here"
            ) from None
        pause = attempt.next_wait * random.uniform(1.0, 1.25) if error.pause is None else error.pause
        self._pace.postpone(service.rate, pause)
        if attempt.num < self._attempts:
            self._told(f"{service.name}: {error}; try {attempt.num + 1} of {self._attempts} in {duration(pause)}")
        return pause

    def _attempt(
        self, question: _Question, kept: Kept | None, read: Callable[[bytes], Value], announced: float
    ) -> Value:
        answer = self._answer(question, kept, announced)
        if _HTML.match(answer.content[:2000]):
            raise _TransientError("it sent a web page where data was promised")
        try:
            value = read(answer.content)
        except MalformedError as error:
            raise _TransientError(f"its answer cannot be read, {error}") from None
        if question.archived:
            self.archive.keep(answer)
        return value

    def _answer(self, question: _Question, kept: Kept | None, announced: float) -> Kept:
        """The content behind the address, which may be reached through others of the same service."""
        service, url = question.service, question.url
        for _ in range(_REDIRECTS + 1):
            self._pace.wait(
                service.rate,
                patience=self._patience,
                told=lambda seconds: self._tell_wait(service, seconds, announced),
            )
            try:
                with closing(self._sent(question, url, kept)) as response:
                    if response.has_redirect_location:
                        url = self._redirected(question, url, response.headers["Location"])
                        continue
                    return self._read_answer(question, response, kept)
            except (httpx.TransportError, httpx.InvalidURL) as error:
                raise _TransientError(f"no answer came ({reason_of(error)})") from None
            except MalformedError as error:
                raise _TransientError(str(error)) from None
        raise RefusedError(f"{service.name} sends a request for {question.asked} in circles", status=310)

    def _sent(self, question: _Question, url: str, kept: Kept | None) -> httpx.Response:
        service = question.service
        headers = {}
        if kept is not None and kept.etag:
            headers["If-None-Match"] = kept.etag
        if kept is not None and kept.last_modified:
            headers["If-Modified-Since"] = kept.last_modified
        if question.payload is not None:
            headers["Content-Type"] = "application/json"
        if key := self._key(service):
            if service.key_header:
                headers[service.key_header] = key
            else:
                url += ("&" if "?" in url else "?") + urlencode({service.key_parameter: key})

        def note(event: str, _: Mapping[str, Any]) -> None:
            if event == "http11.send_request_headers.started":
                self._pace.departed(service.rate)

        request = self._client.build_request(
            question.method, url, content=question.payload, headers=headers, extensions={"trace": note}
        )
        return self._client.send(request, stream=True)

    def _read_answer(self, question: _Question, response: httpx.Response, kept: Kept | None) -> Kept:
        service, status = question.service, response.status_code
        now = dt.datetime.fromtimestamp(self._clock(), dt.UTC)
        if status == 304 and kept is not None:
            return replace(kept, retrieved=now)
        encoding = response.headers.get("Content-Encoding", "")
        if status == 200:
            content = body(response.iter_raw(), encoding=encoding, largest=service.largest, seconds=service.seconds)
            return Kept(
                url=question.url,
                content=content,
                retrieved=now,
                media_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
                etag=_sendable(response.headers.get("ETag", "")),
                last_modified=_sendable(response.headers.get("Last-Modified", "")),
            )
        try:
            content = body(response.iter_raw(), encoding=encoding, largest=_LARGEST_ERROR, seconds=service.seconds)
            # Some servers repeat the key that they do not like.
            said = said_by(content.replace(key.encode(), b"...") if (key := self._key(service)) else content)
        except (MalformedError, httpx.TransportError):
            said = ""
        self._refuse(question, status, said, response.headers.get("Retry-After", ""))
        raise AssertionError("unreachable")

    def _refuse(self, question: _Question, status: int, said: str, retry_after: str) -> None:
        service = question.service
        because = f"{status}: {said}" if said else str(status)
        throttled = status == 429 or status in service.throttling
        if (throttled or status in (304, 408, 425) or status >= 500) and status not in question.final:
            reason = "it is asked too often, it says" if throttled else "it answered"
            raise _TransientError(f"{reason} {because}", asked_pause(retry_after, self._clock()))
        if status in (404, 410):
            raise NotFoundError(f"{service.name} knows no {question.asked} ({because})")
        advice = ""
        if status in (401, 403) and service.key_variable:
            advice = f"; {'check the' if self._key(service) else 'it may want a'} key in {service.key_variable}"
        raise RefusedError(f"{service.name} refuses to answer for {question.asked} ({because}){advice}", status=status)

    def _redirected(self, question: _Question, url: str, location: str) -> str:
        try:
            target = _without_parameter(urljoin(url, location), question.service.key_parameter)
            own, elsewhere = question.service.owns(target), urlsplit(target).netloc[:80]
        except ValueError:
            own, elsewhere = False, location[:80]
        if not own:
            raise RefusedError(
                f"{question.service.name} sends the request for {question.asked} on to {elsewhere!r}, "
                "which is not its own; nothing was asked there",
                status=302,
            )
        return target

    def _key(self, service: Service) -> str:
        key = self._environment.get(service.key_variable, "").strip() if service.key_variable else ""
        if key and not re.fullmatch(r"[!-~]+", key):
            raise SourceError(f"{service.key_variable} holds no key: there are letters in it that no key has")
        return key

    def _tell_wait(self, service: Service, seconds: float, announced: float) -> None:
        if seconds >= announced + _WORTH_TELLING:
            self._told(f"waiting {duration(seconds)} for {service.rate.name}")


def _without_parameter(url: str, name: str) -> str:
    if not name:
        return url
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != name]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _without_keys(record: logging.LogRecord) -> bool:
    """Takes keys out of what httpx logs of addresses."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            re.sub(r"(api_key=)[^&\s]*", r"\1...", str(part)) if isinstance(part, httpx.URL) else part
            for part in record.args
        )
    return True


def _sendable(header: str) -> str:
    """A header's value if it can be sent back; empty otherwise."""
    return header if re.fullmatch(r"[ -~]{1,256}", header) else ""


def _tell_nobody(_: str) -> None:
    """For whoever does not want to hear what takes its time."""


_NOWHERE = logging.NullHandler()
