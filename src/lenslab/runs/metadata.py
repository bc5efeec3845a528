"""What a run says of its network, its images and its sites: values, read off a document that may come from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lenslab.records import BrokenRecordError


@dataclass(frozen=True)
class NetworkMetadata:
    """The network that was measured.

    Attributes:
        name: What it is called.
        weights: The file that its weights came from; None where there was none.
        weights_file_sha256: Of that file.
        weights_sha256: Of the tensors, whatever file they were in.
        architecture_sha256: Of what the network computes, its weights left out.
        parameters: How many there are.
        preprocessing: What happened to an image before the network saw it, as JSON.
        output: Where its logits were in what it put out, where that had to be said: a key or a position.
    """

    name: str
    weights: str | None
    weights_file_sha256: str | None
    weights_sha256: str | None
    architecture_sha256: str | None
    parameters: int | None
    preprocessing: Mapping[str, Any]
    output: str | int | None = None

    @classmethod
    def recorded(cls, document: Mapping[str, Any]) -> NetworkMetadata:
        """Read it off a run's document."""
        network, request = part(document, "network"), part(document, "request")
        return cls(
            name=text(network, "name") or "unnamed",
            weights=text(network, "weights"),
            weights_file_sha256=text(network, "weights_sha256"),
            weights_sha256=text(request, "weights_sha256"),
            architecture_sha256=text(request, "architecture_sha256"),
            parameters=count(network, "parameters"),
            preprocessing=part(request, "preprocessing") or part(network, "preprocessing"),
            output=text(network, "output") or count(network, "output"),
        )


@dataclass(frozen=True)
class DatasetMetadata:
    """The images that were measured on.

    Attributes:
        name: What they are called.
        source: Where they were.
        sha256: Of all images of the source, with their labels.
        limit: Of how many images of the source, from the first on, the run is.
        classes: How many classes the network tells apart.
        class_names: A name for each class; None where there are none.
        skips_broken: Whether images that do not decode were left out.
        exif: Whether pictures were turned as their EXIF orientation says.
        reference_sha256: Of the images that means, maps and energies were measured on; None where none were.
        reference_limit: Of how many of those.
    """

    name: str
    source: str | None
    sha256: str | None
    limit: int | None
    classes: int | None
    class_names: tuple[str, ...] | None
    skips_broken: bool
    exif: bool
    reference_sha256: str | None
    reference_limit: int | None

    @classmethod
    def recorded(cls, document: Mapping[str, Any]) -> DatasetMetadata:
        """Read it off a run's document."""
        images, request = part(document, "images"), part(document, "request")
        names = images.get("class_names")
        return cls(
            name=text(images, "name") or "unnamed",
            source=text(images, "source"),
            sha256=text(request, "images_sha256") or text(images, "sha256"),
            limit=count(request, "count"),
            classes=count(images, "classes"),
            class_names=tuple(str(name) for name in names) if isinstance(names, list) and names else None,
            skips_broken=request.get("broken_images") == "skip",
            exif=request.get("exif") is not False,
            reference_sha256=text(request, "reference_sha256"),
            reference_limit=count(request, "reference_count"),
        )

    def class_name(self, label: int) -> str:
        """Give a class's name, or its label where it has none."""
        return self.class_names[label] if self.class_names and 0 <= label < len(self.class_names) else str(label)


@dataclass(frozen=True)
class SiteMetadata:
    """A site that was measured.

    Attributes:
        name: Its name.
        units: How many units it has.
        default: Whether it is one of the network's default sites: what a convolution hands on.
        shape: The shape of its value for one image; None where it was not recorded.
        path: How most of its pairs were decided; None where it was not recorded.
        multiply_accumulates: What its pairs take at most; None where that is not known.
    """

    name: str
    units: int
    default: bool = False
    shape: tuple[int, ...] | None = None
    path: str | None = None
    multiply_accumulates: int | None = None

    @classmethod
    def recorded(cls, document: Mapping[str, Any], where: object) -> tuple[SiteMetadata, ...]:
        """Read all of them off a run's document.

        Raises:
            BrokenRecordError: It lists none, or one without name or number of units.
        """
        sites = document.get("sites")
        try:
            found = tuple(
                cls(
                    name=str(site["name"]),
                    units=int(site["units"]),
                    default=bool(site.get("default", False)),
                    shape=tuple(int(size) for size in site["shape"]) if site.get("shape") else None,
                    path=text(site, "path"),
                    multiply_accumulates=count(site, "multiply_accumulates"),
                )
                for site in sites or ()
            )
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise BrokenRecordError(f"{where} does not say which sites it measured: {error!r}") from error
        if not found:
            raise BrokenRecordError(f"{where} does not say which sites it measured; measure again")
        return found

    def all_but(self, kept: Iterable[int]) -> list[int]:
        """Name every unit except those to keep: a keep-only set is the silence of all the others.

        Example:
            >>> SiteMetadata("relu", 5).all_but([1, 3])
            [0, 2, 4]
        """
        spared = set(kept)
        return [unit for unit in range(self.units) if unit not in spared]


def part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Read an object within; an empty one where there is none."""
    held = document.get(name)
    return held if isinstance(held, Mapping) else {}


def text(document: Mapping[str, Any], name: str) -> str | None:
    """Read a text; None where there is none."""
    held = document.get(name)
    return held if isinstance(held, str) else None


def count(document: Mapping[str, Any], name: str) -> int | None:
    """Read a number of things; None where there is none."""
    held = document.get(name)
    return held if isinstance(held, int) and not isinstance(held, bool) else None


def number(document: Mapping[str, Any], name: str) -> float | None:
    """Read a number; None where there is none."""
    held = document.get(name)
    if isinstance(held, bool) or not isinstance(held, int | float):
        return None
    try:
        return float(held)
    except OverflowError:  # a whole number of hundreds of digits
        return None
