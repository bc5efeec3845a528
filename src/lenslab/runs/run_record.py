"""What the record of a finished run holds: what was measured on what, and its tables.

Every question to a run is asked of this; nobody else reads the document of a run.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenslab.records import BrokenRecordError, Record, RecordNotFoundError, find, read
from lenslab.runs.errors import LabelError, NotARunError, NotOfUnitsError, UnknownSiteError
from lenslab.runs.intervention import Intervention
from lenslab.runs.measured_record import MeasuredRecord
from lenslab.runs.metadata import SiteMetadata, count, number, part, text
from lenslab.runs.site_work import SiteWork

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = {
    "units": ("site", "unit", "accuracy_drop", "losses", "gains"),
    "classes": ("site", "unit", "label", "images", "drop", "losses", "gains"),
    "flips": ("site", "unit", "image", "label", "before", "after"),
    "correlations": ("site", "attribute", "measure", "method", "estimate"),
    "images": ("image", "label", "prediction", "half", "content"),
}
"""What every run's tables have, those of the first records too."""


@dataclass(frozen=True, repr=False)
class RunRecord(MeasuredRecord):
    """The record of a finished ablation; its ``record`` is the directory with its document and tables."""

    @cached_property
    def intervention(self) -> Intervention:
        """What was done to the units."""
        return Intervention.recorded(self.record.document)

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts that units were aligned with, by their number; empty where they were not."""
        held = part(self.record.document, "concepts").get("names")
        return tuple(str(name) for name in held) if isinstance(held, list) else ()

    @property
    def engine(self) -> str | None:
        """The engine that decided."""
        return text(self.record.document, "engine")

    @property
    def seed(self) -> int:
        """What decided the halves and the bootstrap."""
        found = count(self.record.document, "seed")
        if found is None:
            raise BrokenRecordError(f"{self.directory} does not say its seed; measure again")
        return found

    @property
    def verification(self) -> Mapping[str, int]:
        """How many pairs were decided again by the plain way, by the path that had decided them; all agreed."""
        held = part(self.record.document, "verification")
        return {str(path): pairs for path in held if (pairs := count(held, path))}

    @property
    def paths(self) -> Mapping[str, Mapping[str, int]]:
        """How many pairs of each site were decided by which path."""
        held = part(self.record.document, "paths")
        return {str(site): part(held, site) for site in held}

    @property
    def work(self) -> tuple[SiteWork, ...]:
        """What each site cost: its pairs by path, its multiply-accumulates, the seconds expected and taken.

        Empty where an older version did not write which sites there are.
        """
        document = self.record.document
        return SiteWork.recorded(document, self.sites) if document.get("sites") else ()

    @property
    def audits(self) -> Mapping[str, Mapping[str, Any]]:
        """Of each site that was run in bfloat16 first: the pairs audited in float32, and what that found."""
        held = part(self.record.document, "audits")
        return {str(site): part(held, site) for site in held}

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return number(self.record.document, "seconds")

    @property
    def versions(self) -> Mapping[str, Any]:
        """The versions of the packages that decide a number."""
        return part(self.record.document, "versions")

    @property
    def machine(self) -> Mapping[str, Any]:
        """The machine, without its name."""
        return part(self.record.document, "machine")

    @property
    def provenance(self) -> dict[str, Any]:
        """What a study repeats of its run, as the run's document has it."""
        return {name: self.record.document.get(name) for name in ("network", "images", "accuracy", "replacement")}

    # Tables.

    def table(self, name: str, columns: list[str] | None = None, *, site: str | None = None) -> pd.DataFrame:
        """Read one of the record's tables, or only its rows of one site, see `lenslab.records.Record.table`.

        Raises:
            RecordNotFoundError: The run has no table of that name.
            BrokenRecordError: It cannot be read, or lacks a column that every run has.
        """
        where = None if site is None else ("site", site)
        return self.record.table(name, columns, needed=() if columns else _COLUMNS.get(name, ()), where=where)

    def optional_table(self, name: str) -> pd.DataFrame | None:
        """Read a table that not every run has; None where there is none."""
        try:
            return self.table(name)
        except RecordNotFoundError:
            return None

    @property
    def units(self) -> pd.DataFrame:
        """One row per unit: its drops with intervals and tests, and its attributes. Fractions."""
        return self.table("units")

    @property
    def classes(self) -> pd.DataFrame:
        """One row per unit and class: the drop with its interval and test. Fractions."""
        return self.table("classes")

    @property
    def flips(self) -> pd.DataFrame:
        """One row per pair of unit and image whose predicted class changed."""
        return self.table("flips")

    @property
    def correlations(self) -> pd.DataFrame:
        """One row per site, attribute, measure and method: a correlation over the site's live units."""
        return self.table("correlations")

    @property
    def images(self) -> pd.DataFrame:
        """One row per image: its label, the network's prediction, its half and the hash of its content."""
        return self.table("images")

    # Names.

    def site_named(self, name: str) -> SiteMetadata:
        """Find a site by its name.

        Raises:
            UnknownSiteError: The run has no such site.
        """
        for site in self.sites:
            if site.name == name:
                return site
        names = [site.name for site in self.sites]
        near = difflib.get_close_matches(str(name), names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise UnknownSiteError(f"{self.directory} has no site {name!r}{hint} It has {', '.join(names)}")

    @property
    def last_site(self) -> SiteMetadata:
        """The last default site; the last one where none is a default site."""
        return next((site for site in reversed(self.sites) if site.default), self.sites[-1])

    @property
    def class_count(self) -> int:
        """How many classes the network tells apart.

        Raises:
            BrokenRecordError: The record does not say.
        """
        if self.dataset.classes is None:
            raise BrokenRecordError(f"{self.directory} does not say how many classes there are; measure again")
        return self.dataset.classes

    def label_of(self, wanted: str | int) -> int:
        """Find a class by its name, whatever its case, or by its label.

        Raises:
            LabelError: There is no such class.
        """
        names, classes = self.dataset.class_names or (), self.class_count
        matching = [label for label, name in enumerate(names) if name.casefold() == str(wanted).casefold()]
        if len(matching) == 1:
            return matching[0]
        if str(wanted).isdecimal() and int(wanted) < classes:
            return int(wanted)
        near = difflib.get_close_matches(str(wanted), names, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        known = f"labels 0 to {classes - 1}" + (
            f": {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}" * bool(names)
        )
        raise LabelError(f"no class {wanted!r} in {self.directory}{hint} It has {known}")

    def refuse_other_than_units(self, purpose: str) -> None:
        """Refuse a run that did not silence each unit alone.

        Args:
            purpose: What asks for it, for instance ``"units are ranked by"``.

        Raises:
            NotOfUnitsError: It silenced sets of units, or directions.
        """
        if not self.intervention.single:
            raise NotOfUnitsError(
                f"{self.directory} silenced {self.intervention.silenced}; {purpose} a run that silenced each unit alone"
            )


def record_of(source: RunRecord | Record | str | Path) -> Record:
    """Find the record of a run.

    Args:
        source: A run, its record, or the directory of either; a study's record stands for its run.

    Raises:
        NotARunError: There is something else.
        RecordsError: There is no record, or it is damaged.
    """
    if isinstance(source, RunRecord):
        return source.record
    if not isinstance(source, str | Path | Record):
        raise NotARunError(f"a run is given by its directory or as lenslab.runs.read gives it, not as {source!r:.80}")
    record = source if isinstance(source, Record) else read(source)
    if record.kind == "run":
        return record
    if record.kind == "screening":
        raise NotARunError(
            f"{record.directory} was screened: its drops are estimates from a share of the pairs, and this needs every "
            "one; measure with --engine exact, or read it as lenslab.runs.Screening.of"
        )
    runs, _ = find(record.directory, kind="run")
    if not runs:
        raise NotARunError(
            f"{record.directory} is a {record.kind} without its run; name the directory that 'lenslab ablate' prints"
        )
    return runs[0]
