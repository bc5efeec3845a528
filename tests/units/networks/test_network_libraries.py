"""Networks of other libraries, against small packages that answer as these do, and the real ones where they import."""

import json
import sys
import warnings
from importlib import import_module

import pytest
import torch
from torch import nn

from lenslab.units.errors import PreprocessingError, UnknownNetworkError, UnsupportedNetworkError, WeightsError
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.networks import load
from lenslab.units.networks.network_libraries import is_of_library

NETWORK = """
from torch import nn
def network(num_classes=4):
    made = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout())
    return made.append(nn.Linear(2, num_classes)).train()
"""

TORCHVISION = """
import enum
from types import SimpleNamespace
import torch
from stand_in import network
bicubic = SimpleNamespace(value="bicubic")
preset = SimpleNamespace(
    crop_size=[12], resize_size=[16], mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6), interpolation=bicubic
)
class Tiny_Weights(enum.Enum):
    FIRST = 1
    DEFAULT = 1
    meta = property(lambda self: {"categories": ["ant", "bee", "cow", "dog"]})
    url = property(lambda self: "somewhere/tiny-first.pth")
    transforms = lambda self: preset
def list_models(module=None):
    return ["tiny", "broken"]
def get_model_weights(name):
    return Tiny_Weights
def get_model(name, weights=None, **options):
    if name == "broken":
        raise ZeroDivisionError("no layers")
    made = network(**options)
    if weights:
        torch.nn.init.ones_(made[-1].weight)
    return made
"""

TIMM = """
from types import SimpleNamespace
from stand_in import network
def list_models():
    return ["tiny"]
def create_model(name, pretrained=False, **options):
    return network(**options)
def resolve_model_data_config(model):
    colours = {"mean": (0.5,) * 3, "std": (0.25,) * 3}
    return {"input_size": (3, 9, 9), **colours, "crop_pct": 0.9, "interpolation": "bicubic"}
data = SimpleNamespace(resolve_model_data_config=resolve_model_data_config)
"""

TRANSFORMERS = """
from types import SimpleNamespace
from torch import nn
from stand_in import network
class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = network(num_classes=3)
        self.config = SimpleNamespace(id2label={2: "eel", 0: "cat", 1: "dog"})
    def forward(self, pixel_values):
        return SimpleNamespace(logits=self.body(pixel_values))
class AutoModelForImageClassification:
    @staticmethod
    def from_pretrained(directory, local_files_only=False):
        assert local_files_only
        return Classifier().train()
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a package of this name and source, in front of any real one."""
    monkeypatch.syspath_prepend(tmp_path)
    names = ("torchvision", "timm", "transformers", "stand_in")
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in names}
    for name in before:
        del sys.modules[name]

    def install(package: str, source: str, module: str = "__init__") -> None:
        (tmp_path / "stand_in.py").write_text(NETWORK)
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / f"{module}.py").write_text(source)

    yield install
    for name in [name for name in sys.modules if name.partition(".")[0] in names]:
        del sys.modules[name]
    sys.modules.update(before)


def test_only_the_three_names_are_libraries():
    assert [is_of_library(f"{name}:x") for name in ("torchvision", "timm", "transformers")] == [True] * 3
    assert not any(is_of_library(name) for name in ("timm.models:x", "mine:torchvision", "resnet18"))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_a_library_that_is_not_installed_is_told_with_what_to_install(library, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(UnsupportedNetworkError, match=rf"{library} is not installed.*'lenslab\[vision\]'"):
        load(f"{library}:resnet18", untrained=True)


@pytest.mark.parametrize("library", ["torchvision", "timm"])
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('operator torchvision::nms does not exist')", "RuntimeError: operator torchvision::nms"),
        ("raise ImportError('libcudart.so: cannot open')", "ImportError: libcudart.so"),
        ("import a_package_that_nobody_has", "ModuleNotFoundError: No module named 'a_package_that_nobody_has'"),
    ],
)
def test_a_library_that_does_not_import_is_one_message(library, source, reason, installed):
    installed(library, source)
    with pytest.raises(
        UnsupportedNetworkError, match=rf"{library} is installed and cannot be.*{reason}.*for torch 2\."
    ):
        load(f"{library}:resnet18", untrained=True)


def test_torchvisions_networks_come_with_the_preprocessing_of_their_weights(installed):
    installed("torchvision", TORCHVISION, "models")
    network = load("torchvision:tiny", untrained=True)
    assert network.preprocessing == Preprocessing(
        3, (12, 12), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), filter="bicubic", shorter=16
    )
    assert (network.name, network.classes, network.class_names) == ("torchvision:tiny", 4, None)
    assert load("torchvision:tiny", untrained=True, size=(20, 30)).preprocessing.size == (20, 30)


def test_weights_that_torchvision_publishes_are_asked_for_by_name_and_know_their_classes(
    installed, monkeypatch, tmp_path
):
    installed("torchvision", TORCHVISION, "models")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "tiny-first.pth").write_bytes(b"what torchvision keeps")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    network = load("torchvision:tiny", weights="FIRST")
    assert network.class_names == ("ant", "bee", "cow", "dog")
    assert torch.equal(network.module[-1].weight, torch.ones(4, 2))
    assert network.weights is not None
    assert network.weights.file == "tiny-first.pth"


def test_what_torchvision_has_not_is_refused(installed):
    installed("torchvision", TORCHVISION, "models")
    with pytest.raises(UnknownNetworkError, match="no classifier named 'tiney'; did you mean torchvision:tiny"):
        load("torchvision:tiney", untrained=True)
    with pytest.raises(WeightsError, match=r"torchvision:tiny needs weights; .*--weights FILE, or one of FIRST"):
        load("torchvision:tiny")
    with pytest.raises(WeightsError, match=r"no weights file SECOND"):
        load("torchvision:tiny", weights="SECOND")
    with pytest.raises(
        UnsupportedNetworkError, match="torchvision:broken cannot be made: ZeroDivisionError: no layers"
    ):
        load("torchvision:broken", untrained=True)


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_a_file_of_weights_brings_its_number_of_classes(library, installed, tmp_path):
    installed(library, *((TORCHVISION, "models") if library == "torchvision" else (TIMM,)))
    state = {"0.weight": torch.ones(2, 3, 3, 3), "0.bias": torch.zeros(2), "5.weight": torch.ones(6, 2)}
    torch.save({**state, "5.bias": torch.arange(6.0)}, tmp_path / "six.pth")
    network = load(f"{library}:tiny", weights=tmp_path / "six.pth")
    assert (network.classes, network.module[-1].bias.tolist()) == (6, [0, 1, 2, 3, 4, 5])
    assert network.weights is not None
    assert network.weights.file == "six.pth"


def test_timms_networks_come_with_the_preprocessing_that_it_declares(installed):
    installed("timm", TIMM)
    torch.manual_seed(3)
    network = load("timm:tiny.some_tag", untrained=True)
    assert network.preprocessing == Preprocessing(3, (9, 9), (0.5,) * 3, (0.25,) * 3, filter="bicubic", shorter=10)
    torch.manual_seed(4)
    again = load("timm:tiny.some_tag", untrained=True)
    assert torch.equal(network.module[-1].weight, again.module[-1].weight), "random weights are always the same"
    with pytest.raises(UnknownNetworkError, match="timm has no classifier named 'large'"):
        load("timm:large", untrained=True)
    with pytest.raises(WeightsError, match="or the word pretrained"):
        load("timm:tiny")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"size": {"height": 9, "width": 8}}, {"size": (9, 8), "resizing": "stretch"}),
        ({"size": {"shortest_edge": 12}, "crop_size": {"height": 9, "width": 9}}, {"size": (9, 9), "shorter": 12}),
    ],
)
def test_a_directory_of_transformers_is_a_classifier_with_names(declared, expected, installed, tmp_path):
    installed("transformers", TRANSFORMERS)
    made = tmp_path / "made"
    made.mkdir()
    (made / "config.json").write_text("{}")
    document = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.2], "rescale_factor": 1 / 255, **declared}
    (made / "preprocessor_config.json").write_text(json.dumps(document))
    (made / "model.safetensors").write_bytes(b"read by the library")
    network = load(f"transformers:{made}")
    assert network.preprocessing == Preprocessing(channels=3, mean=(0.5, 0.4, 0.3), sd=(0.2,) * 3, **expected)
    assert network.class_names == ("cat", "dog", "eel")
    assert network.weights is not None
    assert network.weights.file == "model.safetensors"
    assert not any(part.training for part in network.module.modules())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "cannot be read"),
        ("[]", "is no preprocessing that is known"),
        ('{"image_mean": [0.5], "image_std": [0.5], "size": {"shortest_edge": 9}}', "state crop_size"),
    ],
)
def test_where_transformers_declares_no_preprocessing_it_is_asked_for(document, message, installed, tmp_path):
    installed("transformers", TRANSFORMERS)
    (tmp_path / "config.json").write_text("{}")
    if document is not None:
        (tmp_path / "preprocessor_config.json").write_text(document)
    with pytest.raises(PreprocessingError, match=rf"{message}.*; or give --mean, --sd and --size"):
        load(f"transformers:{tmp_path}")
    network = load(f"transformers:{tmp_path}", mean=[0.1] * 3, sd=[0.2] * 3, size=(8, 8))
    assert network.preprocessing == Preprocessing(3, (8, 8), (0.1,) * 3, (0.2,) * 3)


def test_a_directory_that_is_none_is_told(tmp_path):
    with pytest.raises(UnknownNetworkError, match=r"no directory .* with a config\.json"):
        load(f"transformers:{tmp_path}")


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_the_real_library_gives_a_classifier_where_it_imports(library):
    _real(library)
    network = load(f"{library}:resnet18", untrained=True)
    assert (network.preprocessing.size, network.preprocessing.sd) == ((224, 224), (0.229, 0.224, 0.225))
    assert (network.classes, network.parameters) == (1000, 11_689_512)


def test_the_real_transformers_reads_back_what_it_wrote_where_it_imports(tmp_path):
    transformers = _real("transformers")
    names = {0: "cat", 1: "dog", 2: "eel"}
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1], layer_type="basic", id2label=names
    )
    written: nn.Module = transformers.ResNetForImageClassification(config).eval()
    written.save_pretrained(tmp_path)
    network = load(f"transformers:{tmp_path}", mean=[0.5] * 3, sd=[0.5] * 3, size=(32, 32))
    assert network.class_names == ("cat", "dog", "eel")
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(network.module(images), written(images).logits)


def _real(library: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return import_module(library)
        except (ImportError, RuntimeError) as error:
            pytest.skip(f"{library} does not import here: {error}")
