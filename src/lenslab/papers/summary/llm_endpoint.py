"""An endpoint of a language model: one question in, one answer out, over the form that OpenAI's chat completions have.

It is configured from the environment alone: ``LENSLAB_LLM_URL`` (for instance ``http://localhost:11434/v1``),
``LENSLAB_LLM_MODEL``, and ``LENSLAB_LLM_KEY`` where it wants one. The key stands in no message and is never stored.
"""

import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from lenslab.http.client import HttpClient
from lenslab.http.errors import NotFoundError, RefusedError, UnavailableError
from lenslab.http.rate_limit import Rate
from lenslab.http.service import Service
from lenslab.papers.errors import MalformedError

_LARGEST = 1 << 20
_MOST_TOKENS = 2000
_ATTEMPTS = 4
_KEY_VARIABLE = "LENSLAB_LLM_KEY"
_CHECK_URL = "check LENSLAB_LLM_URL (it usually ends in /v1) and LENSLAB_LLM_MODEL"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A language model that can be asked.

    Attributes:
        url: The base address, or the whole address of its chat completions.
        model: The model's name at the endpoint.
        key: The key that it wants; empty where it wants none.
        deadline: How many seconds one answer may take.
        patience: The longest pause, in seconds, that is waited for between two attempts.
        sleep: Waits for that many seconds.
        clock: Tells the time, in seconds since 1970.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    deadline: float = 120.0
    patience: float = 60.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False, compare=False)
    clock: Callable[[], float] = field(default=time.time, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            host = (parts.hostname or "").encode("idna")  # which refuses what is no name of a host
            usable = parts.scheme in ("http", "https") and bool(host) and parts.port != 0
        except ValueError:
            parts, usable = urlsplit(""), False
        if not usable or parts.username or parts.password or re.search(r"\s", self.url):
            raise UnavailableError(
                "LENSLAB_LLM_URL is no address of an endpoint; give one such as http://localhost:11434/v1, "
                "without a name or a key in it"
            )
        if not self.model:
            raise UnavailableError("LENSLAB_LLM_URL is set and LENSLAB_LLM_MODEL is not; name the model to ask")
        if not re.fullmatch(r"[!-~]*", self.key):
            raise UnavailableError(f"{_KEY_VARIABLE} holds no key: it has characters that no key has")

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
        """Ask for the text of the next message of a conversation, whose messages have ``role`` and ``content``.

        Raises:
            UnavailableError: The endpoint does not answer, refuses, or the model declines.
            MalformedError: The answer has not the form of a chat completion, or was cut off.
        """
        payload = {
            "model": self.model,
            "messages": [dict(message) for message in messages],
            "temperature": 0,
            "max_tokens": _MOST_TOKENS,
            "stream": False,
        }
        try:
            with HttpClient(
                environment={**os.environ, _KEY_VARIABLE: self.key},
                attempts=_ATTEMPTS,
                patience=self.patience,
                sleep=self.sleep,
                clock=self.clock,
            ) as client:
                return _text(client.post(self._service(), "", {}, payload, bytes, subject="completions"))
        except (NotFoundError, RefusedError) as error:
            status = error.status if isinstance(error, RefusedError) else 404
            advice = "" if status in (200, 401, 403) else f"; {_CHECK_URL}"
            raise RefusedError(f"{error}{advice}", status=status) from None

    def _service(self) -> Service:
        address = self.url.rstrip("/")
        name = f"the language model at {self.host}"
        return Service(
            name=name,
            url=address if address.endswith("/chat/completions") else f"{address}/chat/completions",
            rate=Rate(name, 0.0),
            pause=1.0,
            key_variable=_KEY_VARIABLE,
            key_header="Authorization",
            key_scheme="Bearer",
            silence=self.deadline,
            seconds=self.deadline,
            retry_late=False,
            largest=_LARGEST,
            advice="try again later, name a smaller model in LENSLAB_LLM_MODEL, or unset LENSLAB_LLM_URL to do without",
        )


def configured(environment: Mapping[str, str] = os.environ) -> Endpoint | None:
    """Give the endpoint that the environment names, or ``None`` where it names none.

    Raises:
        UnavailableError: The environment names an endpoint that cannot be one.

    Example:
        >>> configured({}) is None
        True
    """
    url = environment.get("LENSLAB_LLM_URL", "").strip()
    if not url:
        return None
    model = environment.get("LENSLAB_LLM_MODEL", "").strip()
    return Endpoint(url, model, environment.get(_KEY_VARIABLE, "").strip())


def _text(body: bytes) -> str:
    """Read the text of a chat completion."""
    if body.lstrip().startswith(b"data:"):
        return _streamed(body)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedError(f"the language model answers with something that is no JSON; {_CHECK_URL}") from None
    message, reason = _choice(answer, "message")
    content = message.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(text for text in texts if isinstance(text, str))
    if message.get("refusal") or reason == "content_filter":
        raise RefusedError("the language model declines to answer; try another in LENSLAB_LLM_MODEL")
    if reason == "length":
        raise MalformedError("the language model's answer was cut off; try another in LENSLAB_LLM_MODEL")
    if not isinstance(content, str) or not content.strip():
        raise MalformedError(f"the language model's answer holds no text; {_CHECK_URL}")
    return content


def _choice(answer: Any, part: str) -> tuple[dict[str, Any], object]:
    try:
        choice = answer["choices"][0]
        message = choice[part]
        reason = choice.get("finish_reason")
    except (LookupError, TypeError, AttributeError):
        message = reason = None
    if not isinstance(message, dict):
        raise MalformedError(f"the language model's answer is no chat completion; {_CHECK_URL}")
    return message, reason


def _streamed(body: bytes) -> str:
    """Read the text of an answer that came in pieces though it was asked for whole; some servers only stream."""
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
