import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.studies.figure import Figure, say, say_interval, say_with_unit


@pytest.mark.parametrize(
    ("figure", "measure", "words"),
    [
        (Figure(0.0163, -0.0105, 0.0239), "points", "1.6 points [−1.1, 2.4]"),
        (Figure(-0.00001, -0.01, 0.01), "points", "0.0 points [−1.0, 1.0]"),
        (Figure(0.345, 0.2, 0.5), "share", "34 % [20, 50]"),
        (Figure(-0.4712, -0.7, 0.004), "correlation", "−0.47 [−0.70, 0.00]"),
        (Figure(math.nan, 0.0, 1.0), "points", "no figure"),
    ],
)
def test_people_are_shown_points_percent_and_correlations(figure, measure, words):
    assert say_interval(figure, measure) == words


def test_one_point_is_singular():
    assert [say_with_unit(value, "points") for value in (0.01, 0.05, -0.005)] == ["1 point", "5 points", "−0.5 points"]


@given(st.floats(-1, 1), st.sampled_from(["points", "share", "correlation"]))
def test_a_shown_number_is_the_figure_rounded_and_never_a_negative_zero(value, measure):
    shown = float(say(value, measure).replace("−", "-"))
    assert shown == pytest.approx(value if measure == "correlation" else 100 * value, abs=0.51)
    assert math.copysign(1, shown) > 0 or shown < 0


@pytest.mark.parametrize("hole", [math.nan, math.inf])
def test_a_figure_with_a_hole_is_not_known(hole):
    assert Figure(0.1, 0.0, 0.2).known
    assert not Figure(0.1, 0.0, hole).known
