"""The chart of curves: accuracy over the number of silent units, one line per order, each between its bounds."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import pandas as pd

from lenslab.records import Draft
from lenslab.records.chart_themes import THEMES
from lenslab.runs.curve import Curve
from lenslab.runs.plots import HEIGHT, WIDTH, svg

NAME = "curve"


def write_curve_chart(curve: Curve) -> None:
    """Draw curves into their record, three times.

    ``charts/curve.vl.json`` is a Vega-Lite 6 specification with its data inside and both themes under ``usermeta``;
    ``charts/curve.light.svg`` and ``charts/curve.dark.svg`` are the same picture for either page.
    """
    draft = Draft.of(curve.record)
    drawn = draw_curve(curve)
    draft.write_text(f"charts/{NAME}.vl.json", json.dumps(drawn, ensure_ascii=False, allow_nan=False))
    for theme in THEMES:
        draft.write_text(f"charts/{NAME}.{theme}.svg", svg(drawn, theme))


def draw_curve(curve: Curve) -> dict[str, Any]:
    """Draw the specification of the chart, in the light theme."""
    frame = shown(curve)
    order = [each["order"] for each in curve.metadata["orders"]]
    axis = "units kept" if curve.metadata["keep"] else "units silenced"
    scale, legend = alt.Scale(domain=order), alt.Legend(symbolType="stroke", symbolStrokeWidth=2, symbolOpacity=1)
    colour = alt.Color("order:N", title=None, sort=order, scale=scale, legend=legend)
    shared = alt.Chart(frame).encode(
        x=alt.X(
            "size:Q",
            title=f"{axis} (of {curve.metadata['units']} at {curve.metadata['site']})",
            axis=alt.Axis(grid=False),
        ),
        color=colour,
    )
    bounds = shared.mark_area(opacity=0.16).encode(
        y=alt.Y("low:Q", title="accuracy (%)", axis=alt.Axis(tickCount=5)), y2="high:Q"
    )
    lines = shared.mark_line(strokeWidth=2).encode(
        y="accuracy:Q",
        # The themes have three colours; with more orders the dashes tell them apart.
        strokeDash=alt.StrokeDash("order:N", title=None, sort=order, scale=scale, legend=legend),
    )
    dots = shared.mark_circle(size=22, opacity=0.9).encode(
        y="accuracy:Q",
        tooltip=[
            alt.Tooltip("order:N", title="order"),
            alt.Tooltip("size:Q", title=axis),
            *(alt.Tooltip(f"{name}:Q", title=title, format=".2f") for name, title in _TITLES.items()),
        ],
    )
    untouched = alt.Chart(pd.DataFrame({"accuracy": [100 * curve.accuracy]})).mark_rule(style="threshold")
    chart = alt.layer(untouched.encode(y="accuracy:Q"), bounds, lines, dots).properties(
        width=WIDTH, height=HEIGHT, usermeta={"themes": dict(THEMES)}
    )
    specification: dict[str, Any] = chart.to_dict()
    return {**specification, "config": dict(THEMES["light"])}


def shown(curve: Curve) -> pd.DataFrame:
    """Choose what is drawn: one row per order and size, in percent.

    The bounds are the 95 % interval of the accuracy where an order has one ranking, and the lowest and the highest
    repeat where it has several.

    Returns:
        Columns ``order, size, accuracy, balanced_accuracy, low, high``.
    """
    points = curve.points
    before = curve.accuracy
    single = points.groupby("order")["repeat"].transform("max") == 0
    points["low"] = (before - points["accuracy_drop_high"]).clip(lower=0).where(single, points["accuracy"])
    points["high"] = (before - points["accuracy_drop_low"]).clip(upper=1).where(single, points["accuracy"])
    grouped = points.groupby(["order", "size"], sort=False, as_index=False).agg(
        accuracy=("accuracy", "mean"),
        balanced_accuracy=("balanced_accuracy", "mean"),
        low=("low", "min"),
        high=("high", "max"),
    )
    figures = ["accuracy", "balanced_accuracy", "low", "high"]
    grouped[figures] = (100 * grouped[figures]).round(6)
    return grouped


_TITLES = {
    "accuracy": "accuracy (%)",
    "low": "from (%)",
    "high": "to (%)",
    "balanced_accuracy": "balanced accuracy (%)",
}
