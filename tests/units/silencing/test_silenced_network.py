"""A network with silenced units as a module of its own: what it answers, and what it leaves alone."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable

import pytest
import torch
from torch import nn

from lenslab.units import ablate, silenced, trace
from lenslab.units.engine.site_intervention import Replacement
from lenslab.units.errors import UnitsError, UnknownSiteError, UnsupportedNetworkError
from tests.units import toys

CPU = torch.device("cpu")
SHAPE = (1, 8, 8)


def inputs(count: int = 12) -> torch.Tensor:
    (block,) = toys.digits(count).blocks(count)
    return toys.PLAIN(block.pixels)


@pytest.mark.parametrize("fill", [0.0, torch.arange(6.0)])
@pytest.mark.parametrize(
    ("module", "site"),
    [(toys.Residual, "relu:2"), (toys.Residual, "bn1"), (toys.Residual, "add"), (toys.Untraceable, "relu1")],
)
def test_it_answers_what_the_program_answers(module: type[nn.Module], site: str, fill: float | torch.Tensor) -> None:
    made = toys.trained(module())
    program = trace(made, SHAPE).program(CPU)
    quiet = silenced(toys.network(made), site, [2], fill=fill)
    with torch.inference_mode():
        expected = program.ablated_logits(inputs(), site, torch.full((12,), 2), Replacement(torch.as_tensor(fill)))
        torch.testing.assert_close(quiet(inputs()), expected)
        assert (expected - made(inputs())).abs().max() > 1e-3


def test_several_units_are_silent_at_once() -> None:
    made = toys.by_hand().module
    quiet = silenced(toys.by_hand(), "1", [0, 1])
    images = toys.PLAIN(list(toys.quarters((0, 1))[..., None]))
    assert quiet(images).tolist() == [[0.0, 0.0]]
    assert made(images).tolist() == [[32.0, 0.0]]


def test_it_is_a_module_like_any_other() -> None:
    made = toys.trained(toys.Residual())
    quiet = silenced(toys.network(made), "relu:3", [0, 5])
    stored = io.BytesIO()
    torch.save(quiet.state_dict(), stored)
    stored.seek(0)
    other = silenced(toys.network(made), "relu:3", [])
    other.load_state_dict(torch.load(stored, weights_only=True))
    assert torch.equal(other(inputs()), quiet(inputs()))
    quiet(inputs()).sum().backward()
    assert all(parameter.grad is not None for parameter in quiet.parameters())
    assert all(parameter.grad is None for parameter in made.parameters())


def test_the_callers_module_is_left_alone() -> None:
    made = toys.trained(toys.Residual())
    before = {name: value.clone() for name, value in made.state_dict().items()}

    def stop() -> None:
        quiet = silenced(toys.network(made), "relu:3", [1])
        assert not torch.equal(quiet(inputs()), made(inputs()))
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        stop()
    assert not torch.is_inference_mode_enabled()
    assert all(torch.equal(value, made.state_dict()[name]) for name, value in before.items())
    assert not any(part._forward_hooks for part in made.modules())


def test_what_there_is_not_is_refused() -> None:
    made = toys.trained(toys.Residual())
    with pytest.raises(UnknownSiteError, match="has no unit 6; its units are 0 to 5"):
        silenced(toys.network(made), "relu:3", [6])
    with pytest.raises(UnknownSiteError, match=r"'bn\*' names 2 sites"):
        silenced(toys.network(made), "bn*", [0])
    twice = nn.Sequential(toys.trained(toys.Untraceable()))
    twice[0].relu2 = twice[0].relu1
    with pytest.raises(UnsupportedNetworkError, match="one of several calls of a module"):
        silenced(toys.network(twice.eval()), "0.relu1:1", [0])


@pytest.mark.parametrize("module", [toys.Residual, toys.Untraceable])
def test_several_sites_are_silent_at_once(module: type[nn.Module]) -> None:
    made = toys.trained(module())
    first, second = ("relu:2", "relu:3") if module is toys.Residual else ("relu1", "relu2")
    both = silenced(toys.network(made), {first: [1, 4], second: [2]}, fill={first: 0.5, second: torch.arange(6.0)})
    copied = copy.deepcopy(made)

    def quiet(values: dict[int, float], nth: int) -> Callable[[nn.Module, object, torch.Tensor], torch.Tensor]:
        calls = iter(range(9))

        def hook(_module: nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
            if next(calls) == nth:
                output = output.clone()
                for unit, value in values.items():
                    output[:, unit] = value
            return output

        return hook

    one, other = (copied.relu, copied.relu) if module is toys.Residual else (copied.relu1, copied.relu2)
    one.register_forward_hook(quiet({1: 0.5, 4: 0.5}, 0))
    other.register_forward_hook(quiet({2: 2.0}, 1 if module is toys.Residual else 0))
    with torch.inference_mode():
        torch.testing.assert_close(both(inputs()), copied(inputs()))
        alone = [silenced(toys.network(made), site, [1])(inputs()) for site in (first, second)]
        assert not any(torch.allclose(both(inputs()), each) for each in (*alone, made(inputs())))


@pytest.mark.parametrize("replacement", ["zero", "mean", "mean-map", "filter", 0.7])
def test_a_word_means_what_it_means_to_an_ablation(replacement: str | float) -> None:
    made = toys.network(toys.trained(toys.Residual()))
    images = toys.digits(60)
    run = ablate(made, images, sites=["relu:2"], replacement=replacement)
    unit = int(run.flips["unit"].mode()[0])
    quiet = silenced(made, "relu:2", [unit], replacement, reference=images)
    (block,) = images.blocks(60)
    with torch.inference_mode():
        after = quiet(toys.PLAIN(block.pixels)).argmax(dim=1).numpy()
    expected = run.record.table("images")["prediction"].to_numpy().copy()
    flips = run.flips[run.flips["unit"] == unit]
    expected[flips["image"]] = flips["after"]
    assert len(flips) > 0
    assert after.tolist() == expected.tolist()


def test_what_is_not_said_clearly_is_refused() -> None:
    made = toys.network(toys.trained(toys.Residual()))
    with pytest.raises(UnitsError, match="give some as reference"):
        silenced(made, "relu:2", [0], "mean")
    with pytest.raises(UnitsError, match="resample becomes something else on every image"):
        silenced(made, "relu:2", [0], "resample")
    with pytest.raises(UnitsError, match="a fill and the replacement mean are given"):
        silenced(made, "relu:2", [0], "mean", fill=1.0)
    with pytest.raises(UnitsError, match="by a site and its units, or by one mapping"):
        silenced(made, "relu:2")
    with pytest.raises(UnknownSiteError, match="units are given for relu:2, and fills for relu:3"):
        silenced(made, {"relu:2": [0]}, fill={"relu:3": 1.0})


def test_silent_filters_are_zeroed_weights_and_those_of_one_convolution_are_silenced_together() -> None:
    made = toys.trained(toys.Residual())
    zeroed = copy.deepcopy(made)
    zeroed.conv1.weight.data[[1, 4]] = 0  # bn1 and relu:2 are values of conv1's filters
    quiet = silenced(toys.network(made), {"bn1": [1], "relu:2": [4]}, replacement="filter")
    with torch.inference_mode():
        torch.testing.assert_close(quiet(inputs()), zeroed(inputs()))
        alone = silenced(toys.network(made), "relu:2", [4], "filter")(inputs())
        assert not torch.allclose(alone, quiet(inputs()))
        every, zero = (silenced(toys.network(made), "relu:2", range(6), word)(inputs()) for word in ("filter", "zero"))
        assert not torch.allclose(every, zero)  # batch norm and ReLU leave something of some units
