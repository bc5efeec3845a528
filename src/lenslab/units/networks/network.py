"""A classifier, with what its input is and which weights it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from lenslab.units.errors import PreprocessingError, TrainingModeError, UnsupportedNetworkError, some_of
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.networks.module_kinds import refuse_kinds, unwrapped
from lenslab.units.networks.output import Output, giving_logits
from lenslab.units.networks.weights import WeightsInfo


@dataclass(frozen=True, eq=False)
class Network:
    """A classifier of images.

    Attributes:
        name: What it is called in records.
        module: Maps float32 [n, C, H, W] to logits [n, classes]; every submodule is in eval mode.
        preprocessing: What happens to an image before the module sees it.
        classes: Number of logits.
        class_names: A name for each logit.
        weights: The file that the weights came from, if they came from one.
        assumptions: What was done to make the module measurable, a sentence each.
        output: Where the logits are in what the network puts out, where that had to be said: a key or a position.
        names_are_stated: Whether the class names are known to be those of these weights; else they are only what the
            architecture is usually trained on, and give way to names that contradict them.

    Raises:
        TrainingModeError: The module or a submodule is in training mode. It is yours, so it is not switched here.
        UnsupportedNetworkError: The class names are not as many as the classes, or the module is of a kind that cannot
            be measured, see `lenslab.units.networks.module_kinds`.

    Example:
        >>> module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
        >>> Network("mine", module, Preprocessing(1, (8, 8), (0.0,), (1.0,)), classes=2).parameters
        50
    """

    name: str
    module: nn.Module
    preprocessing: Preprocessing
    classes: int
    class_names: tuple[str, ...] | None = None
    weights: WeightsInfo | None = None
    assumptions: tuple[str, ...] = ()
    output: str | int | None = None
    names_are_stated: bool = True

    def __post_init__(self) -> None:
        refuse_kinds(self.module, self.name)
        training = [name or type(self.module).__name__ for name, part in self.module.named_modules() if part.training]
        if training:
            raise TrainingModeError(
                f"{self.name} is in training mode ({some_of(training, 1)}): its answers would depend on the batch; "
                "call .eval() on it first"
            )
        if self.class_names is not None and len(self.class_names) != self.classes:
            raise UnsupportedNetworkError(
                f"{self.name} has {self.classes} logits and {len(self.class_names)} class names; give one for each"
            )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one input.

        Raises:
            PreprocessingError: The preprocessing takes images of any size.
        """
        if self.preprocessing.size is None:
            raise PreprocessingError(f"the size of the images that {self.name} takes is unknown; give one with --size")
        return (self.preprocessing.channels, *self.preprocessing.size)

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return sum(parameter.numel() for parameter in self.module.parameters())


def network_of(
    module: nn.Module,
    preprocessing: Preprocessing,
    *,
    name: str | None = None,
    class_names: Sequence[str] | None = None,
    weights: WeightsInfo | None = None,
    output: Output | None = None,
) -> Network:
    """Make a network of your own module; the number of classes is read off what it puts out.

    Args:
        module: In eval mode; it is not changed. ``torch.compile`` and ``DataParallel`` are taken off, and a copy in
            float32 is measured where it has another precision.
        preprocessing: What happens to an image before the module sees it; its size has to be given.
        name: What it is called in records; the class's name by default.
        class_names: A name for each logit.
        weights: The file that the weights came from.
        output: Where the logits are, see `lenslab.units.load`.

    Raises:
        TrainingModeError: The module is in training mode.
        PreprocessingError: No size is given.
        UnsupportedNetworkError: The module does not map [n, C, H, W] to logits [n, K], see
            `lenslab.units.networks.output`.

    Example:
        >>> module = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).eval()
        >>> network_of(module, Preprocessing(1, (8, 8), (0.0,), (1.0,))).classes
        3
    """
    module, assumptions = unwrapped(module)
    called = name or type(module).__name__
    unchecked = Network(called, module, preprocessing, classes=0, weights=weights)
    module, more = giving_logits(module, _probe(unchecked), called, output)
    with torch.inference_mode():
        classes = module(_probe(unchecked)).shape[1]
    return replace(
        unchecked,
        module=module,
        classes=classes,
        class_names=None if class_names is None else tuple(class_names),
        assumptions=(*assumptions, *more),
        output=output if isinstance(output, str | int) else None,
    )


def _probe(network: Network) -> Tensor:
    """Make two images of noise, always the same, where the network is."""
    parameter = next(network.module.parameters(), None)
    noise = torch.rand(2, *network.input_shape, generator=torch.Generator().manual_seed(0))
    return noise.to(torch.device("cpu") if parameter is None else parameter.device)
