"""A run as a notebook shows it: what was measured, the most costly units, and one chart. No script, no other host."""

from __future__ import annotations

from html import escape

from lenslab.runs.plots import Plots, svg
from lenslab.runs.run_record import RunRecord

ROWS = 10
"""So many of the most costly units are listed."""


def page(run: RunRecord) -> str:
    """Write a run as a piece of HTML.

    Example:
        >>> from lenslab import units
        >>> run = units.ablate(units.load("small", weights="digits"), "digits", sites=["relu1"], limit=100)
        >>> html = run._repr_html_()
        >>> html.count("<tr>"), "<svg" in html, "<script" in html
        (11, True, False)
    """
    units = run.units
    costly = units.nlargest(ROWS, "accuracy_drop")
    head = "".join(
        f"<th>{title}</th>" for title in ("site", "unit", "drop (points)", "95 % interval", "class hit hardest")
    )
    rows = "".join(
        f"<tr><td>{escape(str(row['site']))}</td><td>{row['unit']}</td><td>{100 * row['accuracy_drop']:.2f}</td>"
        f"<td>{100 * row['accuracy_drop_low']:.2f} to {100 * row['accuracy_drop_high']:.2f}</td>"
        f"<td>{escape(run.dataset.class_name(int(row['max_class'])))}</td></tr>"
        for row in costly.to_dict("records")
    )
    sites = f"{len(run.sites)} site" + "s" * (len(run.sites) > 1)
    return (
        f"<p><b>{escape(run.network.name)}</b> on {escape(run.dataset.name)}: accuracy {100 * run.accuracy:.2f} %, "
        f"{len(units):,} {run.intervention.silenced} at {sites}, silenced one at a time</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"{svg(Plots(run).drops().to_dict(), 'light')}"
    )
