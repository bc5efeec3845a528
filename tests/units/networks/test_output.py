from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from pandas.testing import assert_frame_equal
from torch import nn

from lenslab.units import ablate, load, open_images, trace
from lenslab.units.errors import UnsupportedNetworkError

PLAIN = {"mean": 0.3, "sd": 0.4, "size": 8}
LEFT_OUT = ["site", "l1_norm_folded"]
"""What depends on where a layer stands, and on whether torch.fx traces the network."""
TABLES = ("units", "classes", "flips", "images")


def classifier(classes: int = 10, *ends: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    body = [nn.Conv2d(1, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, classes)]
    return nn.Sequential(*body, *ends).eval()


class Wrapped(nn.Module):
    """Puts out what a function makes of a classifier's logits."""

    def __init__(self, wrap: Any, classes: int = 10, *, untraceable: bool = False) -> None:
        super().__init__()
        self.net = classifier(classes)
        self.wrap = wrap
        self.untraceable = untraceable
        self.eval()

    def forward(self, images: torch.Tensor) -> Any:
        if self.untraceable and images.sum() == torch.inf:
            raise ValueError
        return self.wrap(self.net(images))


@dataclass
class ClassifierOutput:
    logits: torch.Tensor
    loss: torch.Tensor | None = None
    attentions: tuple[torch.Tensor, ...] = ()


Pair = namedtuple("Pair", ["auxiliary", "scores"])


def measured(module: nn.Module, **options: Any) -> Any:
    """Measure images of digits, two classes of them where the network has two."""
    network = load(module, name="mine", **PLAIN, **options)
    images = open_images("digits")
    if network.classes == 2:
        images = images.mapped(2, {label: label % 2 for label in range(10)})
    site = "net.0" if hasattr(module, "net") else "0"
    return ablate(network, images, sites=[site], limit=40, verify=20)


def same(run: Any, other: Any) -> None:
    for name in TABLES:
        one, two = (each.record.table(name).drop(columns=LEFT_OUT, errors="ignore") for each in (run, other))
        assert_frame_equal(one, two, rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def plain() -> Any:
    return measured(classifier())


@pytest.mark.crossed
@pytest.mark.parametrize("untraceable", [False, True])
@pytest.mark.parametrize(
    ("wrap", "said"),
    [
        (lambda logits: {"logits": logits, "hidden": logits * 2}, "logits"),
        (lambda logits: OrderedDict(out=logits), "out"),
        (lambda logits: (logits,), "0"),
        (lambda logits: [logits, None, "words"], "0"),
        (lambda logits: {"out": (logits, torch.zeros(3, 4, 5))}, "out.0"),
        (lambda logits: ClassifierOutput(logits, attentions=(logits,)), "logits"),
        (lambda logits: Pair(None, logits), "scores"),
    ],
)
def test_logits_that_can_only_be_one_value_are_found_and_it_is_said(plain, wrap, said, untraceable):
    run = measured(Wrapped(wrap, untraceable=untraceable))
    assert run.assumptions == (f"its logits are {said} of what it puts out",)
    same(run, plain)


@pytest.mark.parametrize(
    ("wrap", "output"),
    [
        (lambda logits: (logits * 2, logits), 1),
        (lambda logits: (logits * 2, logits), -1),
        (lambda logits: {"main": logits, "auxiliary": logits * 2}, "main"),
        (lambda logits: Pair(logits * 2, logits), "scores"),
        (lambda logits: {"a": [logits]}, lambda found: found["a"][0]),
        (lambda logits: logits.exp(), torch.log),
    ],
)
def test_where_several_values_may_be_meant_the_logits_are_named(plain, wrap, output):
    run = measured(Wrapped(wrap), output=output)
    same(run, plain)
    assert run.network.output == (output if isinstance(output, str | int) else None)


@pytest.mark.parametrize("untraceable", [False, True])
def test_a_softmax_at_the_end_is_taken_off_and_losses_are_in_nats(plain, untraceable):
    class Ending(Wrapped):
        def __init__(self) -> None:
            super().__init__(lambda logits: logits, untraceable=untraceable)
            self.softmax = nn.Softmax(dim=-1)
            self.eval()

        def forward(self, images: torch.Tensor) -> Any:
            return self.softmax(super().forward(images))

    module = Ending()
    run = measured(module)
    assert run.assumptions == ("the softmax at its end (softmax) was taken off: losses are those of logits",)
    same(run, plain)
    assert isinstance(module.softmax, nn.Softmax)


@pytest.mark.parametrize("ends", [[], [nn.Flatten(0)], [nn.Sigmoid()], [nn.Flatten(0), nn.Sigmoid()]])
def test_one_logit_stands_for_two_classes(ends):
    one, two = classifier(1, *ends), classifier(2)
    with torch.no_grad():
        two[4].weight.copy_(torch.cat([torch.zeros(1, 24), one[4].weight]))
        two[4].bias.copy_(torch.cat([torch.zeros(1), one[4].bias]))
    run = measured(one)
    assert run.assumptions[-1] == "its one logit is that of class 1, and that of class 0 is 0"
    assert len(run.assumptions) == 1 + any(isinstance(end, nn.Sigmoid) for end in ends)
    same(run, measured(two))


@pytest.mark.crossed
@pytest.mark.parametrize(
    "wrap",
    [
        lambda logit: logit.sigmoid(),
        lambda logit: logit.sigmoid().squeeze(1),
        lambda logit: logit.sigmoid()[:, 0],
        lambda logit: {"prob": logit.sigmoid().view(-1)},
        lambda logit: (torch.special.expit(logit),),
        lambda logit: 1 / (1 + torch.exp(-logit)),
        lambda logit: logit.sigmoid().clamp(1e-6, 1 - 1e-6).float(),
    ],
)
@pytest.mark.parametrize("untraceable", [False, True])
def test_one_probability_is_never_taken_for_a_logit(wrap, untraceable):
    with pytest.raises(UnsupportedNetworkError, match="puts out probabilities"):
        load(Wrapped(wrap, classes=1, untraceable=untraceable), **PLAIN)


def test_a_gate_with_two_names_is_taken_off_under_both():
    module = Gated(classifier(1)).eval()
    same(measured(module), measured(classifier(1)))


class Gated(nn.Module):
    """Its sigmoid stands under two names."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.gate = net, nn.Sigmoid()
        self.head = nn.Sequential(nn.Identity(), self.gate)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.net(images))


def test_hooks_of_the_users_are_not_lost_where_logits_are_taken_out():
    module = Wrapped(lambda logits: {"logits": logits})
    module.register_forward_hook(lambda _module, _inputs, found: {"logits": found["logits"] - 0.5})
    with pytest.raises(UnsupportedNetworkError, match="carries forward hooks"):
        load(module, **PLAIN)


def test_a_softmax_inside_the_network_stays():
    module = Wrapped(lambda logits: logits)
    module.net.insert(1, nn.Softmax(dim=1))
    assert isinstance(load(module.eval(), **PLAIN).module.net[1], nn.Softmax)


def test_what_logits_are_taken_from_is_left_as_it_is_and_keeps_its_names():
    module = Wrapped(lambda logits: {"logits": logits})
    loaded = load(module, **PLAIN).module
    assert isinstance(module(torch.zeros(1, 1, 8, 8)), dict)
    assert [*loaded.state_dict()] == [*module.state_dict()]
    assert isinstance(loaded, Wrapped)
    assert loaded.net is module.net


@pytest.mark.parametrize(
    ("wrap", "output", "words"),
    [
        (lambda logits: (logits, logits), None, r"tuple\(0: \[2, 10\], 1: \[2, 10\]\).* with --output KEY"),
        (lambda logits: {"a": logits, "b": "x", "c": logits[:, :3]}, None, r"a: \[2, 10\], b: str, c: \[2, 3\]"),
        (lambda _logits: "ten", None, r"puts out str\(\)"),
        (lambda _logits: (), None, r"puts out tuple\(\)"),
        (lambda logits: logits[0, 0], None, r"puts out \[\] for 2 images"),
        (lambda logits: logits[:, :, None], None, r"puts out \[2, 10, 1\] for 2 images"),
        (lambda logits: logits[:1], None, r"puts out \[1, 10\] for 2 images"),
        (lambda logits: {"a": logits}, "b", "no logits at 'b' of what mine puts out, which has a: KeyError"),
        (lambda logits: (logits,), 3, "no logits at 3 of what mine puts out, which has 0: IndexError"),
        (lambda logits: logits, "scores", r"which is \[2, 10\]: AttributeError"),
        (lambda logits: logits, lambda found: found / "two", "no logits at <function .*TypeError"),
        (lambda logits: logits.softmax(1), None, "puts out probabilities"),
        (lambda logits: {"logits": logits.softmax(1)}, None, "puts out probabilities"),
        (lambda logits: torch.sigmoid(logits), None, "puts out probabilities"),
        (lambda logits: logits[:, :1].sigmoid(), None, "puts out probabilities"),
    ],
)
def test_what_cannot_be_one_classifiers_logits_is_refused_with_the_next_step(wrap, output, words):
    with pytest.raises(UnsupportedNetworkError, match=words):
        load(Wrapped(wrap), name="mine", output=output, **PLAIN)


def test_a_forward_that_is_not_its_classs_cannot_be_read():
    module = classifier()
    module.forward = lambda images: {"logits": images.flatten(1)}
    with pytest.raises(UnsupportedNetworkError, match="wrap it in a module"):
        load(module, **PLAIN)


def test_networks_of_the_catalogue_put_out_logits_and_nothing_else():
    with pytest.raises(UnsupportedNetworkError, match="leave output away"):
        load("small", weights="digits", output="logits")


def test_a_network_of_one_logit_has_the_sites_that_it_has_with_two():
    one, two = ([*trace(load(classifier(classes), name="mine", **PLAIN)).sites] for classes in (1, 2))
    assert one == two == ["0", "1", "2", "3"]


@pytest.mark.parametrize("flat", [False, True])
def test_the_logit_of_a_binary_network_is_no_site_and_torch_fx_follows_it(flat):
    network = load(Wrapped((lambda z: z.flatten()) if flat else (lambda z: z), 1), name="mine", **PLAIN)
    traced = trace(network)
    assert traced.obstacle == ""
    assert "net.4" not in traced.sites
    assert traced.unsupported["net.4"] == "it is the logits"


def test_the_layer_below_a_softmax_that_was_taken_off_holds_the_logits():
    traced = trace(load(classifier(10, nn.Softmax(dim=1)), name="mine", **PLAIN))
    assert "4" not in traced.sites
    assert traced.unsupported["4"] == "it is the logits"


def test_of_two_softmax_layers_both_are_taken_off(plain):
    run = measured(classifier(10, nn.Softmax(dim=1), nn.Softmax(dim=1)))
    assert len(run.assumptions) == 2
    same(run, plain)


@pytest.mark.parametrize(
    "wrap", [lambda z: torch.sigmoid(z).view(len(z), -1), lambda z: torch.sigmoid(z).clamp(0, 1), torch.sigmoid]
)
@pytest.mark.parametrize("untraceable", [False, True])
def test_probabilities_are_refused_however_they_are_made(wrap, untraceable):
    with pytest.raises(UnsupportedNetworkError, match="puts out probabilities"):
        measured(Wrapped(wrap, untraceable=untraceable))


def test_logits_that_nobody_flattened_are_not_passed_over_for_features():
    with pytest.raises(UnsupportedNetworkError, match="say where the logits are"):
        measured(Wrapped(lambda z: (z[:, :, None, None], z[:, :3])))


def test_what_a_network_keeps_while_it_runs_is_no_traceback():
    class Averages(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = classifier()
            self.register_buffer("mean", torch.zeros(1))

        def forward(self, images):
            self.mean = 0.9 * self.mean + 0.1 * images.mean()
            return self.net(images)

    with pytest.raises(UnsupportedNetworkError, match=r"keeps what it computes of one batch for the next \(mean\)"):
        measured(Averages().eval())
