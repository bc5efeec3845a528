"""Options that several commands share, and the network that they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

if TYPE_CHECKING:
    from lenslab.units import Network

AsJson = Annotated[bool, Option("--json", help="Print one JSON document instead.")]
NetworkName = Annotated[
    str, Argument(metavar="NETWORK", help="A name from 'lenslab networks', or package.module:callable.")
]
Weights = Annotated[
    str | None,
    Option(
        "--weights",
        metavar="FILE",
        help="Weights: .safetensors, .pth, .pt, .ckpt, ...; FILE#KEY for one of several sets in it; or shipped ones by "
        "their name.",
    ),
]
Split = Annotated[
    str | None,
    Option(
        "--split",
        metavar="S",
        help="Which split, of several side by side: test, or of Parquet files train+test.",
    ),
]
NoExif = Annotated[
    bool, Option("--no-exif", help="Leave pictures as their pixels lie, and do not turn them as their EXIF says.")
]
Classes = Annotated[
    str | None,
    Option(
        "--classes",
        metavar="FILE",
        help="JSON: the images' class names or labels to the network's, where they differ; or by-number: labels are "
        "the network's numbers, whatever the classes are called.",
    ),
]
Mean = Annotated[
    str | None, Option("--mean", metavar="M,M,M", help="Means to subtract, one per channel, on the scale 0 to 1.")
]
Sd = Annotated[str | None, Option("--sd", metavar="S,S,S", help="Standard deviations to divide by, one per channel.")]
Size = Annotated[str | None, Option("--size", metavar="HxW", help="Input size in pixels, e.g. 32 or 224x224.")]
Output = Annotated[
    str | None,
    Option(
        "--output",
        metavar="KEY",
        help="Where the logits are in what the network puts out: a key, or a number from 0.",
    ),
]

On = Annotated[
    str | None,
    Option(
        "--on",
        metavar="WHERE",
        help="Where the work is done, here by default: ray (one of Ray for the run, or that of RAY_ADDRESS), HOST:PORT "
        "or ray://HOST.",
    ),
]
Workers = Annotated[
    int | None, Option("--workers", min=1, metavar="N", help="Processes that do it there. Default: as many as fit.")
]

Declared = Annotated[
    Path | None,
    Option(
        "--preprocessing", metavar="FILE", help="Preprocessing from a JSON file: lenslab's, timm's or Transformers'."
    ),
]


def load(
    name: str,
    weights: str | None,
    mean: str | None,
    sd: str | None,
    size: str | None,
    *,
    declared: Path | None = None,
    output: str | None = None,
    images: str = "",
    untrained: bool = False,
) -> Network:
    """Load the network that a person named.

    Its weights are by default those shipped for the images. ``mean``, ``sd`` and ``size`` have the last word over
    declared preprocessing. Untrained allows random weights, to look at the sites.

    Raises:
        UnitsError: It does not exist or does not fit.
        typer.BadParameter: An option is not of its form.
    """
    from lenslab import units
    from lenslab.units.networks import shipped_weights_for

    return units.load(
        name,
        weights=weights or shipped_weights_for(name, images),
        untrained=untrained,
        preprocessing=declared,
        mean=numbers("--mean", mean),
        sd=numbers("--sd", sd),
        size=size_of(size),
        output=key_of(output),
    )


def key_of(text: str | None) -> str | int | None:
    """Read a key; a number is a position.

    Example:
        >>> key_of("logits"), key_of("1")
        ('logits', 1)
    """
    return int(text) if text is not None and text.removeprefix("-").isdecimal() else text


def numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    """Read numbers with commas or spaces between them; ``None`` stays ``None``.

    Raises:
        typer.BadParameter: They are not numbers.

    Example:
        >>> numbers("--mean", "0.5, 0.25")
        (0.5, 0.25)
    """
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        message = f"{text!r} is not a list of numbers such as 0.485,0.456,0.406"
        raise typer.BadParameter(message, param_hint=option) from None


def size_of(text: str | None) -> tuple[int, int] | None:
    """Read a height and a width in pixels; one number stands for both.

    Raises:
        typer.BadParameter: It is not a size.

    Example:
        >>> size_of("32"), size_of("224x192")
        ((32, 32), (224, 192))
    """
    if text is None:
        return None
    parts = text.lower().replace("x", " ").replace(",", " ").split()
    if len(parts) not in (1, 2) or not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(f"{text!r} is not a size such as 32 or 224x224", param_hint="--size")
    return int(parts[0]), int(parts[-1])
