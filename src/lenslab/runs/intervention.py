"""An intervention: what silenced units become, in which basis, which of them together, and how often.

It is made from words once, where they are typed, and read back from the record of a finished run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lenslab.runs.arguments import whole_number
from lenslab.runs.errors import InterventionError, UnitsError
from lenslab.runs.metadata import count, part, text

ZERO = "zero"
MEAN = "mean"
MEAN_MAP = "mean-map"
FILTER = "filter"
RESAMPLE = "resample"
REPLACEMENTS = {
    ZERO: "0",
    MEAN: "the unit's mean",
    MEAN_MAP: "the unit's mean at each position",
    RESAMPLE: "the unit's map on another image",
    FILTER: "what weights and bias 0 give",
}
"""What a silenced unit becomes, by the word for it; a number is a replacement, too."""

UNITS = "units"
HAAR = "haar"
ENERGY = "energy"
BASES = {
    UNITS: "each unit",
    HAAR: "random directions",
    ENERGY: "random directions, each with the activation energy of a unit",
}
"""What is silenced, by the word for it."""

RESAMPLED_DRAWS = 3
"""How often a unit is resampled where nobody says."""

Groups = Mapping[str, Sequence[Sequence[int]]]


@dataclass(frozen=True)
class Intervention:
    """What is done to the units of a network.

    Attributes:
        replacement: What a silenced unit becomes: a word of `REPLACEMENTS`, or a number as text.
        basis: What is silenced: a word of `BASES`.
        groups: The sets of units that are silenced together, by the site's name; empty where it is each unit alone.
        draws: How often every pair of unit and image is decided; more than once only where units are resampled.
    """

    replacement: str = ZERO
    basis: str = UNITS
    groups: Groups = field(default_factory=dict)
    draws: int = 1

    @classmethod
    def of(
        cls,
        replacement: str | float = ZERO,
        *,
        basis: str = UNITS,
        groups: Groups | None = None,
        draws: int | None = None,
    ) -> Intervention:
        """Make an intervention from words.

        Args:
            replacement: The word, or the constant that silenced units become.
            basis: ``units``, ``haar`` or ``energy``.
            groups: Sets of units to silence together, by the site's name.
            draws: How often each unit is resampled; 3 by default.

        Raises:
            InterventionError: A part does not exist, or two do not go together.

        Example:
            >>> Intervention.of("0.50"), Intervention.of("resample").draws
            (Intervention(replacement='0.5', basis='units', groups={}, draws=1), 3)
        """
        word = _replacement(replacement)
        if basis not in BASES:
            listed = ", ".join(f"{name} ({what})" for name, what in BASES.items())
            raise InterventionError(f"no basis {basis!r}; there are {listed}")
        if basis != UNITS and (groups or word != ZERO):
            raise InterventionError(
                "random directions are taken out (replacement zero), one at a time; leave replacement and sets"
            )
        if draws is not None and (whole_number("draws", draws) < 1 or (draws > 1 and word != RESAMPLE)):
            raise InterventionError(f"{draws} draws asked for; give 1 or more, with the replacement resample")
        default = RESAMPLED_DRAWS if word == RESAMPLE else 1
        return cls(word, basis, _groups(groups or {}), default if draws is None else draws)

    @classmethod
    def recorded(cls, document: Mapping[str, Any]) -> Intervention:
        """Read the intervention of a finished run.

        Args:
            document: What the run's ``record.json`` says; what an older version did not write is as it was then.

        Example:
            >>> Intervention.recorded({"request": {"replacement": "mean", "basis": "units"}}).replacement
            'mean'
        """
        request = part(document, "request")
        return cls(
            text(request, "replacement") or text(document, "replacement") or ZERO,
            text(request, "basis") or UNITS,
            part(request, "groups"),
            count(document, "draws") or count(request, "draws") or 1,
        )

    @property
    def single(self) -> bool:
        """Whether each unit is silenced alone."""
        return self.basis == UNITS and not self.groups

    @property
    def silenced(self) -> str:
        """What is silenced one at a time, in words.

        Example:
            >>> Intervention(basis="haar").silenced
            'random directions'
        """
        if self.basis != UNITS:
            return "random directions"
        return "sets of units" if self.groups else "units"

    @property
    def measured(self) -> bool:
        """Whether it rests on reference images: means, maps of other images, or energies."""
        return self.replacement in (MEAN, MEAN_MAP, RESAMPLE) or self.basis == ENERGY

    def request(self) -> dict[str, Any]:
        """Give what a run's request says of it; defaults are left out."""
        groups = {name: [list(group) for group in groups] for name, groups in sorted(self.groups.items())}
        return {
            "replacement": self.replacement,
            **({"draws": self.draws} if self.replacement == RESAMPLE else {}),
            **({"basis": self.basis} if self.basis != UNITS else {}),
            **({"groups": groups} if groups else {}),
        }


def _replacement(word: str | float) -> str:
    if isinstance(word, str) and word in REPLACEMENTS:
        return word
    try:
        constant = math.nan if isinstance(word, bool) else float(word)
    except (TypeError, ValueError):
        constant = math.nan
    if not math.isfinite(constant):
        listed = ", ".join(f"{name} ({what})" for name, what in REPLACEMENTS.items())
        raise InterventionError(f"no replacement {word!r}; there are {listed}, or a number")
    return repr(constant) if constant else ZERO


def _groups(groups: Groups) -> Groups:
    try:
        read = {
            str(site): [[whole_number("a unit", unit, least=None) for unit in group] for group in sets]
            for site, sets in groups.items()
        }
    except (AttributeError, TypeError, UnitsError) as error:
        raise InterventionError(
            f"sets of units are given by the name of their site, as {{'relu1': [[3, 7], [12]]}}, not as {groups!r:.80}"
        ) from error
    empty = [site for site, sets in read.items() if not sets]
    if empty:
        raise InterventionError(f"no set of units is given for {empty[0]}; give one, or leave the site out")
    return read
