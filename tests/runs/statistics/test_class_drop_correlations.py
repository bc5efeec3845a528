import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from lenslab.runs.statistics.changed_cells import ChangedCells
from lenslab.runs.statistics.class_drop_correlations import ClassDropCorrelations
from lenslab.runs.statistics.image_draws import draw_images
from lenslab.runs.statistics.observations import observe
from tests.runs.statistics.planting import flips_frame, images_frame, planted_observations, random_observations
from tests.runs.statistics.test_changed_cells import dense


def uneven(random):
    """Classes of two to many images, three of which lack a half or an image."""
    labels = np.repeat(np.arange(9), [40, 30, 7, 5, 4, 3, 2, 1, 0])
    half = np.where(np.arange(len(labels)) % 2, "B", "A")
    half[labels == 5] = "A"
    unit, image = np.nonzero(random.random((8, len(labels))) < random.random((8, 1)) / 4)
    flips = flips_frame(np.stack([unit, image, labels[image], (labels[image] + 1) % 9], axis=1))
    return observe(flips, images_frame(labels, half), random.random((len(labels), 8)), classes=8)


def several_draws(random):
    return planted_observations(random, np.full((6, 5), 0.05), np.full((6, 5), 0.1), per_class=9, draws=3)


@pytest.mark.parametrize("made", [random_observations, several_draws, uneven])
def test_the_correlations_are_those_of_all_pairs_written_out(made):
    random = np.random.default_rng(0)
    seen = made(random)
    cells = ChangedCells.of(seen)
    found = ClassDropCorrelations.of(cells)
    both = (seen.images > 0).all(axis=0)
    assert found.classes == both.sum()
    for drawn in next(draw_images(seen, replicates=4, seed=0)):
        units = random.integers(0, seen.units, seen.units)
        net = dense(cells, cells.net(drawn))[..., both] / seen.draws
        halves = (net / seen.images[:, None, both])[:, units].reshape(2, -1)
        correlations = found.correlate(drawn, np.bincount(units, minlength=seen.units))
        assert correlations["spearman"] == pytest.approx(spearmanr(*halves).statistic, abs=1e-12)
        assert correlations["pearson"] == pytest.approx(pearsonr(*halves).statistic, abs=1e-12)


def test_where_one_half_never_changes_there_is_no_correlation():
    seen = observe(flips_frame([(0, 0, 0, 1)]), images_frame([0, 0, 1, 1]), np.ones((4, 2)), classes=2)
    found = ClassDropCorrelations.of(ChangedCells.of(seen)).correlate(np.ones(4), np.ones(2, int))
    assert np.isnan([*found.values()]).all()


def test_equal_drops_of_every_pair_are_no_correlation():
    # The mean of six fifths is not a fifth in the last bit, which must not pass for a spread.
    lost = [(unit, 0) for unit in range(6)] + [(unit, 1 + 2 * image) for unit in range(6) for image in range(unit % 3)]
    flips = flips_frame([(unit, image, 0, 1) for unit, image in lost])
    seen = observe(flips, images_frame([0] * 10), np.ones((10, 6)), classes=1)
    found = ClassDropCorrelations.of(ChangedCells.of(seen)).correlate(np.ones(10), np.ones(6, int))
    assert np.isnan([*found.values()]).all()
