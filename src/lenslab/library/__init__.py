"""Where papers are kept: works, citations and where each fact came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenslab.library.opening import ready

__all__ = ["ready"]


def __getattr__(name: str) -> object:
    """Load ``ready`` on first use: Django imports this package before its settings are complete."""
    if name == "ready":
        from lenslab.library.opening import ready

        return ready
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
