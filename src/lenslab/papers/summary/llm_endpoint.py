"""An endpoint of a language model: one question in, one answer out, over the form that OpenAI's chat completions have.

It is configured from the environment alone: ``LENSLAB_LLM_URL`` (for instance ``http://localhost:11434/v1``),
``LENSLAB_LLM_MODEL``, and ``LENSLAB_LLM_KEY`` where it wants one. The key stands in no message and is never stored.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import stamina

from lenslab.papers.errors import MalformedError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LARGEST = 1 << 20
_MOST_TOKENS = 2000
_ATTEMPTS = 4
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_ADVICE = {
    400: "check LENSLAB_LLM_MODEL and whether the endpoint speaks chat completions",
    401: "check LENSLAB_LLM_KEY",
    403: "check LENSLAB_LLM_KEY and what it may use",
    404: "check LENSLAB_LLM_URL (it usually ends in /v1) and LENSLAB_LLM_MODEL",
}


class _TransientError(Exception):
    """A failure that may pass, and how long the endpoint asks to wait, where it says."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A language model that can be asked.

    Attributes:
        url: The base address, or the whole address of its chat completions.
        model: The model's name at the endpoint.
        key: What it knows us by; empty where it asks for none.
        deadline: How many seconds one answer may take.
        patience: The longest pause, in seconds, that is waited for between two attempts.
        sleep: Waits for that many seconds.
        clock: Tells the time, in seconds from any start.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    deadline: float = 120.0
    patience: float = 60.0
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False, compare=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise SourceError(
                "LENSLAB_LLM_URL is no address of an endpoint; give one such as http://localhost:11434/v1, "
                "without a name or a key in it"
            )
        if not self.model:
            raise SourceError("LENSLAB_LLM_URL is set and LENSLAB_LLM_MODEL is not; name the model to ask")
        if not re.fullmatch(r"[!-~]*", self.key):
            raise SourceError("LENSLAB_LLM_KEY holds no key: there are letters in it that no key has")

    @property
    def host(self) -> str:
        """Where the endpoint runs, as a summary says it.

        Example:
            >>> Endpoint("http://localhost:11434/v1", "small").host
            'localhost:11434'
        """
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""

    def complete(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Asks for the next message of a conversation.

        Args:
            messages: The conversation, each message with ``role`` and ``content``.

        Returns:
            The text of the answer.

        Raises:
            SourceError: The endpoint does not answer, refuses, or the model declines.
            MalformedError: The answer has not the form of a chat completion, or was cut off.
        """
        content = json.dumps(
            {
                "model": self.model,
                "messages": [dict(message) for message in messages],
                "temperature": 0,
                "max_tokens": _MOST_TOKENS,
                "stream": False,
            }
        ).encode()
        tries = stamina.retry_context(
            # The pause is made below, where it can be as long as the endpoint asks.
            on=lambda error: 0.0 if isinstance(error, _TransientError) else False,
            attempts=_ATTEMPTS,
            timeout=None,
            wait_initial=1.0,
            wait_max=self.patience,
            wait_jitter=0,
        )
        try:
            for attempt in tries:
                with attempt:
                    try:
                        return _text(self._answer(content))
                    except _TransientError as error:
                        self._pause(error, attempt)
                        raise
        except _TransientError as error:
            raise SourceError(
                f"the language model at {self.host} does not answer: {error} (asked {_ATTEMPTS} times); "
                "try again later, or unset LENSLAB_LLM_URL to do without"
            ) from None
        raise AssertionError("unreachable")

    def _pause(self, error: _TransientError, attempt: stamina.Attempt) -> None:
        pause = attempt.next_wait if error.pause is None else error.pause
        if pause > self.patience:
            raise SourceError(
                f"the language model at {self.host} asks for a pause of {pause:,.0f} s; try again after that"
            ) from None
        if attempt.num < _ATTEMPTS:
            self.sleep(pause)

    def _answer(self, content: bytes) -> bytes:
        address = self.url.rstrip("/")
        if not address.endswith("/chat/completions"):
            address += "/chat/completions"
        # Nothing is unpacked, so nothing can swell.
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        ends = self.clock() + self.deadline
        try:
            with httpx.stream(
                "POST",
                address,
                content=content,
                headers=headers,
                timeout=httpx.Timeout(self.deadline, connect=min(10.0, self.deadline)),
                follow_redirects=False,
            ) as response:
                body = self._body(response, ends)
        except httpx.ReadTimeout:
            raise self._late() from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _TransientError(f"no answer came ({type(error).__name__})") from None
        status = response.status_code
        if status in _TRANSIENT:
            raise _TransientError(f"it answered {status}", _asked_pause(response.headers.get("Retry-After", "")))
        if response.has_redirect_location:
            raise SourceError(
                f"the language model at {self.host} sends on to another address, and no key is sent after it; "
                "set LENSLAB_LLM_URL to where it is"
            )
        if status != 200:
            raise SourceError(
                f"the language model at {self.host} refuses ({status}{self._said(body)}); "
                f"{_ADVICE.get(status, 'check LENSLAB_LLM_URL')}"
            )
        return body

    def _body(self, response: httpx.Response, ends: float) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise MalformedError(f"the language model at {self.host} packs its answer though it was asked not to")
        parts: list[bytes] = []
        size = 0
        for part in response.iter_raw():
            size += len(part)
            parts.append(part)
            if size > _LARGEST:
                raise MalformedError(
                    f"the language model at {self.host} answers with more than {_LARGEST:,} bytes; nothing was kept"
                )
            if self.clock() > ends:
                raise self._late()
        return b"".join(parts)

    def _late(self) -> SourceError:
        return SourceError(
            f"the language model at {self.host} did not finish within {self.deadline:g} s; "
            "choose a smaller model in LENSLAB_LLM_MODEL"
        )

    def _said(self, body: bytes) -> str:
        """What the endpoint says of an error, on one line and without the key."""
        try:
            error = json.loads(body)["error"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return ""
        said = error.get("message") if isinstance(error, dict) else error
        if not isinstance(said, str):
            return ""
        said = said.replace(self.key, "...") if self.key else said
        return ": " + " ".join("".join(letter if letter.isprintable() else " " for letter in said[:300]).split())


def configured(environment: Mapping[str, str] = os.environ) -> Endpoint | None:
    """The endpoint that the environment names, or ``None`` where it names none.

    Raises:
        SourceError: The environment names an endpoint that cannot be one.

    Example:
        >>> configured({}) is None
        True
    """
    url = environment.get("LENSLAB_LLM_URL", "").strip()
    if not url:
        return None
    model = environment.get("LENSLAB_LLM_MODEL", "").strip()
    return Endpoint(url, model, environment.get("LENSLAB_LLM_KEY", "").strip())


def _text(body: bytes) -> str:
    """The text inside of a chat completion."""
    if body.lstrip().startswith(b"data:"):
        return _streamed(body)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        what = "a web page" if body.lstrip()[:1] == b"<" else "something that is no JSON"
        raise MalformedError(f"the language model answers with {what}; {_ADVICE[404]}") from None
    message, reason = _choice(answer, "message")
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    if message.get("refusal") or reason == "content_filter":
        raise SourceError("the language model declines to answer; try another in LENSLAB_LLM_MODEL")
    if reason == "length":
        raise MalformedError("the language model's answer was cut off; try another in LENSLAB_LLM_MODEL")
    if not isinstance(content, str) or not content.strip():
        raise MalformedError(f"the language model's answer holds no text; {_ADVICE[404]}")
    return content


def _choice(answer: Any, part: str) -> tuple[dict[str, Any], object]:
    try:
        choice = answer["choices"][0]
        message = choice[part]
        reason = choice.get("finish_reason")
    except (LookupError, TypeError, AttributeError):
        message = reason = None
    if not isinstance(message, dict):
        raise MalformedError(f"the language model's answer is no chat completion; {_ADVICE[404]}")
    return message, reason


def _streamed(body: bytes) -> str:
    """The text of an answer that came in pieces though it was asked for whole, as some servers only do."""
    parts = []
    finished = False
    for line in body.decode("utf-8", errors="replace").splitlines():
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or not data:
            continue
        if data == "[DONE]":
            finished = True
            break
        try:
            delta, reason = _choice(json.loads(data), "delta")
        except (ValueError, RecursionError):
            raise MalformedError("the language model's answer breaks off; try again") from None
        finished = finished or reason == "stop"
        if isinstance(delta.get("content"), str):
            parts.append(delta["content"])
    if not finished or not parts:
        raise MalformedError("the language model's answer breaks off; try again")
    return "".join(parts)


def _asked_pause(retry_after: str) -> float | None:
    """What ``Retry-After`` says, in seconds, be it a number or a date; ``None`` where it makes no sense."""
    text = retry_after.strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d+)?", text, re.ASCII):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
