"""Devices: where a network runs, by the name that a person typed."""

from __future__ import annotations

import torch

from lenslab.units.errors import UnitsError


def device_of(name: str) -> torch.device:
    """Find a device and see that it works.

    Args:
        name: In torch's words, for instance ``"cpu"`` or ``"cuda:1"``.

    Raises:
        UnitsError: There is no such device here.

    Example:
        >>> device_of("cpu")
        device(type='cpu')
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # fails on meta, which holds no values
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA asserts
        reason = str(error).splitlines()[0]
        raise UnitsError(f"no device {name!r} here ({reason}); cpu is always there") from error
    return device
