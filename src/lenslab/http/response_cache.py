"""The cache of responses: what a service answered, when and under which tag, so that it is asked only for changes."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedResponse:
    """A response as it came.

    Attributes:
        url: The address that was asked, without any key.
        content: The body, decompressed.
        retrieved: When it came, or when the service last said that it has not changed; in UTC.
        media_type: The media type that the service gave.
        etag: The service's tag of this content; empty where it gave none.
        last_modified: When it last changed, as the service wrote it; empty where it does not say.
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


class ResponseCache(Protocol):
    """A place that keeps responses."""

    def find(self, url: str) -> CachedResponse | None:
        """Find the newest response to an address, if there is one."""
        ...

    def keep(self, response: CachedResponse, /) -> None:
        """Keep a response."""
        ...


class MemoryCache:
    """A cache for as long as the process lives; it keeps every response, the newest last.

    Example:
        >>> import datetime as dt
        >>> cache = MemoryCache()
        >>> new_year = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        >>> cache.keep(CachedResponse(url="https://example.org", content=b"a", retrieved=new_year))
        >>> cache.find("https://example.org").sha256[:8]
        'ca978112'
    """

    def __init__(self) -> None:
        self.responses: dict[str, list[CachedResponse]] = {}

    def find(self, url: str) -> CachedResponse | None:
        """Find the newest response to an address, if there is one."""
        return self.responses.get(url, [None])[-1]

    def keep(self, response: CachedResponse, /) -> None:
        """Keep a response behind the earlier ones."""
        self.responses.setdefault(response.url, []).append(response)
