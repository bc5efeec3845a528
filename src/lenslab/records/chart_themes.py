"""Themes: how a record's charts look on a light and on a dark page, at the width of a phone as at that of a desk.

Specifications name roles (``unit``, ``threshold``, ``bound``) and never colours, so one specification serves both. The
colours are Okabe and Ito's, which colour-blind readers can tell apart.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def _theme(text: str, quiet: str, grid: str, accent: str, second: str, muted: str, threshold: str) -> dict[str, Any]:
    return {
        "background": "transparent",
        "font": _FONT,
        "padding": 4,
        "view": {"stroke": None},
        "axis": {
            "labelColor": quiet,
            "titleColor": text,
            "gridColor": grid,
            "domainColor": grid,
            "tickColor": grid,
            "labelFontSize": 11,
            "titleFontSize": 12,
            "titleFontWeight": 500,
            "titlePadding": 7,
            "labelPadding": 4,
            "tickSize": 4,
        },
        "header": {"labelColor": text, "titleColor": text, "labelFontSize": 12},
        "legend": {
            "labelColor": text,
            "titleColor": text,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": 500,
            "symbolSize": 70,
            "orient": "top",
            "padding": 0,
            "offset": 6,
        },
        "title": {
            "color": text,
            "subtitleColor": quiet,
            "fontSize": 12,
            "fontWeight": 600,
            "subtitleFontSize": 11,
            "anchor": "start",
            "offset": 6,
        },
        "range": {"category": [accent, second, muted]},
        "style": {
            "unit": {"fill": accent, "color": accent, "opacity": 0.9},
            "bound": {"stroke": accent, "color": accent, "opacity": 0.45, "strokeWidth": 1.6},
            "threshold": {"stroke": threshold, "color": threshold, "strokeDash": [5, 4], "strokeWidth": 1.4},
            "zero": {"stroke": quiet, "color": quiet, "strokeWidth": 1},
            "note": {"fill": threshold, "color": threshold, "fontSize": 11, "fontWeight": 500},
        },
    }


THEMES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "light": _theme("#1c2330", "#5a6474", "#e3e7ed", "#0072b2", "#cc79a7", "#aab2bf", "#b84a00"),
        "dark": _theme("#e8ecf2", "#a3adbb", "#333c49", "#56b4e9", "#e29ac5", "#677282", "#f0a04b"),
    }
)
