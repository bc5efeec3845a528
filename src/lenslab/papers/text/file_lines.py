"""The lines of a file, plain or compressed and of any size, in bounded memory."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lenslab.http.gzip_stream import gunzip
from lenslab.papers.errors import FileError, MalformedError
from lenslab.papers.text.input_file import opened

LONGEST = 16 << 20
"""A line of more bytes than this is not kept; the longest record of arXiv has about 0.1 MB."""

_CHUNK = 1 << 18
# Text shrinks five-fold and records of one shape perhaps twenty-fold; what expands more than this is an attack.
_MOST_EXPANSION = 200
_JUDGED_FROM = 100 << 20
# One byte of Zstandard can stand for 32 kB, and the decompressor cannot stop in between: small bites bound
# what one of them becomes. Its window, which a file may ask for, is bounded as the command line tool bounds it.
_ZSTD_BITE = 1 << 10
_ZSTD_WINDOW = 1 << 27

_BOM = b"\xef\xbb\xbf"
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPABLE = tuple(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))
_OTHERS = {
    b"PK\x03\x04": "a ZIP archive; unpack it with: unzip",
    b"BZh": "compressed with bzip2; unpack it with: bunzip2",
    b"\xfd7zXZ\x00": "compressed with xz; unpack it with: unxz",
    b"PAR1": "a Parquet file; write it as JSON lines first",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}


@dataclass(frozen=True, slots=True)
class TooLong:
    """Stands where a line was too long to be kept; ``size`` is in bytes."""

    size: int


class _DamagedError(Exception):
    """What is wrong with the compressed bytes, for the caller to say where."""


def lines(
    path: Path | str, *, longest: int = LONGEST, progress: Callable[[int], None] | None = None
) -> Iterator[tuple[int, int | None, bytes | TooLong]]:
    r"""Read a file line by line; its first bytes, not its name, tell how it is compressed.

    Args:
        path: A plain file, or one compressed with gzip (of several members, too) or Zstandard.
        longest: A line of more bytes is skipped in bounded memory.
        progress: Called now and then with how many bytes of the file have been read.

    Yields:
        The line's number, counted from 1; where it begins in the file, in bytes, or ``None`` in a compressed one; and
        the line without its end (``\n`` or ``\r\n``), or a mark that it was too long. Empty lines are counted and not
        yielded; a byte order mark at the beginning is dropped.

    Raises:
        FileError: There is no such file, or it cannot be read.
        MalformedError: The file is of another kind, cut short, damaged, or expands beyond reason. Lines yielded
            before stand.

    Example:
        >>> import tempfile, gzip
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = file.write(gzip.compress(b"one\r\n\nthree")) and file.flush()
        ...     list(lines(file.name))
        [(1, None, b'one'), (3, None, b'three')]
    """
    path = Path(path)
    with opened(path) as file:
        head = file.peek(8)[:8]  # stays to be read: a pipe cannot be wound back
        compressed = True
        if head.startswith(_GZIP):
            chunks = _gunzipped(file)
        elif head.startswith((_ZSTD, *_SKIPPABLE)):
            chunks = _unzstandard(file)
        else:
            chunks = iter(lambda: file.read(_CHUNK), b"")
            compressed = False
            for magic, kind in _OTHERS.items():
                if head.startswith(magic):
                    raise MalformedError(f"{path} is {kind}")
        if progress is not None:
            chunks = _reporting(chunks, file, progress)
        yield from _split(path, chunks, compressed, longest)


def _reporting(chunks: Iterator[bytes], file: IO[bytes], progress: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in chunks:
        if file.seekable():
            progress(file.tell())
        yield chunk


def _split(
    path: Path, chunks: Iterator[bytes], compressed: bool, longest: int
) -> Iterator[tuple[int, int | None, bytes | TooLong]]:
    """Split chunks into lines; what a chunk leaves unfinished waits for the next ones, unless it is too long."""
    number, position = 1, 0
    waiting: list[bytes] = []
    waiting_size = 0
    while True:
        try:
            chunk = next(chunks, b"")
        except _DamagedError as damaged:
            before = "; the lines before it stand" if number > 1 else ""
            raise MalformedError(f"{path} {damaged} in line {number}{before}") from None
        except OSError as error:
            raise FileError(f"{path} cannot be read beyond line {number}: {error.strerror or error}") from error
        if not chunk and not waiting_size:
            return
        # The end of the file ends the line that waits.
        pieces = chunk.split(b"\n") if chunk else [b"", b""]
        last = pieces.pop()
        if waiting_size and pieces:
            pieces[0] = b"".join((*waiting, pieces[0])) if waiting_size <= longest else pieces[0]
            size = len(pieces[0]) + (waiting_size if waiting_size > longest else 0)
            waiting, waiting_size = [], 0
            if size > longest:
                yield number, None if compressed else position, TooLong(size)
                number, position = number + 1, position + size + 1
                del pieces[0]
        for piece in pieces:
            size = len(piece)
            if size > longest:
                yield number, None if compressed else position, TooLong(size)
            elif number == 1 or piece.endswith(b"\r"):
                line = piece.removesuffix(b"\r")
                begin = position
                if number == 1 and line.startswith(_BOM):
                    line, begin = line[len(_BOM) :], len(_BOM)
                if line:
                    yield number, None if compressed else begin, line
            elif piece:
                yield number, None if compressed else position, piece
            number += 1
            position += size + 1
        if last:
            waiting_size += len(last)
            waiting.append(last)
            if waiting_size > longest:
                waiting.clear()


def _gunzipped(file: IO[bytes]) -> Iterator[bytes]:
    taken = made = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        while piece := file.read(_CHUNK):
            taken += len(piece)
            yield piece

    try:
        for chunk in gunzip(pieces()):
            made += len(chunk)
            _check_expansion(taken, made)
            yield chunk
    except EOFError:
        raise _DamagedError("is cut short: its gzip stream ends") from None
    except zlib.error as error:
        raise _DamagedError(f"is damaged: its gzip stream breaks ({error})") from None


def _unzstandard(file: IO[bytes]) -> Iterator[bytes]:
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    taken = made = 0
    waiting = b""
    while waiting := waiting or file.read(_ZSTD_BITE):
        frame = decompressor.decompressobj()
        while not frame.eof:
            if not waiting and not (waiting := file.read(_ZSTD_BITE)):
                raise _DamagedError("is cut short: its Zstandard stream ends")
            try:
                chunk = frame.decompress(waiting)
            except zstandard.ZstdError as error:
                raise _DamagedError(f"is damaged: its Zstandard stream breaks ({error})") from None
            left = frame.unused_data if frame.eof else b""
            taken, made = taken + len(waiting) - len(left), made + len(chunk)
            waiting = left
            _check_expansion(taken, made)
            if chunk:
                yield chunk


def _check_expansion(taken: int, made: int) -> None:
    if made > _JUDGED_FROM and made > _MOST_EXPANSION * taken:
        raise _DamagedError(
            f"expands more than {_MOST_EXPANSION}-fold, as no list of records does, and was not read further:"
            f" {taken:,} bytes became {made:,}"
        )
