"""The chart of curves: what is drawn is what was measured, on either page."""

from __future__ import annotations

import json

import pytest

from lenslab.records.chart_themes import THEMES
from lenslab.runs import Curve
from lenslab.studies.curve_chart import draw_curve, shown, write_curve_chart
from lenslab.units import ablate
from lenslab.units.curves import measure_curve
from tests.units import toys

pytestmark = pytest.mark.usefixtures("lean")


@pytest.fixture(scope="module")
def measured() -> Curve:
    network = toys.network(toys.trained(toys.Residual()))
    run = ablate(network, toys.digits(80), sites=["relu:2"])
    return measure_curve(run, ["own-drop", "random", "-l1_norm", "unit"], repeats=3, network=network)


def test_lines_are_means_and_bounds_are_intervals_or_the_range_of_repeats(measured: Curve) -> None:
    frame, points = shown(measured).set_index(["order", "size"]), measured.points
    random = points[points["order"] == "random"].groupby("size")["accuracy"].agg(["mean", "min", "max"])
    drawn = frame.loc["random"][["accuracy", "low", "high"]]
    assert drawn.to_numpy() == pytest.approx(100 * random.to_numpy(), abs=1e-5)
    assert (random["max"] > random["min"]).any()
    own = points[points["order"] == "own-drop"].set_index("size")
    assert frame.loc["own-drop"]["accuracy"].to_numpy() == pytest.approx(100 * own["accuracy"].to_numpy(), abs=1e-5)
    assert (frame["low"] <= frame["accuracy"]).all()
    assert (frame["accuracy"] <= frame["high"]).all()
    assert frame["low"].min() >= 0
    assert frame["high"].max() <= 100


def test_it_is_written_for_either_page_and_with_the_same_bytes_every_time(measured: Curve) -> None:
    written = []
    for _ in range(2):
        write_curve_chart(measured)
        places = [measured.record.directory / f"charts/curve.{end}" for end in ("vl.json", "light.svg", "dark.svg")]
        written.append([place.read_bytes() for place in places])
    assert written[0] == written[1]
    light, dark = (written[0][place].decode() for place in (1, 2))
    for name in ("own-drop", "random", "-l1_norm", "units silenced (of 6 at relu:2)"):
        assert name in light
        assert name in dark
    assert THEMES["light"]["range"]["category"][0] in light
    assert THEMES["dark"]["range"]["category"][0] in dark
    specification = measured.record.chart("curve")
    assert specification == json.loads(json.dumps(draw_curve(measured)))
    assert set(specification["usermeta"]["themes"]) == {"light", "dark"}
