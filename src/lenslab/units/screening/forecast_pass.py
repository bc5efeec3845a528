"""The pass over all images that screening begins with: predictions, forecasts, and what is known without a sample."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from lenslab.records import Draft
from lenslab.units.engine.batch import Batch, batches
from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.engine.outcome import DecidedPairs
from lenslab.units.engine.site_plan import LINEAR_TAIL, Plan
from lenslab.units.images import ImageBlock
from lenslab.units.question import Question
from lenslab.units.screening.margin_forecast import MarginForecast
from lenslab.units.screening.pair_table import PAIRS, pair_table
from lenslab.units.screening.site_forecast import SiteForecast
from lenslab.units.sweep.schedule import Block
from lenslab.units.sweep.shard_tables import BlockTables
from lenslab.units.sweep.shards import Shards
from lenslab.units.sweep.sweep import Progress

_BATCHES = 16
"""Batches in a block, which is what a killed run loses of this pass."""


@dataclass(frozen=True)
class ForecastPass:
    """The pass, written down block by block.

    Attributes:
        question: What is asked.
        engine: Decides with every unit in place, and every pair of the sites that have a closed form.
        plans: What happens at each site.
        draft: Where it is written.
        device: Where it is run.
        precision: In which forecasts are made.
    """

    question: Question
    engine: ExactEngine
    plans: tuple[Plan, ...]
    draft: Draft
    device: torch.device
    precision: torch.dtype

    def run(self, progress: Progress | None = None) -> Forecasts:
        """Make every block that is missing, and read all of them."""
        forecast, size = None, self.question.batch_size * _BATCHES
        blocks = []
        for start in range(0, len(self.question.images), size):
            block = Block(start, min(start + size, len(self.question.images)), ())
            if not Shards(self.draft).has("images", block):
                if forecast is None:
                    forecast = MarginForecast(self.question.trace, self.plans, self.device, self.precision)
                self._make(block, forecast)
            blocks.append(block)
            if progress is not None:
                progress(block.stop, len(self.question.images))
        return Forecasts(self.draft, tuple(blocks), {plan.site.name: plan.count for plan in self.plans})

    def _make(self, block: Block, forecast: MarginForecast) -> None:
        found, images = _Found(self.plans), BlockTables(None, profiled=False)
        preprocessing, size = self.question.network.preprocessing, self.question.batch_size
        seen = batches(self.question.images, preprocessing, size, self.device, start=block.start, stop=block.stop)
        for decoded, batch in seen:
            images.skipped += decoded.skipped
            if len(batch):
                with torch.inference_mode():
                    reference = self.engine.reference(batch)
                    images.add(decoded, reference)
                    known = {plan.site.name: self._known(batch, plan) for plan in self.plans}
                    predictions = reference.predictions.cpu().numpy()
                found.add(decoded, predictions, *forecast.of(batch), known)
        shards = Shards(self.draft)
        shards.write("forecast", block, None, found.forecasts())
        shards.write("closed", block, None, pa.concat_tables([PAIRS.empty_table(), *found.closed]))
        shards.write_all(block, None, images.tables())

    def _known(self, batch: Batch, plan: Plan) -> list[DecidedPairs]:
        """Give the pairs that are decided for free: silent anyway, or all where there is a closed form."""
        decisions = self.engine.decisions(batch, plan.site.name)
        return [*decisions] if plan.path == LINEAR_TAIL else [next(decisions)]


@dataclass
class _Found:
    """What a block gave so far."""

    plans: tuple[Plan, ...]
    numbers: list[NDArray[np.int64]] = field(default_factory=list)
    before: list[NDArray[np.float32]] = field(default_factory=list)
    after: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)
    closed: list[pa.Table] = field(default_factory=list)

    def add(
        self,
        images: ImageBlock,
        predictions: NDArray[np.int64],
        before: NDArray[np.float32],
        after: Mapping[str, NDArray[np.float32]],
        known: Mapping[str, list[DecidedPairs]],
    ) -> None:
        """Add a batch."""
        self.numbers.append(images.numbers)
        self.before.append(before)
        for plan in self.plans:
            site, forecast = plan.site.name, after[plan.site.name].copy()
            for piece in known[site]:
                rows, units, answers = (part.cpu().numpy() for part in (piece.rows, piece.units, piece.after))
                forecast[rows, units] = np.nan
                other = answers != predictions[rows]
                pairs = units[other], images.numbers[rows[other]], images.labels[rows[other]]
                self.closed.append(pair_table(site, *pairs, predictions[rows[other]], answers[other]))
            self.after.setdefault(site, []).append(forecast)

    def forecasts(self) -> pa.Table:
        """Put the forecasts into a table: a row for each image, a list of margins for each site."""
        columns = {
            "image": pa.array(np.concatenate([np.zeros(0, np.int64), *self.numbers]), pa.int32()),
            "before": pa.array(np.concatenate([np.zeros(0, np.float32), *self.before]), pa.float32()),
        }
        for plan in self.plans:
            empty = np.zeros((0, plan.count), np.float32)
            margins = np.concatenate([empty, *self.after.get(plan.site.name, [])])
            columns[f"site:{plan.site.name}"] = pa.FixedSizeListArray.from_arrays(
                pa.array(margins.ravel(), pa.float32()), plan.count
            )
        return pa.table(columns)


@dataclass(frozen=True)
class Forecasts:
    """The finished pass, read site by site.

    Attributes:
        draft: Where it lies.
        blocks: All blocks.
        units: How many units each site has.
    """

    draft: Draft
    blocks: tuple[Block, ...]
    units: Mapping[str, int]

    def images(self) -> pd.DataFrame:
        """Read the table of images."""
        frame: pd.DataFrame = Shards(self.draft).collected("images", self.blocks).to_pandas()
        return frame

    def skipped(self) -> pd.DataFrame:
        """Read which images do not decode."""
        frame: pd.DataFrame = Shards(self.draft).collected("skipped", self.blocks).to_pandas()
        return frame

    def closed(self) -> pd.DataFrame:
        """Read the changed predictions at the sites that have a closed form."""
        frame: pd.DataFrame = pa.concat_tables(self._tables("closed", None)).to_pandas()
        return frame

    def site(self, name: str, images: pd.DataFrame) -> SiteForecast:
        """Read what was forecast at a site; ``images`` is the table of images."""
        before = np.concatenate([each.column("before").to_numpy() for each in self._tables("forecast", ["before"])])
        column = f"site:{name}"
        after = [
            each.column(column).combine_chunks().flatten().to_numpy().reshape(-1, self.units[name])
            for each in self._tables("forecast", [column])
        ]
        scale = float(before.std()) or 1.0
        return SiteForecast(
            before=before.astype(np.float64) / scale,
            after=(np.concatenate(after) / scale).astype(np.float32),
            right=(images["label"] == images["prediction"]).to_numpy(),
        )

    def _tables(self, kind: str, columns: list[str] | None) -> Iterator[pa.Table]:
        for path in self.draft.shards(f"{kind}-*.parquet"):
            if re.fullmatch(rf"{kind}-\d+-\d+", path.stem):
                yield pq.read_table(path, columns=columns, partitioning=None)
