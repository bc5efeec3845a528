"""What decides about another try: failures that may pass, and how long to wait after them."""

import re
from email.utils import parsedate_to_datetime

from lenslab.http.errors import HttpError


class TransientError(HttpError):
    """A failure that may pass.

    Args:
        reason: What happened.
        pause: How long the service asks to wait, in seconds, where it says.
    """

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


def retry_after(header: str, now: float) -> float | None:
    """Read the header ``Retry-After``, a number or a date, as a pause in seconds; ``None`` where it makes no sense.

    Args:
        header: The header's value.
        now: The time, in seconds since 1970.

    Example:
        >>> retry_after("120", 0.0), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 15.0), retry_after("soon", 0.0)
        (120.0, 45.0, None)
    """
    header = header.strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d+)?", header, re.ASCII):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def duration(seconds: float) -> str:
    """Write a length of time as people say it.

    Example:
        >>> duration(0.25), duration(3), duration(600), duration(7200)
        ('0.2 s', '3 s', '10 min', '2 h')
    """
    if seconds < 1:
        return f"{seconds:.1g} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.2g} h"
