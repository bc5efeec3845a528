"""Sums for a profile: what some images add to it, in a form that adds up over images and can be stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenslab.runs.attributes.class_correlation import Moments
from lenslab.runs.attributes.profile import Profile
from lenslab.runs.attributes.top_images import TopImages

Floats = NDArray[np.float64]

_MOMENTS = ("first_mean", "second_mean", "first_squares", "second_squares")


@dataclass(frozen=True, eq=False)
class ProfileSums:
    """The sums over some images at one site; two of them add up to those over all their images.

    Attributes:
        positions: How many positions each unit has.
        count: How many images.
        maximum: The largest value of each unit, ``[units]``.
        zeros: The share of zeros of each unit, summed over images, ``[units]``.
        ranks: The rank of each unit's map, summed over images, ``[units]``.
        ranked: Over how many images.
        moments: Those of spatial means and predicted probabilities.
        top_images: The images with the largest values.
        products: See `Profile`.
        sizes: See `Profile`.
    """

    positions: int
    count: int
    maximum: Floats
    zeros: Floats
    ranks: Floats
    ranked: int
    moments: Moments
    top_images: TopImages
    products: Floats | None = None
    sizes: Floats | None = None

    def __add__(self, other: ProfileSums) -> ProfileSums:
        return ProfileSums(
            positions=self.positions,
            count=self.count + other.count,
            maximum=np.maximum(self.maximum, other.maximum),
            zeros=self.zeros + other.zeros,
            ranks=self.ranks + other.ranks,
            ranked=self.ranked + other.ranked,
            moments=self.moments + other.moments,
            top_images=self.top_images + other.top_images,
            products=None if self.products is None or other.products is None else self.products + other.products,
            sizes=None if self.sizes is None or other.sizes is None else self.sizes + other.sizes,
        )

    def profile(self, activations: NDArray[np.float32], labels: NDArray[np.int64]) -> Profile:
        """Make a profile of the sums over all images, whose activations are of the shape ``[images, units]``."""
        return Profile(
            labels=labels,
            classes=len(self.moments.second_mean),
            positions=self.positions,
            activations=activations,
            max_activation=self.maximum,
            apoz=self.zeros / self.count,
            feature_map_rank=self.ranks / self.ranked if self.ranked else np.full(len(self.maximum), np.nan),
            correlations=self.moments.correlations(),
            products=self.products,
            sizes=self.sizes,
        )

    def to_row(self) -> dict[str, object]:
        """Flatten into numbers and lists, for a table with a row per site."""
        flat = {
            **{name: getattr(self, name) for name in ("maximum", "zeros", "ranks", "products", "sizes")},
            **{name: getattr(self.moments, name) for name in _MOMENTS},
            "moment_products": self.moments.products,
            "peaks": self.top_images.values,
            "peak_images": self.top_images.images,
        }
        counts = {name: getattr(self, name) for name in ("positions", "count", "ranked")} | {
            "kept": self.top_images.count
        }
        return {**counts, **{name: None if each is None else each.ravel() for name, each in flat.items()}}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> ProfileSums:
        """Read back what `to_row` gave."""
        arrays = {name: np.asarray(value) for name, value in row.items() if isinstance(value, (list, np.ndarray))}
        units, classes = len(arrays["maximum"]), len(arrays["second_mean"])
        held = {name: arrays[name] for name in _MOMENTS}
        held["products"] = arrays["moment_products"].reshape(units, classes)
        return cls(
            positions=int(row["positions"]),
            count=int(row["count"]),
            maximum=arrays["maximum"],
            zeros=arrays["zeros"],
            ranks=arrays["ranks"],
            ranked=int(row["ranked"]),
            moments=Moments(int(row["count"]), **held),
            top_images=TopImages(
                arrays["peaks"].reshape(units, -1), arrays["peak_images"].reshape(units, -1), int(row["kept"])
            ),
            **{name: arrays[name].reshape(units, classes) for name in ("products", "sizes") if name in arrays},
        )


def add_by_site(one: Mapping[str, ProfileSums], other: Mapping[str, ProfileSums]) -> dict[str, ProfileSums]:
    """Add sums site by site; the first may still be empty."""
    return {name: one[name] + each if name in one else each for name, each in other.items()}
