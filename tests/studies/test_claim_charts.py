import json
import re

import altair as alt
import jsonschema
import numpy as np
import pandas as pd
import pytest

from lenslab.records import Draft
from lenslab.runs.plots import svg
from lenslab.runs.site import read_site, site_data
from lenslab.runs.statistics.observations import observe
from lenslab.studies.claim_charts import draw, write_charts
from lenslab.studies.claim_finding import judge
from lenslab.studies.rulebook import load_rules
from tests.studies.planting import idle, make_run, wired

RULES = load_rules("1806.02891")
CLASSES = ["cat", "dog", "<script>alert(1)</script>"]


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    planted = wired(12, 3, 0.3)
    planted.activations[4] = planted.losses[4] = 0
    return read_site(make_run(tmp_path_factory.mktemp("run") / "run", {"relu": planted}, per_class=80), "relu")


@pytest.fixture(scope="module")
def findings(seen):
    return [judge(claim, seen, RULES, seed=0) for claim in RULES.claims]


@pytest.fixture(scope="module")
def drawn(seen, findings):
    return {finding.claim.id: draw(finding, seen, CLASSES) for finding in findings}


def rows(specification):
    """The data set that has one row per unit."""
    return next(data for data in specification["datasets"].values() if "unit" in data[0])


@pytest.mark.parametrize("claim", ["a", "b", "e"])
def test_a_specification_is_vega_lite_6_with_its_data_inside(drawn, claim):
    specification = drawn[claim]
    assert specification["$schema"].startswith("https://vega.github.io/schema/vega-lite/v6")
    jsonschema.validate(json.loads(json.dumps(specification)), alt.load_schema())
    assert "url" not in json.dumps(specification["datasets"])


@pytest.mark.parametrize("claim", ["a", "b", "e"])
def test_every_live_unit_is_drawn_and_no_dead_one(drawn, claim):
    assert sorted(row["unit"] for row in rows(drawn[claim])) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]


def test_chart_a_shows_the_bounds_that_the_verdict_rests_on(drawn, findings):
    figure = findings[0].decisive.headline
    points = rows(drawn["a"])
    assert max(row["high"] for row in points) == pytest.approx(100 * figure.high)
    assert max(row["low"] for row in points) == pytest.approx(100 * figure.low)
    assert max(row["drop"] for row in points) == pytest.approx(100 * figure.estimate)


def test_chart_b_colours_as_many_units_as_were_found(drawn, findings):
    share = findings[1].decisive.headline.estimate
    worth = {"both ways": 1, "one way": 0.5, "neither way": 0}
    assert sum(worth[row["found"]] for row in rows(drawn["b"])) / 11 == pytest.approx(share)
    assert rows(drawn["b"])[0]["chosen on A"] in CLASSES


def test_chart_b_tells_units_found_one_way_from_those_found_both_ways():
    images = pd.DataFrame({"image": np.arange(40), "label": 0, "half": ["A"] * 20 + ["B"] * 20})
    lost = pd.DataFrame({"unit": [0] * 12 + [1] * 20, "image": [*range(10), 20, 21, *range(10, 30)]})
    flips = lost.assign(before=0, after=1)
    seen = site_data("relu", observe(flips, images, np.random.default_rng(0).random((40, 3)), classes=2), None)
    drawn = draw(judge(RULES.claims[1], seen, RULES, seed=0), seen, None)
    found = {row["unit"]: row["found"] for row in rows(drawn)}
    assert found == {0: "one way", 1: "both ways", 2: "neither way"}


def test_axes_say_points_and_thresholds_are_named(drawn):
    assert "overall drop (points)" in json.dumps(drawn["a"])
    assert "1 point" in svg(drawn["a"], "light")
    assert "5 points" in svg(drawn["b"], "light")
    assert ">points<" in svg(drawn["e"], "light")


@pytest.mark.parametrize("claim", ["a", "b", "e"])
def test_pictures_are_transparent_narrow_and_differ_by_theme(drawn, claim):
    light, dark = (svg(drawn[claim], theme) for theme in ("light", "dark"))
    assert light != dark
    assert light.startswith("<svg")
    width = float(re.search(r'width="([\d.]+)"', light).group(1))
    assert width <= 430
    assert not re.search(r'<rect[^>]*fill="(white|#fff)', light)
    assert min(int(size) for size in re.findall(r'font-size="(\d+)px"', light)) >= 11


def test_names_of_classes_cannot_become_markup(drawn):
    assert "<script>" in json.dumps(drawn["b"])
    assert "<script>" not in svg(drawn["b"], "light")


def test_charts_are_written_three_times_each(tmp_path, seen, findings):
    draft = Draft.open(tmp_path / "study", kind="study", request={})
    assert write_charts(draft, findings, seen, None) == {"claim-a", "claim-b", "claim-e"}
    names = sorted(path.name for path in (tmp_path / "study" / "charts").iterdir())
    assert names == sorted(f"claim-{claim}.{kind}" for claim in "abe" for kind in ("vl.json", "light.svg", "dark.svg"))
    written = json.loads((tmp_path / "study" / "charts" / "claim-b.vl.json").read_text(encoding="utf-8"))
    assert set(written["usermeta"]["themes"]) == {"light", "dark"}


def test_a_claim_without_figures_has_no_chart(tmp_path):
    planted = idle(5, 3)
    planted.activations[:] = 0
    silent = read_site(make_run(tmp_path / "run", {"relu": planted}, per_class=20), "relu")
    assert all(draw(judge(claim, silent, RULES, seed=0), silent, None) is None for claim in RULES.claims)


def test_a_site_without_weights_is_drawn_for_class_selectivity_alone(tmp_path):
    planted = wired(12, 3, 0.3)
    bare = type(planted)(planted.losses, planted.gains, planted.activations, None)
    seen = read_site(make_run(tmp_path / "run", {"relu": bare}, per_class=80), "relu")
    specification = draw(judge(RULES.claims[2], seen, RULES, seed=0), seen, None)
    assert len(specification["vconcat"]) == 1
    assert "L1 norm" not in svg(specification, "light")
