"""The text of a bibliography file, in whichever encoding a reference manager wrote it."""

from pathlib import Path

from lenslab.papers.errors import MalformedError
from lenslab.papers.text.input_file import opened

LARGEST = 64 << 20
"""A file of more bytes is refused; the largest bibliographies of people have a few megabytes."""


def read_text(path: Path | str) -> str:
    """Read a file: UTF-8, UTF-16 where it says so, else Windows-1252.

    Raises:
        FileError: There is no such file, or it cannot be read.
        MalformedError: The file is too large, or it is no text.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = file.write("Gödel".encode("cp1252")) and file.flush()
        ...     read_text(file.name)
        'Gödel'
    """
    path = Path(path)
    with opened(path) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise MalformedError(f"{path} has more than {LARGEST >> 20} MB; divide it into several files")
    text = decoded(content)
    if "\0" in text:
        raise MalformedError(f"{path} is no text: it holds the character zero")
    return text


def decoded(content: bytes) -> str:
    """Decode some bytes; each line of the text ends with a line feed.

    Windows-1252 leaves five bytes without a meaning; they become the replacement character.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def from_utf8(raw: bytes) -> str:
    """Decode a record that has to be UTF-8.

    Raises:
        MalformedError: It is not; the message names the first wrong byte.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"not UTF-8: byte {error.start + 1} is 0x{raw[error.start]:02x}") from None
