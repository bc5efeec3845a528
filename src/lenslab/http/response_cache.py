"""The archive of answers: what a source said, with when and under which tag, to ask it only for what has changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer as it came.

    Attributes:
        url: What was asked for, without any key.
        content: The body, decompressed.
        retrieved: When it came or, after the source said that nothing has changed, when it said so; in UTC.
        media_type: What the source called it.
        etag: The source's tag of this content; empty where it gave none.
        last_modified: When it last changed, as the source wrote it; empty where it does not say.
    """

    url: str
    content: bytes = field(repr=False)
    retrieved: dt.datetime
    media_type: str = ""
    etag: str = ""
    last_modified: str = ""

    @property
    def sha256(self) -> str:
        """The content's hash, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()


class Archive(Protocol):
    """A place that keeps answers."""

    def find(self, url: str) -> Kept | None:
        """The newest answer to an address, if there is one."""
        ...

    def keep(self, kept: Kept) -> None:
        """Keeps an answer."""
        ...


class MemoryArchive:
    """An archive for as long as the process lives; it keeps every answer, the newest last.

    Example:
        >>> import datetime as dt
        >>> archive = MemoryArchive()
        >>> new_year = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        >>> archive.keep(Kept(url="https://example.org", content=b"a", retrieved=new_year))
        >>> archive.find("https://example.org").sha256[:8]
        'ca978112'
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Kept]] = {}

    def find(self, url: str) -> Kept | None:
        """The newest answer to an address, if there is one."""
        return self.answers.get(url, [None])[-1]

    def keep(self, kept: Kept) -> None:
        """Keeps an answer behind the earlier ones."""
        self.answers.setdefault(kept.url, []).append(kept)
