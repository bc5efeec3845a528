import pytest

from lenslab.units.errors import UnknownNetworkError, WeightsError
from lenslab.units.images import NAMED
from lenslab.units.networks import entry, networks, shipped_weights_for
from lenslab.units.networks.catalogue import making_of


def test_a_wrong_name_is_told_with_the_nearest_and_all_others():
    with pytest.raises(UnknownNetworkError, match=r"did you mean 'resnet20'\? There are small, resnet20"):
        entry("resnet-20")
    with pytest.raises(UnknownNetworkError, match=r"no network named 'vgg16'\. There are small, resnet20"):
        entry("vgg16")


def test_shipped_weights_are_small_and_say_how_they_were_made():
    shipped = [weights for entry in networks() for weights in entry.weights]
    assert [weights.name for weights in shipped] == ["fashion-mnist", "digits"]
    for weights in shipped:
        assert weights.path.stat().st_size < 1_000_000
        assert weights.making["script"] == "scripts/train_small.py"
        assert weights.making["test_images"] == weights.name
        assert weights.making["training_images"] == f"{weights.name}-train"
        assert {"seed", "schedule", "torch", "training_sha256", "test_sha256"} <= weights.making.keys()


def test_shipped_weights_reach_what_they_have_to_reach():
    assert entry("small").shipped("fashion-mnist").accuracy >= 0.91
    assert entry("small").shipped("digits").accuracy >= 0.98
    assert entry("small").shipped("mnist") is None


@pytest.mark.parametrize("images", NAMED)
def test_every_named_source_has_weights_that_were_made_for_it(images):
    assert shipped_weights_for("small", images) == images.removesuffix("-train")


def test_other_images_and_networks_have_none():
    assert shipped_weights_for("small", "cifar10") is None
    assert shipped_weights_for("resnet20", "digits") is None
    assert shipped_weights_for("mine:build", "digits") is None


def test_what_is_no_safetensors_file_was_made_by_nobody(tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(b"\0" * 20)
    with pytest.raises(WeightsError, match="cannot be read as a safetensors file"):
        making_of(tmp_path / "mine.safetensors")
