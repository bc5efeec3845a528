"""A worker: a process of a cluster that makes pieces of a sweep, with the network loaded once."""

from __future__ import annotations

from typing import Any

import torch

from lenslab.units.cluster.commission import Commission
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.sweep.pieces import MadePiece, Piece
from lenslab.units.sweep.sweep import Sweep


class Worker:
    """Makes pieces. Ray makes it, and makes it again elsewhere where its process, or its machine, is lost.

    Every call brings Ray's reference to the commission, so a worker that was made again knows what to do. It comes in a
    list, because a bare one is looked up before the call, where what fails cannot be said in our words.
    """

    def __init__(self) -> None:
        self._sweep: Sweep | None = None

    def open(self, told: list[Any]) -> None:
        """See that everything is there.

        Raises:
            ClusterError: It is not.
        """
        self._opened(told)

    def make(self, told: list[Any], piece: Piece) -> MadePiece:
        """Make a piece."""
        sweep = self._opened(told)
        with full_precision():
            return sweep.make(piece)

    def _opened(self, told: list[Any]) -> Sweep:
        if self._sweep is None:
            import ray

            commission: Commission = ray.get(told[0])
            torch.set_num_threads(commission.threads)  # Ray's own variable for it is read before torch is
            sweep = commission.sweep()
            with full_precision():
                sweep.begin()
            self._sweep = sweep
        return self._sweep
