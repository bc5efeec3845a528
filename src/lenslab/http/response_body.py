"""The body of a response, read piece by piece and never beyond its limits, before and after decompression."""

import json
import re
import time
import zlib
from collections.abc import Iterable, Iterator
from math import inf

from lenslab.http.errors import ResponseBodyError
from lenslab.http.gzip_stream import gunzip


def read_body(
    pieces: Iterable[bytes],
    *,
    encoding: str = "",
    largest: int = 64 << 20,
    seconds: float = inf,
    since: float | None = None,
) -> bytes:
    """Read a whole body.

    Args:
        pieces: The bytes as they come from the network.
        encoding: The header ``Content-Encoding``; only gzip was asked for.
        largest: The most bytes, both compressed and decompressed.
        seconds: The longest time that it may take.
        since: When that time began, by ``time.monotonic``; now by default.

    Raises:
        ResponseBodyError: The body is too long, cut off, or in an encoding that was not asked for.
        TimeoutError: The body takes too long.

    Example:
        >>> import gzip
        >>> read_body([gzip.compress(b"abc")], encoding="gzip")
        b'abc'
    """
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise ResponseBodyError(f"its body is encoded as {encoding[:40]!r}, which was not asked for")
    bounded = _bounded(_timely(pieces, seconds, since), largest)
    if encoding in ("", "identity"):
        return b"".join(bounded)
    try:
        return b"".join(_bounded(gunzip(bounded), largest, " when decompressed"))
    except zlib.error:
        raise ResponseBodyError("its body is not gzip, though its header says so") from None
    except EOFError:
        raise ResponseBodyError("its body was cut off") from None


def error_text(content: bytes) -> str:
    """Give what the body of an error says, on one line; nothing where it is a web page."""
    text = content.decode("utf-8", errors="replace")
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        held = None
    if isinstance(held, dict):
        parts = [held.get(name) for name in ("error", "message", "detail")]
        # A language model's endpoint nests the message.
        text = " ".join(str(part.get("message", "") if isinstance(part, dict) else part) for part in parts if part)
    elif summary := re.search(r"<summary[^>]*>([^<]{1,300})</summary>", text):
        text = summary[1]
    elif text.lstrip().startswith("<"):
        return ""
    return " ".join("".join(character if character.isprintable() else " " for character in text[:400]).split())[:200]


def _timely(pieces: Iterable[bytes], seconds: float, since: float | None) -> Iterator[bytes]:
    begun = time.monotonic() if since is None else since
    for piece in pieces:
        if time.monotonic() - begun > seconds:
            raise TimeoutError(f"its body has not come in {seconds:g} s")
        yield piece


def _bounded(pieces: Iterable[bytes], largest: int, when: str = "") -> Iterator[bytes]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > largest:
            raise ResponseBodyError(f"its body is longer than {largest:,} bytes{when}")
        yield piece
