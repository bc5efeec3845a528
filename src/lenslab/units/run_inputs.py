"""What a finished run was asked of: its network, its images and its reference images, found again and checked."""

from __future__ import annotations

from pathlib import Path

import torch

from lenslab.runs.run_record import RunRecord
from lenslab.units.engine.network_hash import hash_of_architecture, hash_of_weights
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import LabelError, OtherThanAskedError, UnknownImagesError, UnknownNetworkError, WeightsError
from lenslab.units.fragment import located
from lenslab.units.images import Images, Source, open_images
from lenslab.units.images.class_mapping import BY_NUMBER, same_name
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.networks import Network, entry, load
from lenslab.units.networks.network_libraries import is_of_library

_ASKED_AGAIN = 32
"""How many images a network is asked again where its record is found."""


def network_again(
    run: RunRecord, network: Network | str | None = None, *, weights: str | Path | None = None
) -> Network:
    """Load the network of a finished run, by default the one that the record names, and see that it is the same.

    Weights are by default those that the record names, where they come with a package or lie in the current directory.
    Whether the architecture is the same is seen when it is traced, see `refuse_other_architecture`.

    Example:
        >>> from lenslab.units import ablate
        >>> run = ablate(load("small", weights="digits"), "digits", limit=20, sites=["relu3"])
        >>> network_again(run).weights.file
        'small-digits.safetensors'
    """
    stated = run.network
    if not isinstance(network, Network):
        name = network or stated.name
        try:
            network = load(
                name,
                weights=weights if weights is not None else _weights(run, name),
                untrained=stated.weights is None,
                preprocessing=Preprocessing.from_json(dict(stated.preprocessing)),
                output=stated.output,
            )
        except UnknownNetworkError as error:
            raise UnknownNetworkError(
                f"{run.directory} was measured on {stated.name!r}, and {name!r} cannot be loaded ({error}); "
                "say what it is with --network, or give it as network= from Python"
            ) from error
    if network.preprocessing.to_json() != stated.preprocessing:
        raise OtherThanAskedError(
            f"{run.directory} was measured with the preprocessing {stated.preprocessing}, and {network.name} "
            f"comes with {network.preprocessing.to_json()}; give the network with the run's preprocessing"
        )
    found_hash = hash_of_weights(network.module)
    if found_hash != stated.weights_sha256:
        raise OtherThanAskedError(
            f"the weights of {network.name} ({found_hash[:12]}) are not those of {run.directory} "
            f"({stated.weights or 'not from a file'}, {str(stated.weights_sha256)[:12]}); say where those are with "
            "--weights FILE"
        )
    return network


def refuse_other_architecture(run: RunRecord, network: Network, traced: Trace) -> None:
    """See that a network computes what that of the run does."""
    found, asked = hash_of_architecture(traced), str(run.network.architecture_sha256)
    if found != asked:
        raise OtherThanAskedError(
            f"{network.name} has the weights of {run.directory} and another architecture ({found[:12]} and not "
            f"{asked[:12]}): its code has changed since; measure the run again with: lenslab ablate"
        )


def refuse_other_answers(
    run: RunRecord, traced: Trace, images: Images, preprocessing: Preprocessing, device: torch.device
) -> None:
    """See that a network without a graph answers as in its run: what it does may hang on more than its weights."""
    if traced.graph is not None:
        return
    program = traced.program(device, precision=torch.float64)
    recorded = run.table("images", ["image", "prediction"]).set_index("image")["prediction"]
    for block in images.blocks(_ASKED_AGAIN, stop=min(_ASKED_AGAIN, len(images))):
        with torch.inference_mode():
            answers = program.logits(preprocessing(block.pixels)).argmax(dim=1).cpu().numpy()
        for number, answer in zip(block.numbers, answers, strict=True):
            if number in recorded.index and recorded[number] != answer:
                raise OtherThanAskedError(
                    f"{run.directory} is of a network with these weights that took image {number} for class "
                    f"{recorded[number]}, and this one takes it for class {answer}: it hangs on values that are "
                    "neither parameters nor buffers; measure into another directory"
                )


def images_again(run: RunRecord, images: Source | None = None, *, classes: str | Path | None = None) -> Images:
    """Open the images of a finished run, limited as there, and see that they are the same.

    The mapping of classes is by default read off the labels that the run's images have.

    Example:
        >>> from lenslab.units import ablate
        >>> run = ablate(load("small", weights="digits"), "digits", limit=20, sites=["relu3"])
        >>> len(images_again(run))
        20
    """
    stated = run.dataset
    try:
        opened = opened_as(run, images if images is not None else stated.source or stated.name)
    except UnknownImagesError as error:
        raise UnknownImagesError(
            f"the images of {run.directory} ({stated.source}) are not here; say where they are with --images "
            f"SOURCE, or give them as images= from Python ({error})"
        ) from error
    opened = mapped_again(run, opened, classes)
    if opened.sha256 != stated.sha256:
        raise OtherThanAskedError(
            f"the images {opened.source} ({len(opened):,}, {opened.sha256[:12]}) are not those of {run.directory} "
            f"({stated.name}, {str(stated.sha256)[:12]}); say where those are with --images SOURCE, and where "
            "their classes were mapped, how, with --classes FILE"
        )
    return opened.limited(stated.limit)


def opened_as(run: RunRecord, images: Source) -> Images:
    """Open images, leave out those that do not decode, if the run did, and turn pictures as it did."""
    return open_images(images, on_error="skip" if run.dataset.skips_broken else "raise", exif=run.dataset.exif)


def mapped_again(run: RunRecord, opened: Images, classes: str | Path | None = None) -> Images:
    """Map the classes of images, which have the labels of their source, to labels as the run did.

    Without a mapping, where the source is not that of the run as it is, the one that the run's labels show is taken, if
    it gives the run's images; else the images stay as they are.
    """
    network = run.dataset.class_names or run.class_count
    if classes is not None:
        return opened.mapped(network, classes)
    if opened.sha256 == run.dataset.sha256:
        return opened.mapped(network, BY_NUMBER) if _named_otherwise(run, opened) else opened
    frame = run.table("images", ["image", "label"])
    if not frame["image"].between(0, len(opened) - 1).all():
        return opened
    seen = dict(zip(opened.labels[frame["image"]].tolist(), frame["label"].tolist(), strict=True))
    try:
        mapped = opened.mapped(network, seen)
    except LabelError:  # a class that the run's images do not show and whose name says nothing
        return opened
    return mapped if mapped.sha256 == run.dataset.sha256 else opened


def _named_otherwise(run: RunRecord, opened: Images) -> bool:
    """Tell whether the run took labels by their numbers, for the classes of its images have other names."""
    stated, names = run.dataset.class_names or (), opened.class_names or ()
    present = set(opened.labels[opened.labels >= 0].tolist())
    return any(not same_name(stated[label], names[label]) for label in present if label < min(len(stated), len(names)))


def reference_again(run: RunRecord, images: Images | None = None, reference: Source | None = None) -> Images | None:
    """Open the images that a finished run measured its means on; None where it measured no mean.

    ``images`` are the run's own, where they are open; ``reference`` says where the others are now, if there are others.
    """
    stated = run.dataset
    asked = stated.reference_sha256
    if asked is None:
        return None
    if reference is None and asked == stated.sha256:
        return (images or images_again(run)).limited(stated.reference_limit)
    if reference is None:
        raise OtherThanAskedError(
            f"{run.directory} measured the {run.intervention.replacement} of its units on other images than its own "
            f"({asked[:12]}); say where they are with --reference SOURCE"
        )
    opened = opened_as(run, reference)
    if opened.sha256 != asked:
        raise OtherThanAskedError(
            f"the reference images {opened.source} ({opened.sha256[:12]}) are not those of {run.directory} "
            f"({asked[:12]})"
        )
    return opened.limited(stated.reference_limit)


def _weights(run: RunRecord, name: str) -> str | None:
    """Where the weights that a record names are likely to be."""
    file = run.network.weights
    if file is None:
        return None
    if ":" not in name:
        known = entry(name)
        shipped = [weights.name for weights in known.weights if weights.path.name == file]
        packaged = [known.packaged.name] if known.packaged and Path(known.packaged.file).name == file else []
        if shipped or packaged:
            return (shipped or packaged)[0]
    if located(file)[0].is_file():
        return str(file)
    if is_of_library(name):
        return None  # what the library itself has, which is checked as any other
    raise WeightsError(f"the weights {file} of {run.directory} are not here; say where they are with --weights FILE")
