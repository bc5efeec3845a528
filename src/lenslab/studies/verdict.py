"""Verdicts: what a rule says of an estimate, and nothing else."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from lenslab.studies.figure import Figure
from lenslab.studies.rule import Rule


class Verdict(StrEnum):
    """What was found here: on this network, these images, in this scope. Never a judgement of the paper."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"


def decide(rule: Rule, figures: Mapping[str, Figure]) -> Verdict:
    """Apply a rule to figures.

    Returns:
        ``supported`` or ``contradicted`` where all conditions of that side hold, ``undecided`` where neither side's
        do, ``not run`` where a figure that the rule names is missing or not a number.

    Example:
        >>> from lenslab.studies.rule import Condition
        >>> rule = Rule((Condition("drop", "high", "at most", 0.01),), (Condition("drop", "low", "above", 0.01),))
        >>> [str(decide(rule, {"drop": Figure(drop, drop - 0.004, drop + 0.004)})) for drop in (0.005, 0.009, 0.02)]
        ['supported', 'undecided', 'contradicted']
        >>> str(decide(rule, {}))
        'not run'
    """
    if not all(name in figures and figures[name].known for name in rule.figures):
        return Verdict.NOT_RUN
    if all(condition.holds(figures[condition.figure]) for condition in rule.supported):
        return Verdict.SUPPORTED
    if all(condition.holds(figures[condition.figure]) for condition in rule.contradicted):
        return Verdict.CONTRADICTED
    return Verdict.UNDECIDED


def conjoin(verdicts: Iterable[Verdict]) -> Verdict:
    """Decide a claim whose parts must all hold.

    ``supported`` if every part is, ``contradicted`` if any part is, ``not run`` if none was run, else ``undecided``.

    Example:
        >>> str(conjoin([Verdict.SUPPORTED, Verdict.UNDECIDED]))
        'undecided'
        >>> str(conjoin([Verdict.SUPPORTED, Verdict.CONTRADICTED]))
        'contradicted'
    """
    found = set(verdicts)
    if Verdict.CONTRADICTED in found:
        return Verdict.CONTRADICTED
    if found == {Verdict.SUPPORTED}:
        return Verdict.SUPPORTED
    if found <= {Verdict.NOT_RUN}:
        return Verdict.NOT_RUN
    return Verdict.UNDECIDED
