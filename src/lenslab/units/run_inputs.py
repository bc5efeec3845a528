"""What a finished run was asked of: its network, its images and its reference images, found again and checked."""

from __future__ import annotations

from pathlib import Path

from lenslab.records import Record
from lenslab.units.engine.network_hash import hash_of_architecture, hash_of_weights
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import LabelError, OtherThanAskedError, UnknownImagesError, UnknownNetworkError, WeightsError
from lenslab.units.images import Images, Source, open_images
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.networks import Network, entry, load
from lenslab.units.networks.network_libraries import is_of_library


def network_again(
    record: Record, network: Network | str | None = None, *, weights: str | Path | None = None
) -> Network:
    """Load the network of a finished run, and see that it is the same.

    Args:
        record: The run.
        network: The network, or its name; by default the name that the record states.
        weights: Where its weights are now; by default those that the record names, where they come with a package or
            lie in the current directory.

    Returns:
        The network, with the preprocessing of the run. Whether its architecture is the same is seen when it is traced,
        see `refuse_other_architecture`.

    Raises:
        OtherThanAskedError: Its weights or its preprocessing differ from those of the run.
        UnitsError: It cannot be found or loaded; the message says how to name it.

    Example:
        >>> from lenslab.units import ablate
        >>> run = ablate(load("small", weights="digits"), "digits", limit=20, sites=["relu3"])
        >>> network_again(run.record).weights.file
        'small-digits.safetensors'
    """
    request, stated = record.document["request"], record.document["network"]
    if not isinstance(network, Network):
        name = network or stated["name"]
        try:
            network = load(
                name,
                weights=weights if weights is not None else _weights(record, name),
                untrained=stated["weights"] is None,
                preprocessing=Preprocessing.from_json(stated["preprocessing"]),
            )
        except UnknownNetworkError as error:
            raise UnknownNetworkError(
                f"{record.directory} was measured on {stated['name']!r}, and {name!r} cannot be loaded ({error}); "
                "say what it is with --network, or give it as network= from Python"
            ) from error
    if network.preprocessing.to_json() != request["preprocessing"]:
        raise OtherThanAskedError(
            f"{record.directory} was measured with the preprocessing {request['preprocessing']}, and {network.name} "
            f"comes with {network.preprocessing.to_json()}; give the network with the run's preprocessing"
        )
    found_hash = hash_of_weights(network.module)
    if found_hash != request["weights_sha256"]:
        raise OtherThanAskedError(
            f"the weights of {network.name} ({found_hash[:12]}) are not those of {record.directory} "
            f"({stated['weights'] or 'not from a file'}, {request['weights_sha256'][:12]}); say where those are with "
            "--weights FILE"
        )
    return network


def refuse_other_architecture(record: Record, network: Network, traced: Trace) -> None:
    """See that a network computes what that of the run does.

    Raises:
        OtherThanAskedError: It does not.
    """
    found, asked = hash_of_architecture(traced), record.document["request"]["architecture_sha256"]
    if found != asked:
        raise OtherThanAskedError(
            f"{network.name} has the weights of {record.directory} and another architecture ({found[:12]} and not "
            f"{asked[:12]}): its code has changed since; measure the run again with: lenslab ablate"
        )


def images_again(record: Record, images: Source | None = None, *, classes: str | Path | None = None) -> Images:
    """Open the images of a finished run, and see that they are the same.

    Args:
        record: The run.
        images: Where they are now; by default where the record says that they were.
        classes: The mapping of classes that the run had, see `lenslab.units.Images.mapped`. By default it is read off
            the labels that the run's images have.

    Returns:
        The images, limited as in the run.

    Raises:
        OtherThanAskedError: They are others.
        UnitsError: They cannot be found or opened.

    Example:
        >>> from lenslab.units import ablate
        >>> run = ablate(load("small", weights="digits"), "digits", limit=20, sites=["relu3"])
        >>> len(images_again(run.record))
        20
    """
    request, stated = record.document["request"], record.document["images"]
    try:
        opened = opened_as(record, images if images is not None else stated["source"])
    except UnknownImagesError as error:
        raise UnknownImagesError(
            f"the images of {record.directory} ({stated['source']}) are not here; say where they are with --images "
            f"SOURCE, or give them as images= from Python ({error})"
        ) from error
    opened = mapped_again(record, opened, classes)
    if opened.sha256 != request["images_sha256"]:
        raise OtherThanAskedError(
            f"the images {opened.source} ({len(opened):,}, {opened.sha256[:12]}) are not those of {record.directory} "
            f"({stated['name']}, {request['images_sha256'][:12]}); say where those are with --images SOURCE, and where "
            "their classes were mapped, how, with --classes FILE"
        )
    return opened.limited(request["count"])


def opened_as(record: Record, images: Source) -> Images:
    """Open images and leave out those that do not decode, if the run did."""
    skipping = record.document["request"].get("broken_images") == "skip"
    return open_images(images, on_error="skip" if skipping else "raise")


def mapped_again(record: Record, opened: Images, classes: str | Path | None = None) -> Images:
    """Number the classes of images as the run did.

    Args:
        record: The run.
        opened: The images, with the labels of their source.
        classes: The mapping; by default, where the source is not that of the run as it is, the one that the run's
            labels show, if it gives the run's images.

    Returns:
        The images with the network's labels; as they are where no mapping is given or seen.
    """
    request, stated = record.document["request"], record.document["images"]
    network = stated["class_names"] or stated["classes"]
    if classes is not None:
        return opened.mapped(network, classes)
    if opened.sha256 == request["images_sha256"]:
        return opened
    frame = record.table("images", ["image", "label"])
    if not frame["image"].between(0, len(opened) - 1).all():
        return opened
    seen = dict(zip(opened.labels[frame["image"]].tolist(), frame["label"].tolist(), strict=True))
    try:
        mapped = opened.mapped(network, seen)
    except LabelError:  # a class that the run's images do not show and whose name says nothing
        return opened
    return mapped if mapped.sha256 == request["images_sha256"] else opened


def reference_again(record: Record, images: Images | None = None, reference: Source | None = None) -> Images | None:
    """Open the images that a finished run measured its means on.

    Args:
        record: The run.
        images: The run's own images, where they are open.
        reference: Where the reference images are now, if they are not the run's own images.

    Returns:
        The images; None where the run measured no mean.

    Raises:
        OtherThanAskedError: They are others, or it is not said where they are.
        UnitsError: They cannot be found or opened.
    """
    request = record.document["request"]
    if "reference_sha256" not in request:
        return None
    asked = request["reference_sha256"]
    if reference is None and asked == request["images_sha256"]:
        return (images or images_again(record)).limited(request["reference_count"])
    if reference is None:
        raise OtherThanAskedError(
            f"{record.directory} measured the {request['replacement']} of its units on other images than its own "
            f"({asked[:12]}); say where they are with --reference SOURCE"
        )
    opened = opened_as(record, reference)
    if opened.sha256 != asked:
        raise OtherThanAskedError(
            f"the reference images {opened.source} ({opened.sha256[:12]}) are not those of {record.directory} "
            f"({asked[:12]})"
        )
    return opened.limited(request["reference_count"])


def _weights(record: Record, name: str) -> str | None:
    """Where the weights that a record names are likely to be."""
    file = record.document["network"]["weights"]
    if file is None:
        return None
    if ":" not in name:
        known = entry(name)
        shipped = [weights.name for weights in known.weights if weights.path.name == file]
        packaged = [known.packaged.name] if known.packaged and Path(known.packaged.file).name == file else []
        if shipped or packaged:
            return (shipped or packaged)[0]
    if Path(file).is_file():
        return str(file)
    if is_of_library(name):
        return None  # what the library itself has, which is checked as any other
    raise WeightsError(f"the weights {file} of {record.directory} are not here; say where they are with --weights FILE")
