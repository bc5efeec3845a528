import types
import warnings
from functools import partial

import pytest
import torch
from torch import nn

from lenslab.units import ablate
from lenslab.units.errors import PreprocessingError, TrainingModeError, UnsupportedNetworkError
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.networks import Network, network_of

GREY = Preprocessing(1, (8, 8), (0.0,), (1.0,))


def classifier(classes: int = 3) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, classes)).eval()


def test_the_number_of_classes_is_that_of_the_logits():
    network = network_of(classifier(7), GREY, class_names=list("abcdefg"))
    assert (network.classes, network.name, network.class_names) == (7, "Sequential", tuple("abcdefg"))


def test_a_network_in_training_mode_is_refused_and_not_switched():
    module = classifier().train()
    with pytest.raises(TrainingModeError, match=r"Sequential and 3 more.*call \.eval\(\)"):
        network_of(module, GREY, name="mine")
    assert module.training


def test_one_submodule_in_training_mode_is_named():
    module = classifier()
    module[1].train()
    with pytest.raises(TrainingModeError, match=r"mine is in training mode \(1\): "):
        Network("mine", module, GREY, classes=3)
    assert [part.training for part in module] == [False, True, False]


def test_asking_for_the_classes_changes_nothing():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 2)).eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    state = torch.get_rng_state()
    network_of(module, GREY)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("module", [nn.Flatten(0), nn.Identity(), nn.LSTM(8, 8)])
def test_what_does_not_answer_with_logits_is_refused(module):
    with pytest.raises(UnsupportedNetworkError):
        network_of(module.eval(), GREY)


def test_a_network_that_takes_other_images_is_told_with_its_own_complaint():
    with pytest.raises(UnsupportedNetworkError, match=r"does not take images \[1, 3, 8, 8\]: RuntimeError: .*--size"):
        network_of(classifier(), Preprocessing(3, (8, 8), (0.0,) * 3, (1.0,) * 3))


def test_an_unknown_size_is_asked_for():
    with pytest.raises(PreprocessingError, match="give one with --size"):
        network_of(classifier(), Preprocessing(1, None, (0.0,), (1.0,)))


def test_class_names_have_to_be_as_many_as_the_logits():
    with pytest.raises(UnsupportedNetworkError, match="3 logits and 2 class names"):
        network_of(classifier(), GREY, class_names=["a", "b"])


def with_batch_norm(**options) -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, **options), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4, 10)).eval()


@pytest.mark.parametrize(
    ("wrap", "said"),
    [
        (nn.DataParallel, "DataParallel was taken off the network"),
        (torch.compile, "torch.compile was taken off the network"),
        (lambda module: nn.DataParallel(torch.compile(module)), "torch.compile was taken off the network"),
    ],
)
def test_what_only_hands_on_to_a_module_is_taken_off_and_said(wrap, said):
    module = with_batch_norm()
    network = network_of(wrap(module).eval(), GREY)
    assert network.module is module
    assert network.assumptions[-1] == said


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_a_network_of_another_precision_is_measured_in_float32_and_not_changed(kind):
    module = with_batch_norm().to(kind)
    network = network_of(module, GREY)
    assert {tensor.dtype for tensor in network.module.parameters()} == {torch.float32}
    assert module[0].weight.dtype == kind
    assert torch.equal(network.module[0].weight, module[0].weight.float())
    assert network.assumptions == (f"parameters and buffers in {str(kind).removeprefix('torch.')} were made float32",)
    assert ablate(network, "digits", limit=20, attributes=False).assumptions == network.assumptions


def test_the_usual_network_assumes_nothing():
    module = with_batch_norm()
    network = network_of(module, GREY)
    assert (network.module is module, network.assumptions) == (True, ())


def quantised() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(classifier(), {nn.Linear}, dtype=torch.qint8)


def traced() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(with_batch_norm(), torch.zeros(1, 1, 8, 8))


class InContainers(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3)
        self.blocks = kind([nn.Conv2d(4, 4, 1), nn.ReLU()])
        self.last = nn.Linear(4, 10)

    def forward(self, x):
        for block in self.blocks.values() if isinstance(self.blocks, dict) else self.blocks:
            x = block(self.first(x))
        return self.last(x.amax(dim=(2, 3)))


def with_another_forward(replaced) -> nn.Module:
    module = with_batch_norm()
    layer = module[0]
    layer.forward = replaced(layer)
    return module


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: InContainers(list),
            r"mine keeps layers in .* \(blocks\[0\], blocks\[1\]\).*; make them attributes, or",
        ),
        (lambda: InContainers(tuple), r"\(blocks\[0\], blocks\[1\]\)"),
        (
            lambda: InContainers(lambda layers: dict(zip("ab", layers, strict=True))),
            r"\(blocks\['a'\], blocks\['b'\]\)",
        ),
        (
            lambda: with_another_forward(lambda layer: lambda x: layer._conv_forward(x, layer.weight, None)),
            r"0.forward in mine is a function that holds on to modules",
        ),
        (lambda: with_another_forward(lambda layer: partial(type(layer).forward, layer)), r"0.forward in mine"),
        (traced, r"mine is TorchScript, which cannot be looked into; give the Python module"),
        (lambda: nn.Sequential(traced()), r"mine is TorchScript \(in 0.*\), which cannot"),
        (quantised, r"mine is quantised \(2.*\), and its values are no numbers of float32"),
        (
            lambda: with_batch_norm(track_running_stats=False),
            r"mine mixes the images of a batch: batch norm without running statistics .* in 1 normalises",
        ),
    ],
)
def test_kinds_that_cannot_be_measured_are_refused_for_what_they_are(make, message):
    with pytest.raises(UnsupportedNetworkError, match=message):
        network_of(make().eval(), GREY, name="mine")


def test_a_second_way_to_layers_that_are_known_and_a_bound_forward_are_no_obstacle():
    module = with_another_forward(
        lambda layer: types.MethodType(lambda self, x: type(self).forward(self, x) * 2, layer)
    )
    module.all = [*module]
    network = network_of(module, GREY)
    assert ablate(network, "digits", limit=20, attributes=False).sites


def test_norms_of_one_image_alone_are_no_mixing():
    layers = [nn.Conv2d(1, 4, 3), nn.InstanceNorm2d(4), nn.GroupNorm(2, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    assert network_of(nn.Sequential(*layers, nn.Linear(4, 3)).eval(), GREY).classes == 3


class Hides(nn.Module):
    def __init__(self, hide):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        hide(self, nn.Linear(4, 10).eval())
        self.eval()

    def forward(self, x):
        return self.conv(x).mean((2, 3))


@pytest.mark.parametrize(
    "hide",
    [
        lambda self, layer: setattr(self, "held", types.SimpleNamespace(layer=layer)),
        lambda self, layer: setattr(self, "held", [[layer]]),
        lambda self, layer: setattr(self, "_held", [layer]),
        lambda self, layer: object.__setattr__(self, "held", layer),
        lambda self, layer: setattr(self, "held", {"a": ({"b": layer},)}),
    ],
)
def test_layers_are_found_wherever_python_holds_them(hide):
    module = Hides(hide)
    with pytest.raises(UnsupportedNetworkError, match=r"keeps layers in Python's own containers \(_?held"):
        network_of(module, GREY, name="mine")


def test_a_class_of_ones_own_that_is_called_like_a_wrapper_is_none():
    class DataParallel(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def forward(self, x):
            return self.module(x).flip(1)

    inside = with_batch_norm()
    own = DataParallel(inside).eval()
    network = network_of(own, GREY)
    assert network.module is own
    assert network.assumptions == ()


def test_a_wrapper_with_a_hook_stays_with_it():
    wrapped = nn.DataParallel(with_batch_norm()).eval()
    wrapped.register_forward_hook(lambda _module, _inputs, logits: -logits)
    assert network_of(wrapped, GREY).module is wrapped


class Copied(nn.Module):
    """Copies of it lose what `copied` does not give them."""

    def __init__(self, copied):
        super().__init__()
        self.net, self.scale, self.copied = with_batch_norm(), -1.0, copied

    def forward(self, x):
        return self.net(x) * getattr(self, "scale", 1.0)

    def __deepcopy__(self, memo):
        return self.copied(self)


def lossy(module):
    made = Copied(lossy)
    made.net.load_state_dict(module.net.state_dict())
    del made.scale
    return made.eval()


@pytest.mark.parametrize("copied", [lossy, lambda module: module])
def test_a_copy_that_is_no_copy_is_refused_and_the_original_stays_as_it_was(copied):
    module = Copied(copied).eval()
    with pytest.raises(UnsupportedNetworkError, match="a copy of the network"):
        ablate(network_of(module, GREY), "digits", limit=10)
    assert all(parameter.requires_grad for parameter in module.parameters())
