"""What a source record says, read again from the bytes that were kept."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import zstandard

from lenslab.library import shipped_records
from lenslab.papers.errors import MalformedError
from lenslab.papers.sources.record_parsers import PARSERS

if TYPE_CHECKING:
    from lenslab.papers.description import Description

# Making a compressor takes longer than a record does, and no two threads may use one at once.
_own = threading.local()
# No source may answer with more; what claims to be larger was not written by this library.
LARGEST_CONTENT = 128 << 20


def digest(raw: bytes) -> bytes:
    """Give the SHA-256 of a source's own words: equal words are not stored twice."""
    return hashlib.sha256(raw).digest()


def pack(raw: bytes) -> bytes:
    """Compress a source's own words.

    Raises:
        MalformedError: They are more than would be read again.

    Example:
        >>> unpack(pack(b"{}"))
        b'{}'
    """
    if len(raw) > LARGEST_CONTENT:
        raise MalformedError(f"it has {len(raw):,} bytes, and no more than {LARGEST_CONTENT:,} are kept")
    if not hasattr(_own, "compressor"):
        _own.compressor = zstandard.ZstdCompressor(level=1)
    packed: bytes = _own.compressor.compress(raw)
    return packed


def unpack(content: bytes | memoryview) -> bytes:
    """Decompress what ``pack`` compressed.

    Raises:
        MalformedError: The content is damaged, or was not made by ``pack``.
    """
    packed = bytes(content)
    try:
        # What ``pack`` makes says how large it was; what does not would have to be unpacked to be known.
        size = zstandard.frame_content_size(packed)
        if not 0 <= size <= LARGEST_CONTENT:
            raise MalformedError("what was kept is damaged: it is larger than anything that is kept")
        return zstandard.decompress(packed)
    except zstandard.ZstdError as error:
        raise MalformedError(f"what was kept is damaged: {error}") from None


def parse_record(source: str, content: bytes | memoryview) -> Description:
    """Parse a record as ``SourceRecord.content`` holds it.

    Raises:
        MalformedError: The record cannot be read by this version.
    """
    raw = unpack(content)
    if source in PARSERS:
        return PARSERS[source](raw)
    try:
        return shipped_records.parse(source, raw)
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError(f"a record of {source} cannot be read: {error!r}") from None
