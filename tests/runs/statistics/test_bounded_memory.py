import tracemalloc

import numpy as np
import pytest

from lenslab.runs.statistics.attribute_correlations import correlations_table
from lenslab.runs.statistics.observations import observe
from lenslab.runs.statistics.reliability import reliability_table
from tests.runs.statistics.planting import flips_frame, images_frame

UNITS, CLASSES, IMAGES, REPLICATES = 120, 400, 8000, 100


@pytest.mark.parametrize("table", [correlations_table, reliability_table])
def test_a_bootstrap_takes_a_fraction_of_what_all_units_and_classes_would(table):
    random = np.random.default_rng(0)
    labels = np.arange(IMAGES) % CLASSES
    unit, image = np.nonzero(random.random((UNITS, IMAGES)) < 0.01)
    flips = flips_frame(np.stack([unit, image, labels[image], (labels[image] + 1) % CLASSES], axis=1))
    seen = observe(flips, images_frame(labels), random.random((IMAGES, UNITS), dtype=np.float32), classes=CLASSES)
    given = {"attributes": None} if table is correlations_table else {}
    tracemalloc.start()
    try:
        table("relu", seen, seed=0, replicates=REPLICATES, **given)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * REPLICATES * 2 * UNITS * CLASSES / 2
