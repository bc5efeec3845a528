"""Verification: one wrong pair anywhere is found, and named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from lenslab.units import Ablation, ablate
from lenslab.units.errors import VerificationError
from lenslab.units.sweep.verification import draw, verify
from tests.units import toys


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    """Every pair of two sites and 20 images, as the plain engine decides it."""
    run = ablate(toys.network(toys.trained(toys.Residual())), toys.digits(20), engine="plain")
    before = run.record.table("images")["prediction"].to_numpy()
    pairs = pd.MultiIndex.from_product(
        [["relu:1", "relu:3"], range(6), range(20)], names=["site", "unit", "image"]
    ).to_frame(index=False)
    changed = run.flips.set_index(["site", "unit", "image"])["after"]
    after = changed.reindex(pd.MultiIndex.from_frame(pairs)).to_numpy()
    pairs["after"] = np.where(np.isnan(after), before[pairs["image"]], after).astype(int)
    return pairs.assign(path="suffix", draw=0, priority=np.linspace(0, 1, len(pairs)))


def checked(candidates: pd.DataFrame, *, pairs: int = 240, batch_size: int = 7) -> dict[str, int]:
    question = Ablation.of(toys.network(toys.trained(toys.Residual())), toys.digits(20))
    return verify(
        question.trace,
        question.plans,
        candidates,
        question.images,
        question.network.preprocessing,
        pairs=pairs,
        batch_size=batch_size,
        device=torch.device("cpu"),
    )


@pytest.mark.parametrize("batch_size", [1, 7, 20, 64])
def test_right_pairs_are_counted_by_path(truth: pd.DataFrame, batch_size: int) -> None:
    assert truth.groupby("image")["after"].nunique().max() > 2, "the values must differ among themselves"
    some = truth.iloc[::3].assign(path=["suffix", "inactive"] * 40)
    assert checked(some, batch_size=batch_size) == {"inactive": 40, "suffix": 40}


@pytest.mark.parametrize("wrong", [0, 19, 77, 120, 150, 239])
def test_one_wrong_pair_is_found_wherever_it_lies(truth: pd.DataFrame, wrong: int) -> None:
    pair = truth.loc[wrong]
    right = int(pair["after"])
    candidates = truth.assign(after=truth["after"].where(truth.index != wrong, (right + 1) % 10))
    named = f"site '{pair['site']}' unit {pair['unit']} image {pair['image']}: "
    answers = f"suffix gave {(right + 1) % 10}, plain {right}"
    with pytest.raises(VerificationError, match=rf"^1 of 240 pairs .* the plain way: {named}{answers}\. "):
        checked(candidates)


def test_of_many_wrong_pairs_five_are_named(truth: pd.DataFrame) -> None:
    with pytest.raises(VerificationError, match=r"^240 of 240 pairs") as refusal:
        checked(truth.assign(after=(truth["after"] + 1) % 10))
    assert str(refusal.value).count("suffix gave") == 5


def test_near_ties_are_checked_as_they_were_decided() -> None:
    made = toys.by_hand()
    made.module[3].weight.data[1] = made.module[3].weight.data[0] * (1 + 1e-6)
    images = (toys.quarters((0,), (1,), (0, 1)), [1, 1, 1])
    assert ablate(made, images, verify=12).record.document["verification"] == {"float64": 12}


def test_pairs_are_drawn_evenly_over_the_paths_and_the_strongest_first() -> None:
    candidates = pd.DataFrame({"path": list("aaaabc"), "priority": [0.1, 0.9, 0.5, 0.7, 0.2, 0.3]})
    assert draw(candidates, 3)["path"].tolist() == ["a", "c", "b"]
    assert draw(candidates, 5)["priority"].tolist() == [0.9, 0.3, 0.2, 0.7, 0.5]
    assert len(draw(candidates, 100)) == 6
    assert len(draw(candidates, 0)) == 0
