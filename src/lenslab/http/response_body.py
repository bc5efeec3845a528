"""The body of an answer, read piece by piece and no further than it may be long, before and after decompression."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

from lenslab.papers.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterable


def body(
    pieces: Iterable[bytes], *, encoding: str = "", largest: int = 64 << 20, seconds: float | None = None
) -> bytes:
    """Reads a whole body, or says why it is none.

    Args:
        pieces: The bytes as they come from the network.
        encoding: What the header ``Content-Encoding`` says; only gzip was asked for.
        largest: The most bytes, both on the way and decompressed.
        seconds: The most time from now; a body that drips in is given up.

    Raises:
        MalformedError: The body is too long, too slow, cut off, or encoded in a way that nobody asked for.

    Example:
        >>> import gzip
        >>> body([gzip.compress(b"abc")], encoding="gzip")
        b'abc'
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return b"".join(_bounded(pieces, largest, seconds))
    if encoding not in ("gzip", "x-gzip"):
        raise MalformedError(f"its body is encoded as {encoding[:40]!r}, which nobody asked for")
    return _gunzipped(_bounded(pieces, largest, seconds), largest)


def _bounded(pieces: Iterable[bytes], largest: int, seconds: float | None) -> Iterable[bytes]:
    begun, length = time.monotonic(), 0
    for piece in pieces:
        length += len(piece)
        if length > largest:
            raise MalformedError(f"its body is longer than {largest:,} bytes")
        if seconds is not None and time.monotonic() - begun > seconds:
            raise MalformedError(f"its body has not come in {seconds:g} s")
        yield piece


def _gunzipped(pieces: Iterable[bytes], largest: int) -> bytes:
    # Python's own stream reader would decompress a whole piece at once, however much comes out of it.
    found = bytearray()
    stream = zlib.decompressobj(wbits=31)
    began = False
    try:
        for piece in pieces:
            rest = piece
            while rest:
                if stream.eof:  # a second member may follow the first
                    stream = zlib.decompressobj(wbits=31)
                began = True
                found += stream.decompress(rest, largest + 1 - len(found))
                if len(found) > largest:
                    raise MalformedError(f"its body is longer than {largest:,} bytes when decompressed")
                rest = stream.unused_data if stream.eof else stream.unconsumed_tail
    except zlib.error:
        raise MalformedError("its body is no gzip, though its header says so") from None
    if began and not stream.eof:
        raise MalformedError("its body was cut off")
    return bytes(found)
