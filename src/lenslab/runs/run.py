"""A finished run: what was measured, and the questions that it answers without the network."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenslab import records
from lenslab.records import Record
from lenslab.runs.comparison import Comparison, comparison
from lenslab.runs.destinations import destinations
from lenslab.runs.errors import UnitsError
from lenslab.runs.needed_units import needed_units
from lenslab.runs.notebook import page
from lenslab.runs.plots import Plots
from lenslab.runs.run_record import RunRecord, record_of
from lenslab.runs.site import SiteData, read_site

if TYPE_CHECKING:
    import pandas as pd

    from lenslab.runs.curve import Curve

_CURVES = "lenslab.units.curves:measure_curve"
"""What measures a curve: named here and imported when it is called, for this room knows neither networks nor torch."""


@dataclass(frozen=True, repr=False)
class Run(RunRecord):
    """A finished ablation: `lenslab.units.ablate` gives one, `read` reads one back. Its tables hold fractions.

    Attributes:
        reused: Whether the same question had been answered in this directory before.
        verified: How many pairs were decided again the plain way just now, by the path that had decided them.
        inputs: The network and images that it was just measured with, which `curve` takes again; else empty.
    """

    reused: bool = False
    verified: Mapping[str, int] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        count = f"{sum(site.units for site in self.sites):,} " if self.intervention.single else ""
        what = f"{count}{self.intervention.silenced} at {len(self.sites)} site{'s' * (len(self.sites) > 1)}"
        accuracy = f"accuracy {self.accuracy:.2%}"
        return f"<Run of {self.network.name} on {self.dataset.name}: {what}, {accuracy}; {self.directory}>"

    def _repr_html_(self) -> str:
        return page(self)

    @property
    def plot(self) -> Plots:
        """Charts: ``run.plot.scatter()``, ``run.plot.drops()``, ``run.plot.heatmap()``.

        Raises:
            UnitsError: What draws them is not installed.
        """
        if importlib.util.find_spec("altair") is None:
            raise UnitsError("charts need altair; pip install 'lenslab[read]'")
        return Plots(self)

    def site(self, name: str) -> SiteData:
        """Read what was observed at one site, image by image, with its dead units.

        Raises:
            UnknownSiteError: The run has no such site.
        """
        return read_site(self, name)

    def units_for(self, wanted: str | int, *, site: str | None = None, level: float = 0.05) -> pd.DataFrame:
        """Find the units that a class needs: those whose silencing costs its images more than chance explains.

        Args:
            wanted: The class, by its name or its label.
            site: Only the units of this site.
            level: The false-discovery rate: of the units that are named, at most this share is expected to be named by
                chance (Benjamini-Hochberg over all units and classes of a site, exact McNemar tests, two-sided).

        Returns:
            Columns ``site, unit, label, images, drop, low, high, losses, gains, p_value, q_value``, the largest drop
            first. Fractions; ``low`` and ``high`` are Tango's 95 % interval of each row by itself.

        Raises:
            LabelError: The run has no such class, or no image of it.
            UnknownSiteError: The run has no such site.
            NotOfUnitsError: The run silenced sets of units, or directions.

        Example:
            >>> from lenslab import units
            >>> run = units.ablate(units.load("small", weights="digits"), "digits", sites=["relu1"])
            >>> run.units_for("8")[["unit", "images", "losses"]].head(1)
               unit  images  losses
            0    31      65      49
        """
        return needed_units(self, wanted, site=site, level=level)

    def destinations(self, *, site: str | None = None, unit: int | None = None) -> pd.DataFrame:
        """Tell where the images go whose predicted class changes when a unit is silenced.

        Args:
            site: Only the units of this site.
            unit: Only this unit.

        Returns:
            Columns ``site, unit, before, after, answer, images, share``, one row per unit and pair of classes, the
            sites in the order of the run, then by unit, the commonest destination first. ``answer`` is ``lost`` (the
            class before was the right one), ``gained`` (the class after is) or ``wrong`` (neither); ``share`` is that
            of the unit's changed predictions, a fraction. A unit that changes none has no row. With several draws, an
            image counts for each of them.

        Raises:
            UnknownSiteError: The run has no such site, or the site no such unit.

        Example:
            >>> from lenslab import units
            >>> run = units.ablate(units.load("small", weights="digits"), "digits", sites=["relu1"])
            >>> run.destinations(unit=31)[["unit", "before", "after", "answer", "images"]].head(2)
               unit  before  after answer  images
            0    31       8      1   lost      22
            1    31       8      3   lost      12
        """
        return destinations(self, site=site, unit=unit)

    def compare(
        self, other: RunRecord | Record | str | Path, *, paired: bool = False, level: float = 0.05
    ) -> Comparison:
        """Compare with another run: of another seed, or of another checkpoint of the same training.

        Args:
            other: A run that silenced each unit alone, its record or its directory.
            paired: Unit 7 of a site is the same unit in both runs, as it is in two checkpoints of one training. Then
                each unit's change is tested on the images that both runs have (the same content and label): an exact
                test that the images' changes are as often up as down, see
                `lenslab.runs.statistics.drop_differences.sign_flip_test`, with Benjamini-Hochberg's q-values over the
                units of the site.
            level: The false-discovery rate at which units are called significant, or changed.

        Raises:
            UnknownSiteError: The runs have no site in common.
            UnitsError: A run silenced something else than single units, or units are to be paired and cannot be.

        Example:
            >>> from lenslab import units
            >>> run = units.ablate(units.load("small", weights="digits"), "digits", sites=["relu1"], limit=100)
            >>> same = run.compare(run.directory, paired=True)
            >>> same.sites[["units_one", "delta", "spearman", "changed"]].to_numpy().tolist()
            [[32.0, 0.0, 1.0, 0.0]]
        """
        return comparison(self, read(other), paired=paired, level=level)

    def curve(self, order: str | Sequence[str] | Sequence[int] = "random", **options: Any) -> Curve:
        """Silence the units of a site one after the other, and measure what is left of the accuracy.

        This measures: it needs the network, and so the extra ``ablate``. A run that was just measured has its network
        and images; those of one that was read are found again by what its record says.

        Args:
            order: One or several orders by name (``"random"``, ``"own-drop"``, ``"class-drop:CLASS"``, a column of the
                units table, ``-`` before the name for the smallest first), or units: the first is silenced first.
            options: See `lenslab.units.curves.measure_curve`: ``site``, ``keep``, ``steps``, ``images``, ``out``, ...

        Example:
            >>> from lenslab import units
            >>> run = units.ablate(units.load("small", weights="digits"), "digits", sites=["relu3"])
            >>> found = run.curve(["own-drop", "random"], steps=[8, 32], repeats=2)
            >>> found.points.query("order == 'own-drop'")["size"].tolist(), found.metadata["read_on"]["images"]
            ([0, 8, 32, 64], 293)
        """
        try:
            measure: Callable[..., Curve] = pkgutil.resolve_name(_CURVES)
        except ModuleNotFoundError as error:
            raise UnitsError(f"a curve is measured, which needs {error.name}; pip install 'lenslab[ablate]'") from error
        said_otherwise = {"weights": "network", "classes": "images"}
        given = {said_otherwise.get(name, name) for name in options}
        inputs = {name: value for name, value in self.inputs.items() if name not in given}
        return measure(self, order, **{**inputs, **options})


def read(source: RunRecord | Record | str | Path) -> Run:
    """Read a finished run, wherever it was copied to; neither the network nor torch is needed.

    Args:
        source: The run's directory or its record; a study's stands for its run.

    Raises:
        NotARunError: There is something else.
        RecordsError: There is no record, or it is damaged or of an unknown schema.

    Example:
        >>> read("no/such/place")
        Traceback (most recent call last):
        ...
        lenslab.records.errors.RecordNotFoundError: no record in no/such/place: it has no record.json
    """
    return source if isinstance(source, Run) else Run(record_of(source))


def newest(directory: str | Path = "runs", *, of: str | Collection[str] = "units") -> Run:
    """Find the newest run below a directory, those inside studies included.

    Args:
        directory: Where records lie side by side.
        of: What the run silenced, in the words of `lenslab.runs.Intervention.silenced`, or one of several.

    Raises:
        RecordNotFoundError: There is none.

    Example:
        >>> newest("no/such/place")
        Traceback (most recent call last):
        ...
        lenslab.records.errors.RecordNotFoundError: no run in no/such/place; name its directory, or make one with: ...
    """
    places = (directory, *(study.directory for study in records.find(directory, kind="study")[0]))
    found = [Run(record) for place in places for record in records.find(place, kind="run")[0]]
    silenced = {of} if isinstance(of, str) else {*of}
    runs = [run for run in found if run.intervention.silenced in silenced]
    if not runs:
        raise records.RecordNotFoundError(
            f"no run in {directory}; name its directory, or make one with: lenslab ablate"
        )
    return max(runs, key=lambda run: run.finished or "")
