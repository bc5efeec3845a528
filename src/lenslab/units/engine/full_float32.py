"""float32 that is float32: the shortcuts that some devices take by default are off while the engine runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_FULL, _UNSET = "ieee", "none"


@contextmanager
def full_precision() -> Iterator[None]:
    """Switch TF32 and bfloat16 off for convolutions and matrix products in float32, and back to what was set.

    Example:
        >>> torch.backends.cudnn.allow_tf32 = True
        >>> with full_precision():
        ...     pass
        >>> torch.backends.cudnn.allow_tf32
        True
    """
    places, name, full = _settings()
    before: list[tuple[Any, Any]] = []
    try:
        for place in places:
            said = getattr(place, name)
            # A setting within another follows that one unless it says otherwise itself.
            if place is places[0] or said not in (full, _UNSET):
                before.append((place, said))
                setattr(place, name, full)
        yield
    finally:
        for place, said in reversed(before):
            setattr(place, name, said)


def _settings() -> tuple[list[Any], str, Any]:
    """Give torch's settings of precision, the outer ones first, the name of each, and what is full precision."""
    backends: Any = torch.backends
    if not hasattr(backends, "fp32_precision"):  # before torch 2.9
        return [backends.cudnn, backends.cuda.matmul], "allow_tf32", False
    cudnn, onednn = backends.cudnn, backends.mkldnn
    outer = [backends, cudnn, cudnn.conv, cudnn.rnn, backends.cuda.matmul]
    return [*outer, onednn, onednn.conv, onednn.rnn, onednn.matmul], "fp32_precision", _FULL


def precisions() -> tuple[Any, ...]:
    """Read all of these settings.

    Example:
        >>> with full_precision():
        ...     len(set(precisions()))
        1
    """
    places, name, _ = _settings()
    return tuple(getattr(place, name) for place in places)
