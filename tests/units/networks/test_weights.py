"""Which tensors of a file are a network's weights, and what is done to find them; a doubt is a refusal."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lenslab.units import load
from lenslab.units.errors import NotFiniteError, WeightsError
from lenslab.units.networks.checkpoint import Checkpoint
from lenslab.units.networks.weights import Fit, fit, put_weights, weights_from
from tests.units.networks.test_checkpoint import equal, network


def found(path, module=None):
    """The weights that a network has after those of a file were put into it, and what was assumed."""
    module = network() if module is None else module
    for parameter in module.parameters():
        nn.init.constant_(parameter, 9)
    return dict(module.state_dict()), weights_from(path, module).assumptions


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "model.", "net.backbone."])
@pytest.mark.parametrize("key", [None, "state_dict", "model", "model_state_dict", "net", "anything", "a.b.c"])
def test_what_trainers_wrap_around_is_taken_off_and_said(tmp_path, key, prefix):
    state = network().state_dict()
    held = {prefix + name: tensor for name, tensor in state.items()}
    for name in reversed(key.split(".") if key else []):
        held = {"epoch": 3, "acc": 93.1, "optimizer": {"state": {0: {"step": torch.ones(1)}}}, name: held}
    torch.save(held, tmp_path / "mine.pth")
    weights, assumed = found(tmp_path / "mine.pth")
    assert equal(weights, state)
    assert [repr(key) in line for line in assumed[:1] if key] == [True] * bool(key)
    assert [repr(prefix) in line for line in assumed[-1:] if prefix] == [True] * bool(prefix)
    assert len(assumed) == bool(key) + bool(prefix)


def test_a_file_that_is_as_the_network_assumes_nothing(tmp_path):
    save_file(network().state_dict(), tmp_path / "mine.safetensors")
    assert found(tmp_path / "mine.safetensors")[1] == ()


def test_what_stands_beside_the_weights_is_named(tmp_path):
    state = {f"model.{name}": tensor for name, tensor in network().state_dict().items()}
    torch.save({"state_dict": {**state, "criterion.weight": torch.ones(3), "step": 7}}, tmp_path / "mine.ckpt")
    assumed = found(tmp_path / "mine.ckpt")[1]
    assert assumed[2:] == ("criterion.weight, step beside the weights in mine.ckpt left out",)


@pytest.mark.parametrize(
    "held",
    [
        lambda one, two: {"state_dict": one, "state_dict_ema": two},
        lambda one, two: {**one, **{f"ema.{name}": tensor for name, tensor in two.items()}},
        lambda one, two: {f"{who}.{name}": each[name] for who, each in (("net", one), ("avg", two)) for name in one},
    ],
)
def test_of_two_sets_that_differ_one_has_to_be_named(tmp_path, held):
    one = network().state_dict()
    two = {name: tensor + 1 for name, tensor in one.items()}
    path = tmp_path / "mine.ckpt"
    torch.save(held(one, two), path)
    with pytest.raises(
        WeightsError, match=r"mine\.ckpt holds weights for Sequential under (.+) and (.+), which"
    ) as why:
        found(path)
    keys = str(why.value).partition(" under ")[2].partition(",")[0].split(" and ")
    weights = [found(f"{path}#{key}")[0] for key in keys]
    assert sorted(equal(each, one) for each in weights) == sorted(equal(each, two) for each in weights) == [False, True]
    torch.save(held(one, one), path)
    assert equal(found(path)[0], one), "where they are equal there is no doubt"


def test_a_key_that_the_file_has_not_is_refused_with_those_it_has(tmp_path):
    torch.save({"net": network().state_dict()}, tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match=r"no weights under 'ema'; it has some under net"):
        found(f"{tmp_path}/mine.pth#ema")
    torch.save(network().state_dict(), tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match=r"no weights under 'ema'; leave #ema"):
        found(f"{tmp_path}/mine.pth#ema")


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = (nn.Linear(4, 4, bias=False) for _ in range(3))
        self.second.weight = self.first.weight


def test_tensors_that_are_one_in_the_network_may_be_one_in_the_file(tmp_path):
    state = dict(Tied().state_dict())
    for kept in ("first.weight", "second.weight"):
        save_file({name: state[name] for name in (kept, "last.weight")}, tmp_path / "mine.safetensors")
        assert equal(found(tmp_path / "mine.safetensors", Tied())[0], state)
    torch.save(state, tmp_path / "mine.pth")
    assert equal(found(tmp_path / "mine.pth", Tied())[0], state)


def test_tensors_that_are_one_in_the_network_and_two_in_the_file_are_refused(tmp_path):
    state = {**Tied().state_dict(), "second.weight": torch.ones(4, 4)}
    save_file(state, tmp_path / "mine.safetensors")
    with pytest.raises(WeightsError, match=r"first\.weight and second\.weight are one tensor in the network, and two"):
        found(tmp_path / "mine.safetensors", Tied())


def test_a_second_name_of_a_tensor_in_the_file_is_no_other_network(tmp_path):
    state = dict(Tied().state_dict())
    torch.save({**state, "head.weight": state["last.weight"]}, tmp_path / "mine.pth")
    assert equal(found(tmp_path / "mine.pth", Tied())[0], state)
    torch.save({**state, "head.weight": state["last.weight"].clone()}, tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match=r"1 unexpected \(head\.weight\)"):
        found(tmp_path / "mine.pth", Tied())


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_converted_and_it_is_said(tmp_path, kind):
    state = {
        name: tensor.to(kind) if tensor.is_floating_point() else tensor
        for name, tensor in network().state_dict().items()
    }
    torch.save(state, tmp_path / "mine.pth")
    weights, assumed = found(tmp_path / "mine.pth")
    assert equal(weights, {name: tensor.to(weights[name].dtype) for name, tensor in state.items()})
    assert assumed == (f"weights in {str(kind).removeprefix('torch.')} were converted to float32",)


def test_the_set_of_a_deeper_network_is_not_taken_in_part(tmp_path):
    state = {**network().state_dict(), "4.weight": torch.ones(1)}
    torch.save({"net": {f"module.{name}": tensor for name, tensor in state.items()}}, tmp_path / "mine.pth")
    with pytest.raises(
        WeightsError, match=r"mine\.pth, under 'net', behind 'module\.' does not fit.*unexpected \(4\.w"
    ):
        found(tmp_path / "mine.pth")


def test_a_network_says_what_was_assumed_of_its_weights(tmp_path):
    state = load("small", weights="digits").module.state_dict()
    torch.save({"net": {f"module.{name}": tensor for name, tensor in state.items()}, "acc": 93.1}, tmp_path / "net.pth")
    loaded = load("small", weights=tmp_path / "net.pth")
    assert equal(loaded.module.state_dict(), state)
    assert len(loaded.weights.assumptions) == 2


def test_weights_are_copied_into_the_module():
    source, target = network(), network()
    nn.init.constant_(target[3].weight, 7)
    put_weights(target, Fit(source.state_dict()), source="mine")
    assert equal(target.state_dict(), source.state_dict())


def test_all_that_does_not_fit_is_told_at_once_and_nothing_is_copied():
    state = {name: tensor + 1 for name, tensor in network().state_dict().items() if name != "0.bias"}
    state["4.weight"] = torch.ones(1)
    with pytest.raises(
        WeightsError, match=r"mine\.pth does not fit.*1 missing \(0\.bias\); 1 unexpected \(4\.weight\)"
    ):
        fit(Checkpoint("mine.pth", {"": state}, {}), network())
    target = network()
    other = {name: tensor + 1 for name, tensor in network().state_dict().items()} | {"3.weight": torch.ones(5, 8)}
    with pytest.raises(WeightsError, match=r"3\.weight is \[5, 8\] and should be \[3, 8\]"):
        put_weights(target, Fit(other), source="mine.pth")
    assert equal(target.state_dict(), network().state_dict())


def test_counters_of_batches_may_be_missing():
    state = {name: tensor for name, tensor in network().state_dict().items() if "num_batches" not in name}
    state["3.bias"] = torch.full((3,), 9.0)
    target = network()
    put_weights(target, fit(Checkpoint("mine", {"": state}, {}), target), source="mine")
    assert target[3].bias.tolist() == [9, 9, 9]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(value):
    state = network().state_dict()
    state["1.running_var"] = torch.tensor([1.0, value])
    with pytest.raises(NotFiniteError, match=r"NaN or infinity in 1\.running_var"):
        put_weights(network(), Fit(state), source="mine")


def test_a_network_that_keeps_more_than_tensors_is_told_so(tmp_path):
    class Stateful(nn.Linear):
        def get_extra_state(self):
            return {"temperature": 2.0}

        def set_extra_state(self, state):
            self.temperature = state["temperature"]

    module = nn.Sequential(nn.Flatten(), Stateful(64, 3))
    torch.save(module.state_dict(), tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match=r"keeps more than tensors in its state \(1\._extra_state\)"):
        weights_from(tmp_path / "mine.pth", module)
