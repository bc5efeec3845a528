"""Answers of sources, kept as they came: the library's archive behind the network's home."""

from __future__ import annotations

from lenslab.http.response_cache import CachedResponse
from lenslab.library.models import Payload
from lenslab.library.stored_records import digest, pack, unpack
from lenslab.papers.errors import MalformedError


class DatabaseCache:
    """A cache (`lenslab.http.response_cache.ResponseCache`) in the library's database: each address's newest answer."""

    def find(self, url: str) -> CachedResponse | None:
        """Find the newest answer to an address, if it can still be read."""
        if (found := Payload.objects.filter(url=url).first()) is None:
            return None
        try:
            content = unpack(found.content)
        except MalformedError:
            return None
        kept = {name: getattr(found, name) for name in ("url", "retrieved", "media_type", "etag", "last_modified")}
        return CachedResponse(content=content, **kept)

    def keep(self, kept: CachedResponse) -> None:
        """Keep an answer in the place of an earlier one; one that is too large to be read again is asked for anew."""
        try:
            content = pack(kept.content)
        except MalformedError:
            Payload.objects.filter(url=kept.url).delete()
            return
        Payload.objects.update_or_create(
            url=kept.url,
            defaults={
                "sha256": digest(kept.content),
                "content": content,
                "media_type": kept.media_type[:200],
                # Half a tag is none.
                "etag": kept.etag if len(kept.etag) <= 300 else "",
                "last_modified": kept.last_modified if len(kept.last_modified) <= 100 else "",
                "retrieved": kept.retrieved,
            },
        )
