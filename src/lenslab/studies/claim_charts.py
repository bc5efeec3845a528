"""Charts: what lies behind each verdict, unit by unit, as Vega-Lite specifications and as pictures."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from lenslab.records import Draft
from lenslab.records.chart_themes import THEMES
from lenslab.runs.plots import HEIGHT, WIDTH, svg
from lenslab.runs.site import SiteData
from lenslab.runs.statistics.accuracy_drops import max_class_drop
from lenslab.runs.statistics.bootstrap import unit_measures
from lenslab.studies.claim_finding import Finding, Part
from lenslab.studies.estimates import damaging, overall_bounds
from lenslab.studies.figure import say

Chart = alt.LayerChart | alt.FacetChart | alt.VConcatChart


def write_charts(draft: Draft, findings: Sequence[Finding], seen: SiteData, classes: Sequence[str] | None) -> set[str]:
    """Draw the chart of every claim that was run, write it three times, and give the names of the charts written.

    ``charts/<name>.vl.json`` is a Vega-Lite 6 specification with its data inside and both themes under ``usermeta``;
    ``charts/<name>.light.svg`` and ``charts/<name>.dark.svg`` are the same picture for either page.
    """
    written = set()
    for finding in findings:
        drawn = draw(finding, seen, classes)
        if drawn is None:
            continue
        name = finding.claim.chart
        draft.write_text(f"charts/{name}.vl.json", json.dumps(drawn, ensure_ascii=False, allow_nan=False))
        for theme in THEMES:
            draft.write_text(f"charts/{name}.{theme}.svg", svg(drawn, theme))
        written.add(name)
    return written


def draw(finding: Finding, seen: SiteData, classes: Sequence[str] | None) -> dict[str, Any] | None:
    """Draw a claim's chart, a Vega-Lite 6 specification in the light theme; None where there is nothing to show."""
    if not any(part.estimate.figures for part in finding.parts):
        return None
    chart = DRAWN[finding.claim.estimator](finding, seen, classes)
    specification: dict[str, Any] = chart.properties(usermeta={"themes": dict(THEMES)}).to_dict()
    return {**specification, "config": dict(THEMES["light"])}


def overall_drops(finding: Finding, seen: SiteData, _classes: Sequence[str] | None) -> Chart:
    """Claim a: the overall drop of each live unit between its simultaneous bounds, beside the threshold."""
    threshold = 100 * finding.claim.rule.supported[0].threshold
    drop, low, high = overall_bounds(seen, finding.confidence)
    frame = pd.DataFrame({"unit": seen.live, "drop": 100 * drop, "low": 100 * low, "high": 100 * high})
    frame = _ranked(frame, "drop")
    shared = alt.Chart(frame).encode(x=_rank("live units, by overall drop"), tooltip=_tooltip("drop", "low", "high"))
    bounds = shared.mark_rule(style="bound").encode(y=_points("low", "overall drop (points)"), y2="high:Q")
    dots = shared.mark_circle(style="unit", size=_size(len(frame))).encode(y="drop:Q")
    return _beside(threshold, bounds, dots)


def heldout_drops(finding: Finding, seen: SiteData, classes: Sequence[str] | None) -> Chart:
    """Claim b: the held-out max class drop of each live unit, coloured by whether it was found to damage its class."""
    threshold = 100 * finding.claim.settings["drop"]
    heldout, found = damaging(seen, finding.claim.settings)
    live = seen.live
    names = np.array(["neither way", "one way", "both ways"])
    frame = pd.DataFrame(
        {
            "unit": live,
            "drop": 100 * heldout.mean[live],
            "found": names[found[:, live].sum(axis=0)],
            "chosen on A": [_class(label, classes) for label in heldout.label[0, live]],
            "drop on B": 100 * heldout.drop[0, live],
            "chosen on B": [_class(label, classes) for label in heldout.label[1, live]],
            "drop on A": 100 * heldout.drop[1, live],
        }
    )
    frame = _ranked(frame, "drop")
    order = ["both ways", "one way", "neither way"]
    dots = (
        alt.Chart(frame)
        .mark_circle(size=_size(len(frame)), opacity=0.95)
        .encode(
            x=_rank("live units, by held-out max class drop"),
            y=_points("drop", "held-out max class drop (points)"),
            color=alt.Color("found:N", title="significant damage found", sort=order, scale=alt.Scale(domain=order)),
            tooltip=_tooltip("drop", "drop on B", "drop on A", words=("found", "chosen on A", "chosen on B")),
        )
    )
    return _beside(threshold, dots)


def predictions(finding: Finding, seen: SiteData, classes: Sequence[str] | None) -> Chart:
    """Claim e: each attribute against the held-out max class drop, and beside it against the overall drop."""
    observed, live = unit_measures(seen.observations), seen.live
    _, label = max_class_drop(seen.counts.net, seen.counts.images)
    frame = pd.DataFrame(
        {
            "unit": live,
            "favourite": [_class(one, classes) for one in label[live]],
            "class selectivity": observed.class_selectivity[live],
            "L1 norm": seen.l1_norm[live] if seen.l1_norm is not None else np.nan,
            "classwise": 100 * observed.heldout_max_class_drop[live],
            "overall": 100 * observed.accuracy_drop[live],
        }
    )
    shown = [part for part in finding.parts if part.estimate.figures]
    rows = [alt.hconcat(*(_prediction(frame, part, *panel) for panel in _PANELS), spacing=20) for part in shown]
    return alt.vconcat(*rows, spacing=14)


# A column of the frame, what it is called, and the figure that belongs to it.
_PANELS = (
    ("classwise", "held-out max class drop", "correlation"),
    ("overall", "overall drop", "correlation with the overall drop"),
)


def _prediction(frame: pd.DataFrame, part: Part, column: str, title: str, figure: str) -> Chart:
    rho = part.estimate.figures[figure]
    words = f"ρ = {say(rho.estimate, 'correlation')}" if rho.known else "no correlation"
    axis = alt.Axis(tickCount=3)
    dots = (
        alt.Chart(frame)
        .mark_circle(style="unit", size=0.8 * _size(len(frame)), opacity=0.75)
        .encode(
            x=alt.X(f"{part.name}:Q", title=part.name, scale=alt.Scale(zero=False), axis=axis),
            y=_points(column, "points"),
            tooltip=_tooltip("classwise", "overall", part.name, words=("favourite",)),
        )
    )
    titled = alt.Title(title, subtitle=words, fontWeight=500)
    return alt.layer(_line(0, "zero"), dots).properties(width=132, height=132, title=titled)


DRAWN: Mapping[str, Callable[[Finding, SiteData, Sequence[str] | None], Chart]] = MappingProxyType(
    {
        "largest overall drop": overall_drops,
        "share of damaging units": heldout_drops,
        "prediction of the max class drop": predictions,
    }
)

_TITLES = {
    "drop": "drop (points)",
    "low": "lower bound (points)",
    "high": "upper bound (points)",
    "drop on A": "drop on A (points)",
    "drop on B": "drop on B (points)",
    "classwise": "held-out max class drop (points)",
    "overall": "overall drop (points)",
    "favourite": "class it costs most",
    "found": "significant damage found",
}


def _ranked(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    frame = frame.sort_values(column, ascending=False, kind="stable").reset_index(drop=True)
    return frame.assign(rank=np.arange(1, len(frame) + 1))


def _rank(title: str) -> alt.X:
    axis = alt.Axis(grid=False, tickMinStep=1)
    return alt.X("rank:Q", title=title, scale=alt.Scale(zero=False, nice=False, padding=6), axis=axis)


def _points(column: str, title: str) -> alt.Y:
    return alt.Y(f"{column}:Q", title=title, axis=alt.Axis(tickCount=5))


def _beside(threshold: float, *layers: alt.Chart) -> Chart:
    layered = alt.layer(_line(0, "zero"), _line(threshold, "threshold"), *layers, _note(threshold))
    return layered.properties(width=WIDTH, height=HEIGHT)


def _line(height: float, style: str) -> alt.Chart:
    line: alt.Chart = alt.Chart(pd.DataFrame({"height": [height]})).mark_rule(style=style).encode(y="height:Q")
    return line


def _note(height: float) -> alt.Chart:
    """Write the threshold in words, above the right end of its line."""
    frame = pd.DataFrame({"height": [height], "words": [f"{height:g} point" + ("" if height == 1 else "s")]})
    text = alt.Chart(frame).mark_text(style="note", align="right", baseline="bottom", dy=-4)
    note: alt.Chart = text.encode(y="height:Q", text="words:N", x=alt.value(WIDTH))
    return note


def _size(units: int) -> float:
    return float(np.clip(3000 / max(units, 1), 8, 45))


def _tooltip(*figures: str, words: Sequence[str] = ()) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("unit:Q", title="unit"),
        *(alt.Tooltip(f"{name}:N", title=_TITLES.get(name, name)) for name in words),
        *(alt.Tooltip(f"{name}:Q", title=_TITLES.get(name, name), format=".2f") for name in figures),
    ]


def _class(label: int, classes: Sequence[str] | None) -> str:
    return str(classes[label]) if classes is not None and 0 <= label < len(classes) else f"class {label}"
