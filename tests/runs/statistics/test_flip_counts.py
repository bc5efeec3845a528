import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.records import BrokenRecordError
from lenslab.runs.statistics.flip_counts import count_flips, count_flips_by_draw, count_top_flips
from lenslab.runs.statistics.observations import observe
from tests.runs.statistics.planting import flips_frame, images_frame, planted_observations, random_observations


def test_losses_and_gains_are_counted_where_they_happened():
    images = images_frame([0, 0, 1, 1], half=["A", "B", "A", "B"])
    flips = flips_frame([(1, 0, 0, 1), (1, 1, 0, 1), (0, 2, 0, 1), (1, 3, 0, 2)])
    counts = count_flips(observe(flips, images, np.ones((4, 2)), classes=3))
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
    again = count_flips(type(seen)(**{**vars(seen), "unit": renamed}))
    assert (again.losses == count_flips(seen).losses[:, order]).all()
    assert (again.gains == count_flips(seen).gains[:, order]).all()


def test_counts_of_disjoint_images_add():
    images = images_frame([0, 1, 0, 1, 1])
    flips = flips_frame([(0, 0, 0, 1), (0, 1, 0, 1), (1, 4, 1, 0), (1, 3, 1, 2)])
    parts = []
    for first, last in ((0, 2), (2, 5)):
        own = flips[flips.image.between(first, last - 1)]
        parts.append(count_flips(observe(own, images.iloc[first:last], np.ones((last - first, 2)), classes=3)))
    whole = count_flips(observe(pd.DataFrame(flips), images, np.ones((5, 2)), classes=3))
    assert whole.losses.sum() == 3
    assert (whole.losses == parts[0].losses + parts[1].losses).all()
    assert (whole.gains == parts[0].gains + parts[1].gains).all()
    assert (whole.images == parts[0].images + parts[1].images).all()


def test_the_draws_add_up_to_the_whole_and_the_net_is_their_average():
    random = np.random.default_rng(0)
    seen = planted_observations(random, np.full((2, 3), 0.3), np.full((2, 3), 0.2), per_class=20, draws=4)
    whole, draws = count_flips(seen), list(count_flips_by_draw(seen))
    assert len(draws) == 4
    assert len({int(part.losses.sum()) for part in draws}) > 1
    assert (sum(part.losses for part in draws) == whole.losses).all()
    assert (sum(part.gains for part in draws) == whole.gains).all()
    assert whole.net == pytest.approx(np.mean([part.net for part in draws], axis=0))


def test_a_true_class_that_leaves_the_top_is_a_loss_and_one_that_enters_a_gain():
    seen = observe(flips_frame([]), images_frame([0, 1, 0], half=list("ABB")), np.ones((3, 2)), classes=2)
    top = pd.DataFrame({"unit": [1, 1, 0], "image": [0, 2, 1], "lost": [True, True, False]})
    counts = count_top_flips(seen, top)
    assert counts.losses.tolist() == [[[0, 0], [1, 0]], [[0, 0], [1, 0]]]
    assert counts.gains.tolist() == [[[0, 0], [0, 0]], [[0, 1], [0, 0]]]


def test_a_top_flip_of_an_unknown_image_is_refused():
    seen = observe(flips_frame([]), images_frame([0, 1]), np.ones((2, 1)), classes=2)
    with pytest.raises(BrokenRecordError, match="names image 9"):
        count_top_flips(seen, pd.DataFrame({"unit": [0], "image": [9], "lost": [True]}))
