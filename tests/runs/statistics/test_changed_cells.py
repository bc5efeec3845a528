import dataclasses

import numpy as np
import pytest

from lenslab.runs.statistics import changed_cells
from lenslab.runs.statistics.changed_cells import ChangedCells
from lenslab.runs.statistics.flip_counts import count_flips
from lenslab.runs.statistics.observations import observe
from tests.runs.statistics.planting import flips_frame, images_frame, planted_observations, random_observations


def dense(cells, net):
    """Net losses over all units and classes from those of the changed cells."""
    found = np.zeros((2, cells.units, cells.images.shape[1]))
    found[:, cells.unit, cells.label] = net
    return found


@pytest.mark.parametrize("draws", [1, 3])
def test_the_cells_hold_all_that_was_lost_or_gained(draws):
    random = np.random.default_rng(0)
    seen = planted_observations(random, np.full((5, 7), 0.05), np.full((5, 7), 0.2), per_class=8, draws=draws)
    cells, counts = ChangedCells.of(seen), count_flips(seen)
    assert np.abs(counts.net).sum() > 0
    assert len(cells.unit) < 5 * 7
    assert (dense(cells, cells.net(np.ones(len(seen.labels)))) == counts.losses - counts.gains).all()


def test_every_unit_has_its_lowest_unchanged_classes():
    labels, half = [0, 1, 1, 2, 2, 3, 3], ["A", "A", "B", "A", "B", "A", "B"]
    flips = flips_frame([(1, 1, 1, 0), (2, 0, 0, 1), (2, 1, 1, 0), (2, 3, 2, 0), (2, 5, 3, 0)])
    cells = ChangedCells.of(observe(flips, images_frame(labels, half), np.ones((7, 3)), classes=4))
    kept = [cells.label[cells.unit == unit].tolist() for unit in range(3)]
    # Class 0 has images in one half alone, so the lowest with both is kept beside it.
    assert kept == [[0, 1], [0, 1, 2], [0, 1, 2, 3]]
    assert cells.readable.tolist() == [label > 0 for some in kept for label in some]


def test_counts_too_large_for_float32_are_kept_in_float64(monkeypatch):
    seen = random_observations(np.random.default_rng(0))
    drawn = np.random.default_rng(0).integers(0, 4, len(seen.labels)).astype(float)
    narrow = ChangedCells.of(seen)
    monkeypatch.setattr(changed_cells, "_EXACT", 10)
    wide = ChangedCells.of(seen)
    assert (narrow.changes.dtype, wide.changes.dtype) == (np.float32, np.float64)
    assert (narrow.net(drawn) == wide.net(drawn)).all()


def test_flips_from_wrong_to_wrong_leave_no_cell():
    seen = random_observations(np.random.default_rng(0))
    still = dataclasses.replace(seen, change=np.zeros_like(seen.change))
    cells = ChangedCells.of(still)
    assert cells.label.tolist() == [0] * seen.units
    assert cells.changes.nnz == 0
