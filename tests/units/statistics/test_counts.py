import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lenslab.units.statistics.counts import count
from lenslab.units.statistics.observations import observe
from tests.units.statistics.planting import flips_frame, images_frame, random_observations


def test_losses_and_gains_are_counted_where_they_happened():
    images = images_frame([0, 0, 1, 1], half=["A", "B", "A", "B"])
    flips = flips_frame([(1, 0, 0, 1), (1, 1, 0, 1), (0, 2, 0, 1), (1, 3, 0, 2)])
    counts = count(observe(flips, images, np.ones((4, 2)), classes=3))
    assert counts.losses.tolist() == [[[0, 0, 0], [1, 0, 0]], [[0, 0, 0], [1, 0, 0]]]
    assert counts.gains.tolist() == [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]
    assert counts.net.tolist() == [[[0, -1, 0], [1, 0, 0]], [[0, 0, 0], [1, 0, 0]]]
    assert counts.images.tolist() == [[1, 1, 0], [1, 1, 0]]


@given(st.integers(0, 1000))
def test_permuting_units_permutes_the_counts(seed):
    random = np.random.default_rng(seed)
    seen = random_observations(random)
    order = random.permutation(seen.units)
    renamed = np.argsort(order)[seen.unit]
    again = count(type(seen)(**{**vars(seen), "unit": renamed}))
    assert (again.losses == count(seen).losses[:, order]).all()
    assert (again.gains == count(seen).gains[:, order]).all()


def test_counts_of_disjoint_images_add():
    images = images_frame([0, 1, 0, 1, 1])
    flips = flips_frame([(0, 0, 0, 1), (0, 1, 0, 1), (1, 4, 1, 0), (1, 3, 1, 2)])
    parts = []
    for first, last in ((0, 2), (2, 5)):
        own = flips[flips.image.between(first, last - 1)]
        parts.append(count(observe(own, images.iloc[first:last], np.ones((last - first, 2)), classes=3)))
    whole = count(observe(pd.DataFrame(flips), images, np.ones((5, 2)), classes=3))
    assert whole.losses.sum() == 3
    assert (whole.losses == parts[0].losses + parts[1].losses).all()
    assert (whole.gains == parts[0].gains + parts[1].gains).all()
    assert (whole.images == parts[0].images + parts[1].images).all()
