"""An ablation before it runs: what is asked, and how it would be answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from lenslab import __version__
from lenslab.records import key_of
from lenslab.runs.intervention import FILTER, Intervention
from lenslab.units.engine.engines import ENGINES
from lenslab.units.engine.network_hash import hash_of_architecture, hash_of_weights
from lenslab.units.engine.site_plan import Plan, plan
from lenslab.units.engine.sites import select
from lenslab.units.engine.trace import Trace, trace
from lenslab.units.errors import LabelError, UnitsError, UnsupportedNetworkError
from lenslab.units.images import Images, Source, open_images
from lenslab.units.networks import Network, load, shipped_weights_for
from lenslab.units.silencing.replacements import site_interventions

_RECORDED_BYTES = 1 << 28
"""What the values recorded in one golden pass may take; it decides the batch size."""

_TOP, _MANY_CLASSES = 5, 20
"""With so many classes the five largest logits are looked at, too."""


@dataclass(frozen=True)
class Question:
    """An ablation before it runs: what is asked, and how it would be answered.

    Attributes:
        network: The network.
        images: The images, limited as asked.
        trace: The network seen from inside.
        plans: One per chosen site.
        engine: ``"exact"`` or ``"plain"``.
        seed: Decides the halves, the bootstrap and which pairs are verified.
        batch_size: Images per batch; it decides no integer.
        intervention: What is done to the units.
        reference: The images that means are measured on.
        top: Among how many of the largest logits the true class is looked for; ``None`` where it is not.
        attributes: Whether the units' attributes are measured as well.
    """

    network: Network
    images: Images
    trace: Trace
    plans: tuple[Plan, ...]
    engine: str
    seed: int
    batch_size: int
    intervention: Intervention
    reference: Images
    top: int | None = None
    attributes: bool = True

    @property
    def request(self) -> dict[str, Any]:
        """Everything that decides a number; its hash is the record's key."""
        reference = {"reference_sha256": self.reference.sha256, "reference_count": len(self.reference)}
        return {
            "lenslab": __version__,
            "network": self.network.name,
            "architecture_sha256": hash_of_architecture(self.trace),
            "weights_sha256": hash_of_weights(self.trace.module),
            "preprocessing": self.network.preprocessing.to_json(),
            "images_sha256": self.images.sha256,
            "count": len(self.images),
            "sites": [plan.site.name for plan in self.plans],
            **self.intervention.request(),
            **(reference if self.intervention.measured else {}),
            "top": self.top,
            "attributes": self.attributes,
            **({"broken_images": self.images.on_error} if self.images.on_error != "raise" else {}),
            "engine": self.engine,
            "seed": self.seed,
        }

    @property
    def key(self) -> str:
        """The key of the record that answers it."""
        return key_of("run", self.request)

    @property
    def units(self) -> int:
        """How many units are silenced, over all sites."""
        return sum(plan.count for plan in self.plans)

    @property
    def pairs(self) -> int:
        """How many pairs of unit and image are decided, every draw counted."""
        return self.units * len(self.images) * self.intervention.draws

    @property
    def cost(self) -> int | None:
        """Multiply-accumulates that the plans need at most, one golden pass per image included."""
        whole = self.trace.costs.get("")
        if whole is None:
            return None
        per_draw = whole + sum(plan.count * (plan.cost or 0) for plan in self.plans)
        return len(self.images) * self.intervention.draws * per_draw


def ask(
    network: Network | str,
    images: Source,
    *,
    sites: Sequence[str] | None = None,
    engine: str = "exact",
    limit: int | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    replacement: str | float = "zero",
    reference: Source | None = None,
    basis: str = "units",
    groups: Mapping[str, Sequence[Sequence[int]]] = MappingProxyType({}),
    draws: int | None = None,
    top: int | None = None,
    attributes: bool = True,
) -> Question:
    """Put an ablation together without running it: what a dry run shows.

    Args:
        network: A network, or the name of one (see `lenslab.units.load`), with the weights that are shipped for these
            images, where there are some.
        images: Labelled images, or where they are (see `lenslab.units.open_images`).
        sites: Globs over the names of sites; by default the value that each convolution hands on.
        engine: ``"exact"``, or ``"plain"`` for the reference that runs the whole network for every unit.
        limit: Only the first so many images.
        seed: Decides the halves, the bootstrap and which pairs are verified.
        batch_size: Images per batch; by default what fits a quarter of a GiB of recorded values.
        replacement: What a silenced unit becomes: ``"zero"``, ``"mean"`` (its mean over the reference images),
            ``"mean-map"`` (at each position), ``"resample"`` (its map on another image, see
            `lenslab.units.silencing.resampling`), a number, or ``"filter"`` (its weights and bias are 0; where batch
            norm follows, that is not the same as silencing the unit's output).
        reference: The images that means and energies are measured on, and that maps are taken from; by default the
            images themselves.
        basis: ``"units"``, or random directions of each site's space in place of its axes, drawn by the seed:
            ``"haar"``, uniformly over all rotations, or ``"energy"``, each with the activation energy of a unit (see
            `lenslab.units.engine.random_directions.matched`). The network computes the same; only what is taken out of
            it differs.
        groups: Sets of units to silence together, by the name of their site; the tables' ``unit`` is then the set's
            number. Only the sites that are named are measured. For keep-only sets see `lenslab.units.Site.all_but`.
        draws: How many other images each image's maps are taken from in turn, with ``"resample"``; 3 by default.
        top: Among how many of the largest logits the true class is looked for as well; by default 5 where the network
            tells 20 classes or more apart, else not at all; 0 does not look.
        attributes: Whether the units' attributes are measured and their strongest images kept, which takes a pass
            forward and back over the images. Sets and directions have none.

    Raises:
        UnitsError: Anything asked does not exist or does not fit; the message says what.

    Example:
        >>> question = ask(load("small", weights="digits"), "digits", limit=50)
        >>> [(plan.site.name, plan.site.units, plan.path) for plan in question.plans]
        [('relu1', 32, 'suffix'), ('relu2', 64, 'suffix'), ('relu3', 64, 'linear tail')]
    """
    if engine not in ENGINES:
        raise UnitsError(f"no engine named {engine!r}; there are {', '.join(ENGINES)}")
    if seed < 0:
        raise UnitsError(f"the seed {seed} is negative; give 0 or more")
    if batch_size is not None and batch_size < 1:
        raise UnitsError(f"a batch of {batch_size} images is empty; give --batch-size 1 or more")
    opened = open_images(images).limited(limit)
    if isinstance(network, str):
        network = load(network, weights=shipped_weights_for(network, opened.name))
    _refuse_labels(opened, network)
    traced = trace(network.module, _input_shape(network, opened))
    chosen = select(traced.sites.values(), list(groups) or sites)
    if batch_size is None:
        recorded = 4 * sum(int(np.prod(site.shape)) for site in chosen)
        batch_size = int(np.clip(_RECORDED_BYTES // recorded, 16, 256))
    intervention = Intervention.of(replacement, basis=basis, groups=groups, draws=draws)
    if traced.classes != network.classes:
        raise UnsupportedNetworkError(
            f"{network.name} is said to tell {network.classes} classes apart, but answers with {traced.classes} logits"
        )
    plans = plan(
        traced,
        chosen,
        engine=engine,
        at_filters=intervention.replacement == FILTER,
        interventions=site_interventions(chosen, intervention, seed),
    )
    return Question(
        network=network,
        images=opened,
        trace=traced,
        plans=plans,
        engine=engine,
        seed=seed,
        batch_size=batch_size,
        intervention=intervention,
        reference=opened if reference is None else open_images(reference, on_error=opened.on_error),
        top=_top(top, traced.classes),
        attributes=attributes and all(each.intervention.single for each in plans),
    )


def _top(top: int | None, classes: int) -> int | None:
    if top is None:
        return _TOP if classes >= _MANY_CLASSES else None
    if top and not 1 < top < classes:
        raise UnitsError(f"the top {top} of {classes} classes says nothing new; give 2 to {classes - 1}, or 0 for none")
    return top or None


def _input_shape(network: Network, images: Images) -> tuple[int, ...]:
    return tuple(network.preprocessing([images.first()]).shape[1:])


def _refuse_labels(images: Images, network: Network) -> None:
    wrong = np.flatnonzero(images.labels >= network.classes)
    if len(wrong):
        first = int(wrong[0])
        raise LabelError(
            f"image {first} of {images.source} has label {images.labels[first]}, but {network.name} has logits for the "
            f"classes 0 to {network.classes - 1} only ({len(wrong)} of {len(images)} images have such labels)"
        )
