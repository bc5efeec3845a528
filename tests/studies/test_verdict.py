import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.studies.figure import Figure
from lenslab.studies.rule import Condition, Rule
from lenslab.studies.verdict import Verdict, conjoin, decide

LITTLE = Rule((Condition("drop", "high", "at most", 0.01),), (Condition("drop", "low", "above", 0.01),))
BOTH = Rule(
    (Condition("correlation", "low", "above", 0.3), Condition("gain", "low", "above", 0.0)),
    (Condition("correlation", "high", "below", 0.3),),
)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.01, 0.009, "supported"),
        (-0.01, 0.01, "supported"),
        (0.009, 0.011, "undecided"),
        (0.01, 0.03, "undecided"),
        (0.0101, 0.03, "contradicted"),
    ],
)
def test_a_threshold_is_compared_with_the_bound_that_the_rule_names(low, high, verdict):
    assert decide(LITTLE, {"drop": Figure(0.01, low, high)}) == verdict


def test_all_conditions_of_a_side_must_hold():
    strong, weak = Figure(0.5, 0.4, 0.6), Figure(0.1, -0.1, 0.3)
    assert decide(BOTH, {"correlation": strong, "gain": strong}) == Verdict.SUPPORTED
    assert decide(BOTH, {"correlation": strong, "gain": weak}) == Verdict.UNDECIDED
    assert decide(BOTH, {"correlation": Figure(0.1, -0.1, 0.29), "gain": strong}) == Verdict.CONTRADICTED


@pytest.mark.parametrize("hole", ["estimate", "low", "high"])
def test_a_figure_that_is_no_number_was_not_run(hole):
    figure = Figure(**{"estimate": 0.0, "low": 0.0, "high": 0.0, hole: math.nan})
    assert decide(LITTLE, {"drop": figure}) == Verdict.NOT_RUN


def test_a_missing_figure_was_not_run():
    assert decide(BOTH, {"correlation": Figure(0.5, 0.4, 0.6)}) == Verdict.NOT_RUN


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_wider_interval_never_decides_what_a_narrower_one_left_open(estimate, narrow, more):
    def verdict(reach):
        return decide(LITTLE, {"drop": Figure(estimate, estimate - reach, estimate + reach)})

    assert verdict(narrow + more) in (verdict(narrow), Verdict.UNDECIDED)


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        (["supported", "supported"], "supported"),
        (["supported", "undecided"], "undecided"),
        (["supported", "contradicted"], "contradicted"),
        (["not run", "contradicted"], "contradicted"),
        (["not run", "supported"], "undecided"),
        (["not run", "not run"], "not run"),
    ],
)
def test_a_conjunction_holds_where_all_parts_do_and_falls_with_one(verdicts, whole):
    assert conjoin(Verdict(one) for one in verdicts) == whole
