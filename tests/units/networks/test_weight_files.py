import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lenslab.units.errors import NotFiniteError, WeightsError
from lenslab.units.networks.weight_files import PICKLED, describe_weights, put_weights, read_weights


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))


class TouchesAFile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def equal(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("suffix", [*PICKLED, ".safetensors"])
def test_a_state_dict_comes_back_from_every_kind_of_file(tmp_path, suffix):
    state = network().state_dict()
    path = tmp_path / f"mine{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    assert equal(read_weights(path), state)
    assert describe_weights(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("key", [None, "state_dict", "model", "model_state_dict"])
def test_what_training_scripts_wrap_around_is_taken_off(tmp_path, key, prefix):
    state = network().state_dict()
    prefixed = {prefix + name: tensor for name, tensor in state.items()}
    path = tmp_path / "mine.pth"
    torch.save({"epoch": 3, key: prefixed} if key else prefixed, path)
    assert equal(read_weights(path), state)


def test_the_legacy_format_is_read(tmp_path):
    state = network().state_dict()
    torch.save(state, tmp_path / "mine.th", _use_new_zipfile_serialization=False)
    assert equal(read_weights(tmp_path / "mine.th"), state)


@pytest.mark.parametrize("new_format", [True, False])
def test_a_hostile_pickle_is_refused_and_not_run(tmp_path, new_format):
    path, touched = tmp_path / "hostile.pth", tmp_path / "touched"
    content = {"state_dict": {"weight": torch.ones(1)}, "payload": TouchesAFile(touched)}
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(WeightsError, match="nothing of it was run"):
        read_weights(path)
    assert not touched.exists()
    torch.load(path, weights_only=False)
    assert touched.exists(), "the payload works where it is let"


def test_a_whole_pickled_module_is_refused_with_what_to_do(tmp_path):
    torch.save(network(), tmp_path / "mine.pt")
    with pytest.raises(WeightsError, match=r"mine\.pt is not a plain state dict.*save module\.state_dict\(\)"):
        read_weights(tmp_path / "mine.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.ones(1)], "holds a list"),
        (torch.ones(1), "holds a Tensor"),
        ({}, "it is empty"),
        ({"epoch": 3, "weight": torch.ones(1)}, "epoch are not tensors"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path, content, message):
    torch.save(content, tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match=message):
        read_weights(tmp_path / "mine.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", bytes(100)])
def test_damaged_files_are_one_message(tmp_path, suffix, content):
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"^mine"):
        read_weights(path)


def test_a_file_cut_short_is_one_message(tmp_path):
    path = tmp_path / "mine.pth"
    torch.save(network().state_dict(), path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(WeightsError, match=r"^mine\.pth"):
        read_weights(path)


def test_a_missing_file_and_another_kind_are_named(tmp_path):
    with pytest.raises(WeightsError, match=r"no weights file .*none\.pth"):
        read_weights(tmp_path / "none.pth")
    (tmp_path / "mine.h5").touch()
    with pytest.raises(WeightsError, match=r"mine\.h5 is not a kind of weights file"):
        read_weights(tmp_path / "mine.h5")


def test_weights_are_copied_into_the_module():
    source, target = network(), network()
    nn.init.constant_(target[3].weight, 7)
    put_weights(target, source.state_dict(), source="mine")
    assert equal(target.state_dict(), source.state_dict())


def test_all_that_does_not_fit_is_told_at_once_and_nothing_is_copied():
    state = {name: tensor + 1 for name, tensor in network().state_dict().items() if name != "0.bias"}
    state["4.weight"] = torch.ones(1)
    state["3.weight"] = torch.ones(5, 8)
    target = network()
    with pytest.raises(WeightsError) as caught:
        put_weights(target, state, source="mine.pth")
    message = str(caught.value)
    for part in (
        "mine.pth",
        "1 missing (0.bias)",
        "1 unexpected (4.weight)",
        "3.weight is [5, 8] and should be [3, 8]",
    ):
        assert part in message
    assert equal(target.state_dict(), network().state_dict())


def test_counters_of_batches_may_be_missing():
    state = {name: tensor for name, tensor in network().state_dict().items() if "num_batches" not in name}
    state["3.bias"] = torch.full((3,), 9.0)
    target = network()
    put_weights(target, state, source="mine")
    assert target[3].bias.tolist() == [9, 9, 9]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(value):
    state = network().state_dict()
    state["1.running_var"] = torch.tensor([1.0, value])
    with pytest.raises(NotFiniteError, match=r"NaN or infinity in 1\.running_var"):
        put_weights(network(), state, source="mine")
