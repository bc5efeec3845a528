"""The runner of pairs: those that were drawn and are not known yet go through the exact engine, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from lenslab.records import Draft
from lenslab.units.engine.batch import Batch, batch_of, batches
from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.engine.site_plan import Plan
from lenslab.units.question import Question
from lenslab.units.screening.pair_table import PAIRS, KeptPairs, keep, kept, pair_table
from lenslab.units.screening.site_screen import SiteScreen
from lenslab.units.sweep.schedule import BUDGET
from lenslab.units.sweep.sweep import Progress

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PairRunner:
    """Runs pairs, and writes them down.

    Attributes:
        question: What is asked.
        engine: Decides.
        plans: What happens at each site.
        draft: Where pairs are written.
        device: Where they are run.
        screens: The sites, by name.
        progress: Is told how far a round has come.
    """

    question: Question
    engine: ExactEngine
    plans: tuple[Plan, ...]
    draft: Draft
    device: torch.device
    screens: Mapping[str, SiteScreen]
    progress: Progress | None = None

    def decide(self, wanted: Mapping[str, Flags]) -> dict[str, Flags]:
        """Run what is wanted and not known, see `lenslab.units.screening.campaign.Decide`."""
        keys = {name: self._keys(name)[which] for name, which in wanted.items()}
        known = self._known()
        self._run({name: key[~known[name].has(key)] for name, key in keys.items()})
        known = self._known()
        changed = {name: np.zeros(len(which), np.bool_) for name, which in wanted.items()}
        for name, which in wanted.items():
            changed[name][which] = known[name].outcome(keys[name])
        return changed

    def _keys(self, name: str) -> Integers:
        forecast = self.screens[name].forecast
        return forecast.row * forecast.units + forecast.unit

    def _known(self) -> dict[str, KeptPairs]:
        pairs = dict(tuple(kept(self.draft).groupby("site", sort=False)))
        nothing = PAIRS.empty_table().to_pandas()
        return {
            name: KeptPairs.of(pairs.get(name, nothing), screen.numbers, screen.forecast.units)
            for name, screen in self.screens.items()
        }

    def _run(self, missing: Mapping[str, Integers]) -> None:
        if not any(len(key) for key in missing.values()):
            return
        costs = {plan.site.name: float(plan.cost or 0) for plan in self.plans}
        pieces: list[pa.Table] = []
        spent = 0.0
        for batch, rows in self._batches(missing):
            for name, key in missing.items():
                row, unit = np.divmod(key, self.screens[name].forecast.units)
                here = np.isin(row, rows)
                if here.any():
                    pieces += self._decided(batch, name, np.searchsorted(rows, row[here]), unit[here])
                    spent += costs[name] * int(here.sum())
            if spent >= BUDGET:
                keep(self.draft, pa.concat_tables(pieces))
                pieces, spent = [], 0.0
        if pieces:
            keep(self.draft, pa.concat_tables(pieces))

    def _batches(self, missing: Mapping[str, Integers]) -> Iterator[tuple[Batch, Integers]]:
        """Go through the images of which any pair is missing: batches, with the rows of their images."""
        numbers = next(iter(self.screens.values())).numbers
        needed = np.zeros(len(numbers), np.bool_)
        for name, key in missing.items():
            needed[key // self.screens[name].forecast.units] = True
        preprocessing, size = self.question.network.preprocessing, self.question.batch_size
        for images, batch in batches(self.question.images, preprocessing, size, self.device):
            rows = np.searchsorted(numbers, images.numbers)
            (some,) = needed[rows].nonzero()
            if len(some):
                inputs = batch.inputs[torch.as_tensor(some, device=self.device)]
                yield batch_of(inputs, images.labels[some], images.numbers[some]), rows[some]
            if self.progress is not None and len(images):
                self.progress(int(images.numbers[-1]) + 1, len(self.question.images))

    def _decided(self, batch: Batch, name: str, rows: Integers, units: Integers) -> Iterator[pa.Table]:
        with torch.inference_mode():
            predictions = self.engine.reference(batch).predictions.cpu().numpy()
            row, unit = (torch.as_tensor(each, device=self.device) for each in (rows, units))
            for piece in self.engine.decided(batch, name, row, unit):
                place, which, after = (part.cpu().numpy() for part in (piece.rows, piece.units, piece.after))
                labels = batch.labels.cpu().numpy()[place]
                yield pair_table(name, which, batch.numbers[place], labels, predictions[place], after)
