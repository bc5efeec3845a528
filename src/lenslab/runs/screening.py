"""A finished screening: drops that were estimated, with intervals, from a share of the pairs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenslab.records import BrokenRecordError, Record
from lenslab.records import read as read_record
from lenslab.runs.arguments import whole_number
from lenslab.runs.errors import NotARunError, UnitsError
from lenslab.runs.measured_record import MeasuredRecord
from lenslab.runs.metadata import count, number, part
from lenslab.runs.statistics.list_probability import list_probability

if TYPE_CHECKING:
    import pandas as pd

RANKED_BY = ("accuracy_drop", "heldout_max_class_drop")
"""By what units can be ranked."""

_COLUMNS = {
    "units": ("site", "unit", "pairs_run", "accuracy_drop_estimate", "accuracy_drop_low", "accuracy_drop_high"),
    "classes": ("site", "unit", "label", "images", "drop_estimate", "drop_low", "drop_high"),
    "pairs": ("site", "unit", "image", "label", "before", "after"),
}


@dataclass(frozen=True, repr=False)
class Screening(MeasuredRecord):
    """A finished screening: `lenslab.units.screen` gives one, `of` reads one back. Its tables hold fractions.

    It is no run: it has no counts of flips, and nothing that needs them takes it. The first of its warnings says that
    it was screened.

    Attributes:
        reused: Whether the same question had been answered in this directory before.
    """

    reused: bool = False

    @classmethod
    def of(cls, source: Screening | Record | str | Path) -> Screening:
        """Read a finished screening; neither the network nor torch is needed.

        Raises:
            NotARunError: There is something else.
            RecordsError: There is no record, or it is damaged.

        Example:
            >>> Screening.of("no/such/place")
            Traceback (most recent call last):
            ...
            lenslab.records.errors.RecordNotFoundError: no record in no/such/place: it has no record.json
        """
        if isinstance(source, Screening):
            return source
        record = source if isinstance(source, Record) else read_record(source)
        if record.kind != "screening":
            raise NotARunError(f"{record.directory} is a {record.kind} and no screening; read it as what it is")
        return cls(record)

    def __repr__(self) -> str:
        what = f"{sum(site.units for site in self.sites):,} units at {len(self.sites)} sites"
        return (
            f"<Screening of {self.network.name} on {self.dataset.name}: {what}, estimated from {self.share:.2%} of the "
            f"pairs; {self.directory}>"
        )

    @property
    def precision(self) -> float:
        """Half the width of the 95 % interval that was asked of every overall drop, in points."""
        return self._number(self._screening, "precision")

    @property
    def class_precision(self) -> float | None:
        """The same of every class drop; None where nothing was asked of them."""
        return number(self._screening, "class_precision")

    @property
    def budget(self) -> float | None:
        """The share of the pairs that might be run at most; None without a limit."""
        return number(self._screening, "budget")

    @property
    def reached(self) -> bool:
        """Whether every figure is as sharp as was asked."""
        return self._screening.get("reached") is True

    @property
    def share(self) -> float:
        """The share of all pairs of unit and image that were run."""
        pairs, run = (count(self._screening, name) for name in ("pairs", "pairs_run"))
        if not pairs or run is None:
            raise BrokenRecordError(f"{self.directory} does not say how many pairs were run; screen again")
        return run / pairs

    @property
    def widest(self) -> float:
        """Half the width of the widest interval of an overall drop, in points."""
        return 100 * self._number(self._screening, "widest_half_width")

    @property
    def units(self) -> pd.DataFrame:
        """One row per unit: the estimated overall drop, its standard error and its 95 % interval. Fractions."""
        return self._table("units")

    @property
    def classes(self) -> pd.DataFrame:
        """One row per unit and class: the estimated drop, its standard error and its 95 % interval. Fractions."""
        return self._table("classes")

    @property
    def pairs(self) -> pd.DataFrame:
        """One row per pair of unit and image that was run, with what it decided."""
        return self._table("pairs")

    def top_units(self, many: int, by: str = "accuracy_drop") -> tuple[pd.DataFrame, float]:
        """Name the units with the largest estimated drops.

        Args:
            many: How many.
            by: Which drop: ``"accuracy_drop"``, or ``"heldout_max_class_drop"``, for which the class is chosen on one
                half of the images and its drop read on the other, both ways, averaged.

        Returns:
            Their rows of `units`, the largest first, and the probability that these are the units that measuring every
            pair would name, see `lenslab.runs.statistics.list_probability`.

        Raises:
            UnitsError: There are fewer units, or no such drop.
        """
        if by not in RANKED_BY:
            raise UnitsError(f"units are ranked by {' or '.join(RANKED_BY)}, not by {by!r:.80}")
        if f"{by}_estimate" not in self.units:
            raise UnitsError(f"{self.directory} was screened before {by} was estimated; screen again in another place")
        rows = self.units.dropna(subset=[f"{by}_estimate"])
        if whole_number("top_units", many, least=1) > len(rows):
            raise UnitsError(f"the {many} units with the largest drops are asked for, and there are {len(rows)}")
        ranked = rows.sort_values(f"{by}_estimate", ascending=False, kind="stable", ignore_index=True)
        estimate, error = (ranked[f"{by}_{name}"].to_numpy() for name in ("estimate", "standard_error"))
        return ranked.head(many), list_probability(estimate, error, many)

    @property
    def _screening(self) -> dict[str, Any]:
        return dict(part(self.record.document, "screening"))

    def _number(self, held: Any, name: str) -> float:
        found = number(held, name)
        if found is None:
            raise BrokenRecordError(f"{self.directory} does not say its {name}; screen again")
        return found

    def _table(self, name: str) -> pd.DataFrame:
        return self.record.table(name, needed=_COLUMNS[name])
