"""The forecast of margins: exact where the network is linear behind the site, blind to what leads nowhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lenslab.units import Ablation, UnitsError
from lenslab.units.engine.batch import Batch, batches
from lenslab.units.screening.margin_forecast import MarginForecast
from lenslab.units.silencing.replacements import with_replacements
from tests.units import toys

DEVICE = torch.device("cpu")


def forecast_of(asked: Ablation) -> tuple[Batch, np.ndarray, dict[str, np.ndarray]]:
    ((_, batch),) = batches(asked.images, asked.network.preprocessing, len(asked.images), DEVICE)
    return batch, *MarginForecast(asked.trace, asked.plans, DEVICE).of(batch)


def test_in_front_of_a_linear_layer_it_gives_the_hands_margins() -> None:
    asked = Ablation.of(toys.by_hand(), (toys.quarters((0, 1, 2), (2,)), [0, 0]), sites=["1"])
    _, before, after = forecast_of(asked)
    # in units of 16: class 0 is quarter 0 + quarter 1, class 1 is 1.5 * quarter 2
    assert (before / 16).tolist() == pytest.approx([0.5, -1.5])
    assert (after["1"] / 16).round(5).tolist() == [[-0.5, -0.5, 2.0, 0.5], [-1.5, -1.5, 0.0, -1.5]]


@pytest.mark.parametrize("replacement", ["zero", "mean", "0.3"])
def test_its_sign_is_the_answer_at_a_linear_tail_whatever_units_become(replacement: str) -> None:
    asked = Ablation.of("small", "digits", sites=["relu3"], replacement=replacement)
    plans = with_replacements(
        asked.plans, asked.intervention, asked.trace, asked.reference, asked.network.preprocessing, DEVICE
    )
    ((_, batch),) = batches(asked.images, asked.network.preprocessing, len(asked.images), DEVICE)
    before, after = MarginForecast(asked.trace, plans, DEVICE).of(batch)
    flips = asked.run().flips
    wrong = np.repeat((before <= 0)[:, None], 64, axis=1)
    wrong[flips["image"], flips["unit"]] = flips["after"] != flips["label"]
    assert ((after["relu3"] <= 0) == wrong).all()
    assert wrong.any(axis=1).sum() > (before <= 0).sum()


def test_an_in_place_network_is_forecast_and_left_as_it_was() -> None:
    module = toys.trained(toys.Residual())
    weights = [each.clone() for each in module.parameters()]
    asked = Ablation.of(toys.network(module), toys.digits(30))
    batch, before, after = forecast_of(asked)
    logits = module(batch.inputs)
    truth = logits.gather(1, batch.labels[:, None])[:, 0]
    others = logits.scatter(1, batch.labels[:, None], -torch.inf).amax(dim=1)
    assert before == pytest.approx((truth - others).detach().numpy(), abs=1e-4)
    assert len({each.tobytes() for each in after.values()}) == len(asked.plans)
    assert all((one == other).all() for one, other in zip(weights, module.parameters(), strict=True))


def test_a_network_that_cannot_be_traced_is_refused() -> None:
    asked = Ablation.of(toys.network(toys.trained(toys.Untraceable())), toys.digits(10))
    with pytest.raises(UnitsError, match="use --engine exact"):
        MarginForecast(asked.trace, asked.plans, DEVICE)
