"""A gzip stream from elsewhere, decompressed in bounded memory."""

import zlib
from collections.abc import Iterable, Iterator

_CHUNK = 1 << 18


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a gzip stream of one or more members; zeros behind the last one, as tapes leave them, are dropped.

    Python's own reader would decompress a whole piece at once, however much comes out of it.

    Yields:
        The decompressed bytes, at most 256 kB at a time.

    Raises:
        EOFError: The stream is cut short.
        zlib.error: The stream is damaged, or not gzip.

    Example:
        >>> import gzip
        >>> b"".join(gunzip([gzip.compress(b"ab"), gzip.compress(b"c")]))
        b'abc'
    """
    member = None
    for piece in pieces:
        rest = piece
        while rest:
            if member is None or member.eof:
                if member is not None and not rest.strip(b"\0"):
                    break
                member = zlib.decompressobj(wbits=31)
            chunk = member.decompress(rest, _CHUNK)
            rest = member.unused_data if member.eof else member.unconsumed_tail
            if chunk:
                yield chunk
    if member is not None and not member.eof:
        if chunk := member.flush():
            yield chunk
        raise EOFError("the gzip stream is cut short")
