import argparse
import hashlib
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lenslab.units.errors import WeightsError
from lenslab.units.networks.checkpoint import OTHERS, PICKLED, read_checkpoint
from lenslab.units.networks.weights import describe_weights


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
    assert equal(read_checkpoint(path).sets[""], state)
    assert describe_weights(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_legacy_format_is_read(tmp_path):
    state = network().state_dict()
    torch.save(state, tmp_path / "mine.th", _use_new_zipfile_serialization=False)
    assert equal(read_checkpoint(tmp_path / "mine.th").sets[""], state)


@pytest.mark.parametrize("new_format", [True, False])
def test_a_hostile_pickle_is_refused_and_not_run(tmp_path, new_format):
    path, touched = tmp_path / "hostile.pth", tmp_path / "touched"
    content = {"state_dict": {"weight": torch.ones(1)}, "payload": TouchesAFile(touched)}
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(WeightsError, match="nothing of it was run"):
        read_checkpoint(path)
    assert not touched.exists()
    torch.load(path, weights_only=False)
    assert touched.exists(), "the payload works where it is let"


def test_a_whole_pickled_module_is_refused_with_what_to_do(tmp_path):
    torch.save(network(), tmp_path / "mine.pt")
    with pytest.raises(WeightsError, match=r"mine\.pt is not a plain state dict.*save module\.state_dict\(\)"):
        read_checkpoint(tmp_path / "mine.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.ones(1)], "holds a list"),
        (torch.ones(1), "holds a Tensor"),
        ({}, "it is empty"),
        ({"epoch": 3, "optimizer": {"state": {0: {"step": torch.ones(1)}}}}, "epoch, optimizer are not tensors"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path, content, message):
    torch.save(content, tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match=message):
        read_checkpoint(tmp_path / "mine.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", bytes(100)])
def test_damaged_files_are_one_message(tmp_path, suffix, content):
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"^mine"):
        read_checkpoint(path)


@pytest.mark.parametrize("suffix", OTHERS)
def test_files_of_other_kinds_are_named_for_what_they_are(tmp_path, suffix):
    (tmp_path / f"mine{suffix}").touch()
    with pytest.raises(WeightsError, match=f"mine{suffix} is {OTHERS[suffix]}; give the state dict"):
        read_checkpoint(tmp_path / f"mine{suffix}")


@pytest.mark.parametrize("make", [torch.jit.script, lambda made: torch.jit.trace(made, torch.zeros(1, 1, 4, 4))])
def test_torchscript_is_named_and_warns_nobody(tmp_path, make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(make(network().eval()), tmp_path / "mine.pt")
    with pytest.raises(WeightsError, match=r"mine\.pt is a TorchScript archive.*module\.state_dict\(\)"):
        read_checkpoint(tmp_path / "mine.pt")


def test_what_no_plain_file_holds_is_named(tmp_path):
    torch.save({"state_dict": network().state_dict(), "args": argparse.Namespace(lr=0.1)}, tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match=r"it holds a argparse\.Namespace"):
        read_checkpoint(tmp_path / "mine.pth")


def test_a_name_with_a_number_sign_is_that_of_the_file_where_there_is_one(tmp_path):
    torch.save(network().state_dict(), tmp_path / "run#7.pth")
    for given, key in (("run#7.pth", ""), ("run#7.pth#ema", "ema")):
        found = read_checkpoint(tmp_path / given)
        assert (found.file, found.key) == ("run#7.pth", key)
        assert describe_weights(tmp_path / given).file == given


def test_a_file_cut_short_is_one_message(tmp_path):
    path = tmp_path / "mine.pth"
    torch.save(network().state_dict(), path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(WeightsError, match=r"^mine\.pth"):
        read_checkpoint(path)


def test_a_missing_file_and_another_kind_are_named(tmp_path):
    with pytest.raises(WeightsError, match=r"no weights file .*none\.pth"):
        read_checkpoint(tmp_path / "none.pth")
    (tmp_path / "mine.txt").touch()
    with pytest.raises(WeightsError, match=r"mine\.txt is not a kind of weights file"):
        read_checkpoint(tmp_path / "mine.txt")
