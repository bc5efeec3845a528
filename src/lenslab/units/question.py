"""A question to a network: which units are silenced how, on which images, and at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import torch

from lenslab import __version__
from lenslab.records import key_of
from lenslab.runs.intervention import Intervention
from lenslab.units.engine.engines import Engine, engine
from lenslab.units.engine.execution import AUTO, EAGER, FLOAT32, MIXED, OPENVINO, PLAIN, Execution, precision_of
from lenslab.units.engine.network_hash import hash_of_architecture, hash_of_weights
from lenslab.units.engine.site_plan import Plan
from lenslab.units.engine.trace import Trace
from lenslab.units.errors import UnitsError
from lenslab.units.images import Images
from lenslab.units.images.concept_masks import ConceptImages
from lenslab.units.networks import Network
from lenslab.units.silencing.resampling import Resampling
from lenslab.units.sweep.exemplars import profiler
from lenslab.units.sweep.schedule import schedule
from lenslab.units.sweep.sweep import Sweep


@dataclass(frozen=True)
class Question:
    """What is asked in an ablation, and how it would be answered.

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
        concepts: Images with masks of the concepts that units are aligned with, where they are.
        clean: How clean passes are run.
        wanted_executor: What was asked for to run the network, see `lenslab.units.engine.execution`.
        wanted_arithmetic: What was asked for to decide in, see there.
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
    concepts: ConceptImages | None = None
    clean: Execution = PLAIN
    wanted_executor: str = AUTO
    wanted_arithmetic: str = FLOAT32

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
            **({"concepts_sha256": self.concepts.sha256} if self.concepts else {}),
            **({"broken_images": self.images.on_error} if self.images.on_error != "raise" else {}),
            **({} if self.images.exif else {"exif": False}),
            "engine": self.engine,
            **({} if self.executor == EAGER else {"executor": self.executor}),
            **({} if self.arithmetic == FLOAT32 else {"arithmetic": self.arithmetic}),
            "seed": self.seed,
        }

    @property
    def executor(self) -> str:
        """What runs the parts that have much to do."""
        executions = (self.clean, *(plan.execution for plan in self.plans))
        return next((each.executor for each in executions if each.executor != EAGER), EAGER)

    @property
    def arithmetic(self) -> str:
        """In what pairs are decided: ``"float32"``, or ``"mixed"`` with bfloat16 where that can decide."""
        return MIXED if any(plan.execution.precision is torch.bfloat16 for plan in self.plans) else FLOAT32

    def on_device(self, device: str) -> Self:
        """Give the question as it is answered on a device, in torch's words: where that is no processor, by torch.

        On a GPU what has much to do is recorded as CUDA graphs.

        Raises:
            UnitsError: OpenVINO was asked for, and runs on processors only.
        """
        kind = device.partition(":")[0]
        if kind == "cpu":
            return self
        if self.wanted_executor == OPENVINO:
            raise UnitsError(f"OpenVINO runs on processors, not on {device}; leave the executor, or the device")
        images, precision = self.intervention.draws * len(self.images), precision_of(self.wanted_arithmetic, device)
        plans = tuple(plan.on_device(kind, self.wanted_executor, images, precision) for plan in self.plans)
        return replace(self, plans=plans, clean=PLAIN)

    def engine_for(self, plans: Sequence[Plan], device: torch.device) -> Engine:
        """Make the engine that answers it, by its plans with what the units become."""
        return engine(self.engine, self.trace, plans, device, top=self.top, clean=self.clean)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed of the network and the images, a sentence each."""
        weights = self.network.weights.assumptions if self.network.weights else ()
        return (*weights, *self.network.assumptions, *self.images.assumptions)

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

    def sweep(
        self, plans: Sequence[Plan], resampling: Resampling | None, device: torch.device, candidates: int
    ) -> Sweep:
        """Set up the sweep that answers it.

        Args:
            plans: Its plans, with what the units become.
            resampling: Gives the maps that they take from other images, where they are resampled.
            device: Where to run.
            candidates: How many pairs are to be checked.
        """
        return Sweep(
            engine=self.engine_for(plans, device),
            images=self.images,
            preprocessing=self.network.preprocessing,
            classes=self.trace.classes,
            units={plan.site.name: plan.count for plan in plans},
            schedule=schedule(
                plans, self.trace.costs.get(""), batch_size=self.batch_size, draws=self.intervention.draws
            ),
            device=device,
            profiler=profiler(self.trace, [plan.site for plan in plans], device) if self.attributes else None,
            resampling=resampling,
            draws=self.intervention.draws,
            top=self.top,
            candidates=candidates,
            seed=self.seed,
            scored=self.arithmetic == FLOAT32,
        )

    def resampling(self, device: torch.device) -> Resampling:
        """Draw the images that maps are taken from, where units are resampled."""
        return Resampling(
            self.trace,
            self.plans,
            self.reference,
            self.network.preprocessing,
            seed=self.seed,
            same=self.reference.sha256 == self.images.sha256,
            device=device,
        )
