"""Quantiles of activations, found without keeping them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.attributes.activation_quantiles import ActivationQuantiles


def thresholds(*batches: np.ndarray, quantile: float) -> list[float]:
    found = ActivationQuantiles(batches[0].shape[1], quantile)
    for _ in range(ActivationQuantiles.ROUNDS):
        for maps in batches:
            found.add(maps)
        found.advance()
    return found.values.tolist()


@given(
    st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=60),
    st.floats(0.001, 0.999),
    st.integers(0, 60),
)
def test_a_threshold_is_the_value_below_the_largest_share_for_any_batches(values, quantile, cut):
    maps = np.array(values, dtype=np.float32)[:, None]
    batches = [part for part in (maps[:cut], maps[cut:]) if len(part)]
    ranked = np.sort(maps[:, 0] + 0)[::-1]
    above = min(int(np.floor(quantile * len(values) + 1e-9)), len(values) - 1)
    assert thresholds(*batches, quantile=quantile) == [ranked[above]]


def test_thresholds_of_several_units_and_positions_do_not_mix():
    maps = np.random.default_rng(0).normal(size=(50, 3, 4, 4)).astype(np.float32) * np.array([1, 10, -5])[:, None, None]
    found = thresholds(maps[:20], maps[20:], quantile=0.005)
    for unit, threshold in enumerate(found):
        assert (maps[:, unit] > threshold).sum() == 4  # 0.5 % of 800


def test_negative_zero_is_zero():
    assert thresholds(np.array([[0.0], [-0.0], [-1.0]]), quantile=0.4) == [0]
    assert thresholds(np.array([[-0.0], [-0.0], [-1.0]]), quantile=0.4) == [0]
