"""The exact engine against its opponents on a GPU: `benchmarks.ablation` there, with records of their own.

python -m benchmarks.cuda --case resnet18
"""

from __future__ import annotations

import sys

import torch

from benchmarks import ablation


def main() -> None:
    """Measure what `benchmarks.ablation` is asked for, on the first GPU."""
    if not torch.cuda.is_available():
        sys.exit("there is no GPU here that torch can use; python -m benchmarks.ablation measures on the processor")
    ablation.main([*sys.argv[1:], "--device", "cuda"])


if __name__ == "__main__":
    main()
