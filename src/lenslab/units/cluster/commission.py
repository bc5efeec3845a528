"""The commission: everything that a worker of a cluster needs to make any piece of a sweep."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from lenslab.records import versions
from lenslab.runs.intervention import RESAMPLE
from lenslab.units.cluster.carried_images import carried
from lenslab.units.engine.device import device_of
from lenslab.units.engine.execution import OPENVINO
from lenslab.units.engine.network_hash import hash_of_architecture, hash_of_weights
from lenslab.units.engine.site_plan import Plan
from lenslab.units.engine.trace import Trace, trace
from lenslab.units.errors import ClusterError, UnitsError
from lenslab.units.images import Images
from lenslab.units.question import Question
from lenslab.units.sweep.schedule import Schedule
from lenslab.units.sweep.sweep import Sweep

_OWN = ("network", "images", "reference", "trace", "plans", "concepts")
"""What of a question travels by itself, or not at all."""


@dataclass(frozen=True)
class Commission:
    """What every worker is told, once.

    Attributes:
        network: Ray's reference to the network.
        images: Ray's reference to the images as they travel.
        reference: The same of the reference images.
        asked: Everything else of the question.
        plans: Its plans, with what the units become.
        schedule: How the sweep is divided.
        device: Where a worker runs, in torch's words.
        threads: How many it computes with.
        candidates: How many pairs are to be checked.
        shape: Of one input of the network.
        hashes: Of the network's architecture, where torch.fx sees it, and of its weights.
        versions: Of what decides a piece.
    """

    network: Any
    images: Any
    reference: Any
    asked: dict[str, Any]
    plans: tuple[Plan, ...]
    schedule: Schedule
    device: str
    threads: int
    candidates: int
    shape: tuple[int, ...]
    hashes: tuple[str, str]
    versions: dict[str, str]

    @classmethod
    def of(
        cls, question: Question, plans: Sequence[Plan], schedule: Schedule, device: str, threads: int, candidates: int
    ) -> Commission:
        """Put network and images where workers find them, each once, and write down the rest.

        Raises:
            ClusterError: The network or the images cannot leave this process.
        """
        images = _put("images", carried(question.images))
        other = question.reference is not question.images
        return cls(
            network=_put("network", question.network),
            images=images,
            reference=_put("reference images", carried(question.reference)) if other else images,
            asked={field.name: getattr(question, field.name) for field in fields(Question) if field.name not in _OWN},
            plans=tuple(plans),
            schedule=schedule,
            device=device,
            threads=threads,
            candidates=candidates,
            shape=tuple(question.network.preprocessing([question.images.first()]).shape[1:]),
            hashes=_hashes(question.trace),
            versions=_versions(("python", "lenslab", "torch", "numpy", *_executors(question))),
        )

    def sweep(self) -> Sweep:
        """Set up the sweep in the process of a worker.

        Raises:
            ClusterError: Something is missing here, or is another than where the run was begun; the message names the
                machine.
        """
        try:
            self._refuse_other_versions()
            question = self._question()
            device = device_of(self.device)
            resampling = question.resampling(device) if question.intervention.replacement == RESAMPLE else None
            return replace(question.sweep(self.plans, resampling, device, self.candidates), schedule=self.schedule)
        except UnitsError as error:
            raise ClusterError(f"a worker on {socket.gethostname()}: {error}") from error

    def _refuse_other_versions(self) -> None:
        found = _versions(self.versions)
        other = {name: version for name, version in self.versions.items() if found[name] != version}
        if other:
            said = ", ".join(f"{name} {found[name]} and not {version}" for name, version in other.items())
            raise ClusterError(f"it has {said}; install the same versions on every machine")

    def _question(self) -> Question:
        network = _got("network", self.network)
        traced = trace(network.module, self.shape)
        if _hashes(traced) != self.hashes:
            raise ClusterError(
                f"the network {network.name} is another there: its code differs from that of the machine that the run "
                "was begun on; bring both to one state"
            )
        images: Images = _got("images", self.images).opened()
        reference = images if self.reference == self.images else _got("reference images", self.reference).opened()
        return Question(
            network=network, images=images, reference=reference, trace=traced, plans=self.plans, **self.asked
        )


def _versions(names: Iterable[str]) -> dict[str, str]:
    """Name the versions that have to be the same everywhere: whichever patch of Python, whatever torch is built for."""
    found = {name: versions().get(name, "none").partition("+")[0] for name in names}
    return {**found, "python": ".".join(found["python"].split(".")[:2])}


def _executors(question: Question) -> tuple[str, ...]:
    return (question.executor,) if question.executor == OPENVINO else ()


def _hashes(traced: Trace) -> tuple[str, str]:
    return hash_of_architecture(traced) if traced.graph is not None else "", hash_of_weights(traced.module)


def _put(what: str, value: object) -> Any:
    import ray

    try:
        return ray.put(value)
    except Exception as error:  # pickling runs a stranger's code
        raise ClusterError(
            f"the {what} cannot be sent to other processes ({_last_words(error)}); name the network as "
            "package.module:callable, and images by a path"
        ) from error


def _got(what: str, reference: Any) -> Any:
    import ray

    try:
        return ray.get(reference)
    except Exception as error:  # unpickling imports a stranger's code
        raise ClusterError(
            f"the {what} cannot be loaded there ({_last_words(error)}); install the code that makes it on every machine"
        ) from error


def _last_words(error: Exception) -> str:
    """Say in one line why: Ray puts a traceback into the message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else repr(error)
