"""What a source record says, read again from the bytes that were kept."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import zstandard

from lenslab.library import entries
from lenslab.papers import sources

if TYPE_CHECKING:
    from lenslab.papers.description import Description

# Making a compressor takes longer than a record does, and no two threads may use one at once.
_own = threading.local()
# A record larger than this was not written by this library.
LARGEST_CONTENT = 64 * 2**20


def digest(raw: bytes) -> bytes:
    """The SHA-256 of a source's own words: equal words are not stored twice."""
    return hashlib.sha256(raw).digest()


def pack(raw: bytes) -> bytes:
    """A source's own words, compressed.

    >>> unpack(pack(b"{}"))
    b'{}'
    """
    if not hasattr(_own, "compressor"):
        _own.compressor = zstandard.ZstdCompressor(level=1)
    packed: bytes = _own.compressor.compress(raw)
    return packed


def unpack(content: bytes | memoryview) -> bytes:
    """What ``pack`` compressed."""
    return zstandard.decompress(bytes(content), max_output_size=LARGEST_CONTENT)


def described(source: str, content: bytes | memoryview) -> Description:
    """What a kept record says.

    Args:
        source: the source's name.
        content: the record as ``SourceRecord.content`` holds it.

    Raises:
        MalformedError: the record cannot be read by this version.
    """
    raw = unpack(content)
    return sources.parse(source, raw) if source in sources.MODULES else entries.parse(source, raw)
