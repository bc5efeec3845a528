"""One request on the wire: sent with the service's key, followed where the service may lead, its answer judged."""

import datetime as dt
import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import httpx

from lenslab.http.errors import HttpError, NotFoundError, RefusedError, ResponseBodyError, UnavailableError
from lenslab.http.rate_limit import RateLimiter
from lenslab.http.request import Request
from lenslab.http.response_body import error_text, read_body
from lenslab.http.response_cache import CachedResponse
from lenslab.http.retry import TransientError, retry_after
from lenslab.http.service import Service
from lenslab.http.user_agent import user_agent

_LARGEST_ERROR = 64 << 10
_REDIRECTS = 5


class Transport:
    """Sends requests.

    Args:
        rate_limiter: Records when a request leaves.
        environment: Where keys and ``LENSLAB_CONTACT`` are looked up.
        clock: Tells the time, in seconds since 1970.
    """

    def __init__(self, rate_limiter: RateLimiter, environment: Mapping[str, str], clock: Callable[[], float]) -> None:
        self._rate_limiter = rate_limiter
        self._environment = environment
        self._clock = clock
        self._client = httpx.Client(
            headers={"User-Agent": user_agent(environment), "Accept-Encoding": "gzip"}, follow_redirects=False
        )
        logging.getLogger("httpx").addFilter(_without_keys)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def response(self, request: Request, cached: CachedResponse | None, wait: Callable[[], object]) -> CachedResponse:
        """Get the content behind an address, which may be reached through others of the same service.

        Args:
            request: What is asked.
            cached: An earlier response; it is given again where the service says that nothing has changed.
            wait: Waits for the next request's turn.

        Raises:
            NotFoundError: The service does not know what was asked for.
            RefusedError: The service refuses.
            TransientError: It does not answer, or answers with something that may pass.
            UnavailableError: Its key cannot be one, or its answer takes too long and is not to be asked for again.
        """
        service, url = request.service, request.url
        for _ in range(_REDIRECTS + 1):
            wait()
            begun = time.monotonic()
            try:
                with closing(self._sent(request, url, cached)) as response:
                    if response.has_redirect_location:
                        url = _redirected(request, url, response.headers["Location"])
                        continue
                    return self._read(request, response, cached, begun)
            except (httpx.TransportError, httpx.InvalidURL, ResponseBodyError, TimeoutError) as error:
                raise _failure(service, error) from None
        raise RefusedError(f"{service.name} sends a request for {request.subject} in circles", status=310)

    def _sent(self, request: Request, url: str, cached: CachedResponse | None) -> httpx.Response:
        service = request.service
        headers = {}
        if cached is not None and cached.etag:
            headers["If-None-Match"] = cached.etag
        if cached is not None and cached.last_modified:
            headers["If-Modified-Since"] = cached.last_modified
        if request.payload is not None:
            headers["Content-Type"] = "application/json"
        if key := self._key(service):
            if service.key_header:
                headers[service.key_header] = f"{service.key_scheme} {key}".lstrip()
            else:
                url += ("&" if "?" in url else "?") + urlencode({service.key_parameter: key})

        def record(event: str, _: Mapping[str, Any]) -> None:
            if event == "http11.send_request_headers.started":
                self._rate_limiter.record_departure(service.rate)

        built = self._client.build_request(
            request.method,
            url,
            content=request.payload,
            headers=headers,
            timeout=httpx.Timeout(service.silence, connect=min(15.0, service.silence)),
            extensions={"trace": record},
        )
        return self._client.send(built, stream=True)

    def _read(
        self, request: Request, response: httpx.Response, cached: CachedResponse | None, begun: float
    ) -> CachedResponse:
        service, status = request.service, response.status_code
        now = dt.datetime.fromtimestamp(self._clock(), dt.UTC)
        if status == 304 and cached is not None:
            return replace(cached, retrieved=now)

        def content(largest: int) -> bytes:
            encoding = response.headers.get("Content-Encoding", "")
            pieces = response.iter_raw()
            return read_body(pieces, encoding=encoding, largest=largest, seconds=service.seconds, since=begun)

        if status == 200:
            return CachedResponse(
                url=request.url,
                content=content(service.largest),
                retrieved=now,
                media_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
                etag=_sendable(response.headers.get("ETag", "")),
                last_modified=_sendable(response.headers.get("Last-Modified", "")),
            )
        key = self._key(service)
        try:
            body = content(_LARGEST_ERROR)
            # Some servers repeat the key that they do not like.
            text = error_text(body.replace(key.encode(), b"...") if key else body)
        except (ResponseBodyError, TimeoutError, httpx.TransportError):
            text = ""
        pause = retry_after(response.headers.get("Retry-After", ""), self._clock())
        raise _refusal(request, status, f"{status}: {text}" if text else str(status), pause, with_key=bool(key))

    def _key(self, service: Service) -> str:
        key = self._environment.get(service.key_variable, "").strip() if service.key_variable else ""
        if key and not re.fullmatch(r"[!-~]+", key):
            raise UnavailableError(f"{service.key_variable} holds no key: it has characters that no key has")
        return key


def _failure(service: Service, error: Exception) -> HttpError:
    if isinstance(error, httpx.ReadTimeout | TimeoutError) and not service.retry_late:
        return UnavailableError(f"{service.name} did not finish within {service.seconds:g} s; {service.advice}")
    if isinstance(error, ResponseBodyError | TimeoutError):
        return TransientError(str(error))
    reason = " ".join(str(error).split())[:160]
    return TransientError(f"no answer came ({type(error).__name__}{f': {reason}' if reason else ''})")


def _refusal(request: Request, status: int, reason: str, pause: float | None, *, with_key: bool) -> HttpError:
    service = request.service
    wrong = bool(service.invalid) and service.invalid in reason
    throttled = status == 429 or (status in service.throttling and not wrong)
    if (throttled or status in (304, 408, 425) or status >= 500) and status not in request.final:
        return TransientError(f"{'it is asked too often, it says' if throttled else 'it answered'} {reason}", pause)
    if status in (404, 410):
        return NotFoundError(f"{service.name} knows no {request.subject} ({reason})")
    advice = ""
    if status in (401, 403) and service.key_variable:
        advice = f"; {'check the' if with_key else 'it may want a'} key in {service.key_variable}"
    message = f"{service.name} refuses to answer for {request.subject} ({reason}){advice}"
    return RefusedError(message, status=status)


def _redirected(request: Request, url: str, location: str) -> str:
    """Give the address that a request is sent on to, without the key that it may repeat."""
    try:
        target, key = urljoin(url, location), request.service.key_parameter
        if key:
            parts = urlsplit(target)
            query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != key]
            target = urlunsplit(parts._replace(query=urlencode(query)))
        own, elsewhere = request.service.owns(target), urlsplit(target).netloc[:80]
    except ValueError:
        own, elsewhere = False, location[:80]
    if not own:
        raise RefusedError(
            f"{request.service.name} sends the request for {request.subject} on to {elsewhere!r}, "
            "which is not its own; nothing was asked there",
            status=302,
        )
    return target


def _without_keys(record: logging.LogRecord) -> bool:
    """Take keys out of the addresses that httpx logs."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            re.sub(r"(api_key=)[^&\s]*", r"\1...", str(part)) if isinstance(part, httpx.URL) else part
            for part in record.args
        )
    return True


def _sendable(header: str) -> str:
    """Give a header's value if it can be sent back; empty otherwise."""
    return header if re.fullmatch(r"[ -~]{1,256}", header) else ""
