"""How often something may be tried: counted in the cache, forgotten after a while."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from django.core.cache import cache


@dataclass(frozen=True)
class Throttle:
    """At most ``most`` tries in ``seconds`` for each asker; then the count starts again."""

    name: str
    most: int
    seconds: int

    def spent(self, *asker: object) -> bool:
        """Tell whether the asker has used up every try."""
        return int(cache.get(self._key(asker), 0)) >= self.most

    def count(self, *asker: object) -> None:
        """Count one try."""
        key = self._key(asker)
        cache.add(key, 0, timeout=self.seconds)
        try:
            cache.incr(key)
        except ValueError:
            # It ran out between the two calls.
            cache.set(key, 1, timeout=self.seconds)

    def forget(self, *asker: object) -> None:
        """Start again, after a success."""
        cache.delete(self._key(asker))

    def _key(self, asker: tuple[object, ...]) -> str:
        # Hashed: what people type may be longer than a cache key, or hold characters that none may hold.
        return f"throttle:{self.name.replace(' ', '-')}:{sha256(repr(asker).encode()).hexdigest()}"


SIGN_IN = Throttle("sign in", most=8, seconds=15 * 60)
SIGN_UP = Throttle("sign up", most=10, seconds=60 * 60)
COMMENT = Throttle("comment", most=20, seconds=10 * 60)
