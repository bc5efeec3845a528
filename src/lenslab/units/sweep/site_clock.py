"""A clock for the sites of a batch: what each took, on the wall and of the processors."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pyarrow as pa

from lenslab.units.sweep.shards import TIMES, table


@dataclass
class SiteClock:
    """Runs from when it is made; each lap is a site on a batch.

    Processor time is that of the whole process: of all threads that compute, and of the one that decodes ahead.

    Example:
        >>> lap = SiteClock().lap("relu1", 16)
        >>> lap.num_rows, lap.column("seconds")[0].as_py() >= 0
        (1, True)
    """

    _wall: float = field(default_factory=time.perf_counter)
    _processor: float = field(default_factory=time.process_time)

    def lap(self, site: str, images: int) -> pa.Table:
        """Give what was spent since the last lap, as a row of `lenslab.units.sweep.shards.TIMES`."""
        wall, processor = time.perf_counter(), time.process_time()
        row = table(TIMES, site, [images], [wall - self._wall], [processor - self._processor])
        self._wall, self._processor = wall, processor
        return row
