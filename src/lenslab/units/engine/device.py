"""Devices: where a network runs, by the name that a person typed."""

from __future__ import annotations

import torch

from lenslab.units.errors import UnitsError


def device_of(name: str) -> torch.device:
    """Find a device by its name in torch's words, for instance ``"cuda:1"``, and see that it works.

    Example:
        >>> device_of("cpu")
        device(type='cpu')
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # fails on meta, which holds no values
    except (RuntimeError, AssertionError, TypeError) as error:  # torch built without CUDA asserts
        reason = str(error).splitlines()[0]
        raise UnitsError(f"no device {name!r} here ({reason}); cpu is always there") from error
    return device
