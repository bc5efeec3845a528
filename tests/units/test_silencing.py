"""A network with silenced units as a module of its own: what it answers, and what it leaves alone."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn

from lenslab.units import ablated, silenced, trace
from lenslab.units.engine.replacement import Replacement
from lenslab.units.errors import UnknownSiteError, UnsupportedNetworkError
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
        expected = program.ablated(inputs(), site, torch.full((12,), 2), Replacement(torch.as_tensor(fill)))
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


def test_the_context_leaves_the_callers_module_alone() -> None:
    made = toys.trained(toys.Residual())
    before = {name: value.clone() for name, value in made.state_dict().items()}

    def stop() -> None:
        with ablated(toys.network(made), "relu:3", [1]) as quiet:
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
