"""How an opponent is timed: at its best batch size and memory layout, site by site, on some of the units."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.opponents import OPPONENTS, Flips, Sample
from lenslab import units

BATCHES = (6, 32, 128)
LAYOUTS = (torch.contiguous_format, torch.channels_last)

_TRIALS, _TRIAL_SECONDS = 3, 10.0
"""So often a setting is tried, unless that takes longer than this."""

Laps = dict[str, tuple[float, float]]
"""Wall and processor seconds of the clean pass (``""``) and of each site."""


class Watch:
    """Adds up what a clean pass and each site take."""

    def __init__(self) -> None:
        self.laps: Laps = {}
        self._began = _now()

    def lap(self, name: str) -> None:
        """Count what went by since the last lap under this name."""
        now, before = _now(), self.laps.get(name, (0.0, 0.0))
        self.laps[name] = tuple(was + new - old for was, new, old in zip(before, now, self._began, strict=True))
        self._began = now


def _now() -> tuple[float, float]:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()


@dataclass(frozen=True)
class Setting:
    """How an opponent is at its best: images a batch, and the memory layout."""

    size: int
    layout: torch.memory_format

    def batches(self, inputs: Tensor) -> list[Tensor]:
        """Cut images into such batches."""
        return [batch.contiguous(memory_format=self.layout) for batch in inputs.split(self.size)]

    def __str__(self) -> str:
        return f"{self.size} images a batch, channels {'last' if self.layout is torch.channels_last else 'first'}"


def best_setting(name: str, ablation: units.Ablation, inputs: Tensor, sample: Sample) -> Setting:
    """Try an opponent in all settings on a unit of each site, and give the fastest."""
    few: Sample = {site: chosen[:1] for site, chosen in sample.items()}
    trials = {}
    for size in sorted({min(size, len(inputs)) for size in BATCHES}):
        for layout in LAYOUTS:
            setting = Setting(size, layout)
            batch = setting.batches(inputs[:size])[0]
            took: list[float] = []
            while len(took) < _TRIALS and sum(took) < _TRIAL_SECONDS:
                watch = Watch()
                OPPONENTS[name](ablation, batch, few, watch.lap)
                took.append(sum(lap[1] for site, lap in watch.laps.items() if site))
            trials[setting] = min(took) / size
    return min(trials, key=trials.__getitem__)


def timed_opponent(
    name: str, ablation: units.Ablation, inputs: Tensor, sample: Sample, setting: Setting, images: int
) -> Callable[[], tuple[Laps, Flips]]:
    """Give what times an opponent at its best on some units and images, and says what it takes for so many images."""
    opponent, batches, share = OPPONENTS[name], setting.batches(inputs), images / len(inputs)
    scale = {"": share, **{plan.site.name: share * plan.count / len(sample[plan.site.name]) for plan in ablation.plans}}

    def run() -> tuple[Laps, Flips]:
        watch = Watch()
        pieces = [opponent(ablation, batch, sample, watch.lap) for batch in batches]
        laps = {site: (scale[site] * lap[0], scale[site] * lap[1]) for site, lap in watch.laps.items()}
        return laps, {pair: np.concatenate([piece[pair] for piece in pieces]) for pair in pieces[0]}

    return run


def spread(count: int, share: float) -> list[int]:
    """Take an evenly spread share of some things, one at least."""
    return np.unique(np.linspace(0, count - 1, max(1, round(share * count))).round().astype(int)).tolist()
