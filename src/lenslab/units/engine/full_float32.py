"""float32 that is float32: the shortcuts that some devices take by default are off while the engine runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision() -> Iterator[None]:
    """Switch TF32 off for convolutions and matrix products on CUDA, and back to what it was.

    Example:
        >>> with full_precision():
        ...     torch.backends.cudnn.allow_tf32
        False
    """
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32
    cudnn.allow_tf32 = matmul.allow_tf32 = False
    try:
        yield
    finally:
        cudnn.allow_tf32, matmul.allow_tf32 = before
