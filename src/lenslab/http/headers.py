"""What goes between lenslab and a service beside the data: introductions, complaints, and requests to wait."""

from __future__ import annotations

import json
import os
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from lenslab import __version__
from lenslab.papers.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTACT = re.compile(r"[!-~]+@[!-~]+|https?://[!-~]+", re.ASCII)


def user_agent(environment: Mapping[str, str] = os.environ) -> str:
    """How lenslab introduces itself; whoever runs it says in ``LENSLAB_CONTACT`` where to complain.

    Example:
        >>> user_agent({"LENSLAB_CONTACT": "ada@example.org"})
        'lenslab/... (self-hosted pages of papers; mailto:ada@example.org)'
    """
    contact = environment.get("LENSLAB_CONTACT", "").strip()
    if contact and not _CONTACT.fullmatch(contact):
        raise SourceError(f"LENSLAB_CONTACT is {contact[:80]!r}; give an e-mail address or a web address")
    where = contact if "://" in contact else f"mailto:{contact}"
    return f"lenslab/{__version__} (self-hosted pages of papers{f'; {where}' if contact else ''})"


def said_by(content: bytes) -> str:
    """What an error's body says, on one line; nothing where it says it in a web page."""
    text = content.decode("utf-8", errors="replace")
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        held = None
    if isinstance(held, dict):
        text = " ".join(str(held[name]) for name in ("error", "message", "detail") if held.get(name))
    elif summary := re.search(r"<summary[^>]*>([^<]{1,300})</summary>", text):
        text = summary[1]
    elif text.lstrip().startswith("<"):
        return ""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text[:400]).split())[:200]


def reason_of(error: Exception) -> str:
    """A failure of the connection, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}" if str(error) else type(error).__name__


def asked_pause(retry_after: str, now: float) -> float | None:
    """What the header ``Retry-After`` says, in seconds, be it a number or a date; ``None`` where it makes no sense.

    Args:
        retry_after: The header.
        now: The time, in seconds since 1970.

    Example:
        >>> asked_pause("120", 0.0), asked_pause("Thu, 01 Jan 1970 00:01:00 GMT", 15.0), asked_pause("soon", 0.0)
        (120.0, 45.0, None)
    """
    header = retry_after.strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d+)?", header, re.ASCII):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def duration(seconds: float) -> str:
    """A length of time as people say it.

    Example:
        >>> duration(0.25), duration(3), duration(600), duration(7200)
        ('0.2 s', '3 s', '10 min', '2 h')
    """
    if seconds < 1:
        return f"{seconds:.1g} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.2g} h"
