"""Plots: a run's units as Altair charts, for notebooks and for files, and any specification as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lenslab.records.chart_themes import THEMES
from lenslab.runs.errors import UnitsError
from lenslab.runs.run_record import RunRecord

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

WIDTH, HEIGHT = 350, 210

_MOST_DOTS = 5000
"""Altair puts no more rows into a specification."""

_MOST_ROWS, _MOST_COLUMNS = 60, 40
"""A map of more units or classes than this cannot be read; those with the largest drops are shown."""


@dataclass(frozen=True)
class Plots:
    """Charts of one site of a run, its last default site where none is named. Drops are in points.

    Each method gives an Altair chart, which a notebook shows; ``chart.save("drops.svg")`` writes it. It raises an
    `lenslab.runs.errors.UnknownSiteError` where the run has no such site.

    Attributes:
        run: The run.

    Example:
        >>> from lenslab import units
        >>> run = units.ablate(units.load("small", weights="digits"), "digits", sites=["relu1"], limit=100)
        >>> charts = run.plot.scatter("l1_norm"), run.plot.drops(), run.plot.heatmap()
        >>> [[layer["mark"]["type"] for layer in chart.to_dict()["layer"]] for chart in charts]
        [['circle'], ['rule', 'rule', 'circle'], ['rect']]
    """

    run: RunRecord

    def scatter(
        self, x: str = "class_selectivity", y: str = "max_class_drop", *, site: str | None = None
    ) -> alt.LayerChart:
        """Plot one column of the units table against another, a dot for each live unit.

        Args:
            x: A numeric column, for instance an attribute.
            y: Another, for instance a drop.
            site: The site.

        Raises:
            UnitsError: The units table has no such numeric column.
        """
        import altair as alt

        name, units = self._units(site)
        for column in (x, y):
            self._refuse_unknown(column, units)
        units = units[np.isfinite(units[x].astype(float)) & np.isfinite(units[y].astype(float))]
        if "dead" in units:
            units = units[~units["dead"].astype(bool)]
        if len(units) > _MOST_DOTS:
            units = units.nlargest(_MOST_DOTS, y)
        frame = units[["unit"]].assign(x=_shown(units, x), y=_shown(units, y))
        tooltip = ["unit:Q", alt.Tooltip("x:Q", title=x, format=".3g"), alt.Tooltip("y:Q", title=y, format=".3g")]
        dots = (
            alt.Chart(frame)
            .mark_circle(style="unit", size=36)
            .encode(
                x=alt.X("x:Q", title=_title(x), scale=alt.Scale(zero=False)),
                y=alt.Y("y:Q", title=_title(y)),
                tooltip=tooltip,
            )
        )
        return self._layered(dots, title=f"{name}: {len(frame)} live units")

    def drops(self, *, site: str | None = None) -> alt.LayerChart:
        """Plot the overall drop of each unit with its 95 % interval, the most costly unit first."""
        import altair as alt
        import pandas as pd

        name, units = self._units(site)
        units = units.nlargest(min(len(units), _MOST_DOTS), "accuracy_drop")
        points = 100 * units[["accuracy_drop", "accuracy_drop_low", "accuracy_drop_high"]]
        frame = units[["unit"]].assign(rank=range(1, len(units) + 1))
        frame[["drop", "low", "high"]] = points
        shared = alt.Chart(frame).encode(
            x=alt.X("rank:Q", title=f"{self.run.intervention.silenced}, by overall drop"),
            tooltip=["unit:Q", *(alt.Tooltip(f"{column}:Q", format=".2f") for column in ("drop", "low", "high"))],
        )
        zero = alt.Chart(pd.DataFrame({"drop": [0]})).mark_rule(style="zero").encode(y="drop:Q")
        bounds = shared.mark_rule(style="bound").encode(y=alt.Y("low:Q", title="overall drop (points)"), y2="high:Q")
        dots = shared.mark_circle(style="unit", size=28).encode(y="drop:Q")
        return self._layered(zero, bounds, dots, title=name)

    def heatmap(self, *, site: str | None = None) -> alt.LayerChart:
        """Plot what each unit costs each class; of many, the units and classes with the largest drops."""
        import altair as alt

        name = self._site(site)
        classes = self.run.table("classes", ["site", "unit", "label", "drop"])
        table = classes[classes["site"] == name].pivot(index="unit", columns="label", values="drop")
        rows = table.max(axis=1).nlargest(_MOST_ROWS).index
        columns = table.max(axis=0).nlargest(_MOST_COLUMNS).index
        shown = table.loc[rows, sorted(columns)]
        frame = shown.melt(ignore_index=False, value_name="drop").reset_index()
        frame["class"] = [self.run.dataset.class_name(int(label)) for label in frame["label"]]
        frame["drop"] *= 100
        order = [self.run.dataset.class_name(int(label)) for label in shown.columns]
        reach = float(frame["drop"].abs().max()) or 1.0
        colours = alt.Scale(scheme="blueorange", domain=[-reach, reach], domainMid=0)
        cells = (
            alt.Chart(frame)
            .mark_rect()
            .encode(
                x=alt.X(
                    "class:N",
                    sort=order,
                    title="class",
                    axis=alt.Axis(labelAngle=0 if max(map(len, order)) < 3 else -45),
                ),
                y=alt.Y("unit:O", sort=[int(unit) for unit in rows], title="unit"),
                color=alt.Color("drop:Q", title="drop (points)", scale=colours),
                tooltip=["unit:O", "class:N", alt.Tooltip("drop:Q", format=".2f")],
            )
        )
        part = f", the {len(shown)} of {len(table)} units with the largest drops" * (len(shown) < len(table))
        return self._layered(cells, title=f"{name}{part}", height=max(HEIGHT, 13 * len(shown)))

    def _site(self, site: str | None) -> str:
        return (self.run.last_site if site is None else self.run.site_named(site)).name

    def _units(self, site: str | None) -> tuple[str, pd.DataFrame]:
        name = self._site(site)
        units = self.run.units
        return name, units[units["site"] == name]

    def _refuse_unknown(self, column: str, units: pd.DataFrame) -> None:
        import pandas as pd

        numeric = [str(each) for each in units.columns if pd.api.types.is_numeric_dtype(units[each])]
        known = [each for each in numeric if np.isfinite(units[each].astype(float)).any()]
        if column not in known:
            raise UnitsError(f"{self.run.directory} knows no {column!r} of these units; plot one of {', '.join(known)}")

    def _layered(self, *layers: alt.Chart, title: str, height: int = HEIGHT) -> alt.LayerChart:
        import altair as alt

        theme = {name: value for name, value in THEMES["light"].items() if name != "background"}
        chart: alt.LayerChart = alt.layer(*layers).configure(background="white", **theme)
        return chart.properties(width=WIDTH, height=height, title=title)


def svg(specification: Mapping[str, Any], theme: str) -> str:
    """Draw a Vega-Lite 6 specification, in the theme ``light`` or ``dark``, as SVG with a transparent background.

    Example:
        >>> import altair as alt
        >>> import pandas as pd
        >>> dots = alt.Chart(pd.DataFrame({"unit": [0, 1]})).mark_circle().encode(x="unit:Q")
        >>> svg(dots.to_dict(), "dark")[:4]
        '<svg'
    """
    import vl_convert

    return str(vl_convert.vegalite_to_svg({**specification, "config": dict(THEMES[theme])}, vl_version="6.1"))


def _shown(units: pd.DataFrame, column: str) -> pd.Series[float]:
    return units[column].astype(float) * (100 if "drop" in column else 1)


def _title(column: str) -> str:
    return column.replace("_", " ") + (" (points)" if "drop" in column else "")
