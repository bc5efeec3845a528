"""From a network and images to a table: every column by hand on one network, and laws on the awkward ones."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from lenslab.units import UnitsError, ablate, measure_attributes, trace
from lenslab.units.attribute_measurement import align_concepts, measure_class_attributes
from lenslab.units.images.concept_masks import ConceptImages
from lenslab.units.networks import Network
from tests.units import toys

NETWORKS = [toys.Residual, toys.Branches, toys.Shared, toys.Untraceable]
COLUMNS = [
    *("site", "unit", "dead", "class_selectivity", "l1_norm", "l1_norm_folded", "class_correlation"),
    *("class_correlation_class", "mutual_information", "apoz", "mean_activation", "max_activation", "precision"),
    *("ccmas", "localist_selectivity", "maximum_informedness", "maximum_informedness_threshold"),
    *("maximum_informedness_class", "feature_map_rank", "gradient_activation", "taylor"),
]


def quarters_network() -> Network:
    """Logits: unit 0 and unit 1 for class 0, 1.5 times unit 2 for class 1, each a quarter's brightness from 0 to 1."""
    network = toys.by_hand()
    network.module[0].weight.data /= 16
    return network


QUARTERS = (toys.quarters((0,), (0, 1), (2,), ()), [0, 0, 1, 1])


def test_every_column_is_what_a_pencil_gives():
    """Four 2x2 maps; with pencil and paper from the four images: white quarters 0; 0 and 1; 2; none."""
    table = measure_attributes(quarters_network(), QUARTERS, sites=["1"], top=2, bins=2)
    assert list(table.columns) == COLUMNS
    # Every unit is the mean of 4x4 patches, so unit u's map is the picture of the quarters: all units are the same.
    unit = table.iloc[0]
    means = np.array([1, 2, 1, 0]) / 4
    assert unit["mean_activation"] == means.mean()
    assert unit["max_activation"] == 1
    assert unit["apoz"] == 12 / 16
    # Ranks: one white quarter 1; the upper two 1; the lower left 1; nothing 0.
    assert unit["feature_map_rank"] == 3 / 4
    assert unit["class_selectivity"] == pytest.approx((3 / 8 - 1 / 8) / (3 / 8 + 1 / 8))
    assert unit["ccmas"] == pytest.approx(0.5)
    # The top two: 0.5 (class 0), then one place for 0.25 (class 0) and 0.25 (class 1).
    assert unit["precision"] == 0.75
    # Class 0 reaches down to 0.25, class 1 up to 0.25.
    assert unit["localist_selectivity"] == 0
    # From 0.25 on: all of class 0 and half of class 1; from 0.5 on: half and none; equal, so the higher threshold.
    assert (unit["maximum_informedness"], unit["maximum_informedness_threshold"]) == (0.5, 0.5)
    assert unit["maximum_informedness_class"] == 0
    # Edge at 0.25: below are classes 0, 1, 1 and above is class 0. H(T) = 0.8113, H(Y) = 1, H(T, Y) = 1.5.
    assert unit["mutual_information"] == pytest.approx(-(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)) - 0.5)
    assert unit["l1_norm"] == unit["l1_norm_folded"] == 1
    # Logits: [1, 0], [2, 0], [0, 1.5], [0, 0].
    p0 = 1 / (1 + np.exp(-np.array([1, 2, -1.5, 0])))
    assert unit["class_correlation"] == pytest.approx(np.corrcoef(means, p0)[0, 1], abs=1e-6)
    assert unit["class_correlation_class"] == 0
    assert not unit["dead"]


def test_gradient_scores_know_which_unit_is_wired_to_which_class():
    network = quarters_network()
    by_unit = measure_attributes(network, QUARTERS, sites=["1"])
    p0 = 1 / (1 + np.exp(-np.array([1, 2, -1.5, 0])))
    # The logit of class 0 takes unit 0 at position 0 (images 0 and 1) and unit 1 at position 1 (image 1); class 1 takes
    # 1.5 times unit 2 at position 2 (image 2); unit 3 leads nowhere. Silencing raises the loss by 1 - p of the class.
    gains = np.array([[1 - p0[0], 0, 0, 0], [1 - p0[1], 1 - p0[1], 0, 0], [0, 0, 1.5 * p0[2], 0], [0, 0, 0, 0]])
    assert by_unit["gradient_activation"].to_numpy() == pytest.approx(gains.mean(axis=0), abs=1e-6)
    assert by_unit["taylor"].to_numpy() == pytest.approx(gains.mean(axis=0) / 4, abs=1e-6)
    by_class = measure_class_attributes(network, QUARTERS, sites=["1"])
    table = by_class.pivot(index="unit", columns="label", values="gradient_activation")
    assert table.to_numpy() == pytest.approx(np.stack([gains[:2].mean(axis=0), gains[2:].mean(axis=0)]).T, abs=1e-6)
    assert by_class.columns.tolist() == [
        *("site", "unit", "label", "images", "mean_activation", "correlation", "gradient_activation", "taylor")
    ]
    assert by_class["mean_activation"].tolist() == [3 / 8, 1 / 8] * 4


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_batch_size_changes_nothing_beyond_rounding(kind):
    network = toys.network(toys.trained(kind()))
    whole, parts = (
        measure_attributes(network, toys.digits(40), sites=["*"], batch_size=size, rank_images=10, top=7)
        for size in (40, 7)
    )
    assert len(whole) > 10
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", NETWORKS)
def test_measuring_leaves_the_network_as_it_was(kind):
    module = toys.trained(kind())
    before = copy.deepcopy(module.state_dict())
    measure_attributes(toys.network(module), toys.digits(12), sites=["*"])
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert not any(part._forward_hooks or part.training for part in module.modules())


def test_the_table_agrees_with_what_an_ablation_records():
    network = toys.network(toys.trained(toys.Residual()))
    run = ablate(network, toys.digits(60))
    table = measure_attributes(network, toys.digits(60))
    for column in ("class_selectivity", "l1_norm"):
        assert table[column].to_numpy() == pytest.approx(run.units[column].to_numpy(), nan_ok=True, rel=1e-5)
    assert table["dead"].tolist() == run.units["dead"].tolist()


def test_the_forecast_is_the_rise_of_the_loss_where_the_network_is_nearly_linear():
    """Behind the site all is linear up to the softmax, and the softmax is so where the logits are small."""
    module = toys.trained(toys.Branches())
    module.last.weight.data *= 1e-3
    images = toys.digits(50)
    table = measure_attributes(toys.network(module), images, sites=["silu"])
    inputs, labels = toys.PLAIN(next(images.blocks(50)).pixels), torch.tensor(images.labels)
    program = trace(module, (1, 8, 8)).program(torch.device("cpu"), precision=torch.float64)
    with torch.inference_mode():
        plain = F.cross_entropy(program.logits(inputs), labels)
        silenced = [program.ablated_logits(inputs, "silu", torch.full((50,), unit)) for unit in range(7)]
        rises = np.array([float(F.cross_entropy(logits, labels) - plain) for logits in silenced])
    assert table["gradient_activation"].to_numpy() == pytest.approx(rises, abs=0.02 * np.abs(rises).max())


def test_what_is_left_out_is_nan():
    table = measure_attributes(quarters_network(), QUARTERS, sites=["1"], gradients=False, rank_images=0)
    assert table[["gradient_activation", "taylor", "feature_map_rank"]].isna().all(axis=None)
    assert table["apoz"].notna().all()


def test_dead_units_have_no_class_and_no_information():
    network = quarters_network()
    network.module[0].weight.data[3] = 0
    dead = measure_attributes(network, QUARTERS, sites=["1"]).iloc[3]
    assert dead["dead"]
    assert (dead["class_correlation_class"], dead["maximum_informedness_class"]) == (-1, -1)
    assert (dead["mutual_information"], dead["maximum_informedness"], dead["apoz"]) == (0, 0, 1)
    assert np.isnan(dead["class_correlation"])
    assert np.isnan(dead["precision"])


def test_a_network_that_answers_nan_is_refused_with_the_image():
    network = quarters_network()
    network.module[3].weight.data[0, 0] = float("nan")
    with pytest.raises(UnitsError, match="logits for image 0 are not finite"):
        measure_attributes(network, QUARTERS, sites=["1"])


def test_alignments_come_into_the_table_and_a_missing_one_is_named():
    network, (pixels, _) = quarters_network(), QUARTERS
    masks = np.stack([pixels > 0, pixels == 0], axis=1)
    alignments = align_concepts(network, ConceptImages.of_arrays(QUARTERS, masks), sites=["1"], quantile=0.25)
    table = measure_attributes(network, QUARTERS, sites=["1"], alignments=alignments)
    assert table["concept_alignment"].tolist() == alignments["1"].best.tolist()
    assert table["concept_alignment"].min() > 0.3
    assert table["concept_alignment_concept"].tolist() == [0] * 4
    with pytest.raises(UnitsError, match="no alignment was given for 0"):
        measure_attributes(network, QUARTERS, sites=["0", "1"], alignments=alignments)


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(UnitsError, match="no device 'nowhere' here"):
        measure_attributes(quarters_network(), QUARTERS, sites=["1"], device="nowhere")


def test_the_detected_class_is_of_the_labels_and_the_correlated_one_of_the_networks_belief():
    pixels, labels = QUARTERS
    table = measure_attributes(quarters_network(), (pixels, [1 - label for label in labels]), sites=["1"])
    assert table["class_correlation_class"].tolist() == [0] * 4
    assert table["maximum_informedness_class"].tolist() == [1] * 4
