"""The strongest images of a unit, found batch by batch."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.attributes.top_images import TopImages


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 9), st.integers(1, 7))
def test_batches_add_up_to_the_strongest_of_all(values: list[int], count: int, size: int) -> None:
    peaks = np.array(values, dtype=np.float64)[:, None]
    numbers = np.arange(len(values)) + 100
    parts = [TopImages.of(peaks[at : at + size], numbers[at : at + size], count) for at in range(0, len(values), size)]
    order = sorted(range(len(values)), key=lambda place: (-values[place], place))[:count]
    for summed in (sum(parts[1:], parts[0]), sum(parts[-2::-1], parts[-1])):
        assert summed.images[0].tolist() == [100 + place for place in order]
        assert summed.values[0].tolist() == [values[place] for place in order]
