"""Correlations of attributes with drops: every attribute with every measure of a site, plain and partial."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.runs.attributes.activation_statistics import dead_units
from lenslab.runs.attributes.attribute_names import SCORES
from lenslab.runs.statistics.bootstrap import bootstrap_measures, unit_measures
from lenslab.runs.statistics.correlation_coefficients import Method, partial
from lenslab.runs.statistics.correlation_intervals import correlation_interval, draw_units
from lenslab.runs.statistics.drawn_correlations import drawn_correlations
from lenslab.runs.statistics.kendall_tau import kendall_taus
from lenslab.runs.statistics.observations import Observations, align_attributes
from lenslab.runs.statistics.score_changes import ScoreSums, unit_score_errors, unit_score_means

Floats = NDArray[np.float64]

MEASURES = ("accuracy_drop", "max_class_drop", "heldout_max_class_drop")

KENDALL_REPLICATES = 200
"""Kendall's intervals use at most so many replicates, as each costs the square of the number of units."""

COLUMNS = ["site", "attribute", "measure", "method", "estimate", "low", "high", "units", "dead", "given"]


@dataclass(frozen=True)
class Variable:
    """An attribute or a measure of every unit.

    Attributes:
        values: As observed, shape ``[units]``.
        replicated: In each replicate of the images, shape ``[replicates, units]``; shape ``[units]`` where it is held
            fixed.
    """

    values: Floats
    replicated: Floats

    @property
    def fixed(self) -> bool:
        """Whether it is the same in all replicates of the images."""
        return self.replicated.ndim == 1


@dataclass(frozen=True)
class Job:
    """One correlation to compute.

    Attributes:
        attribute: The name of the attribute.
        measure: The name of the measure.
        method: Whose correlation.
        given: The attribute that a partial correlation is given; empty for a plain one.
    """

    attribute: str
    measure: str
    method: Method
    given: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of all variables that take part."""
        return (self.attribute, self.measure, self.given) if self.given else (self.attribute, self.measure)


def correlations_table(
    site: str,
    observations: Observations,
    attributes: pd.DataFrame | None,
    *,
    seed: int,
    sums: ScoreSums | None = None,
    replicates: int = 1000,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Correlate each attribute with each measure over the live units of a site.

    The estimates are those of the columns of `units_table`. The ones with ``max_class_drop`` are biased, as that
    measure is; ``heldout_max_class_drop`` is the one to read.

    Intervals are `lenslab.runs.statistics.correlation_intervals.correlate`'s: each replicate draws images, within each
    class and half, and units. Drops and class selectivity are computed again on the drawn images. Other attributes are
    held fixed: they are taken as what they are on these images, and only the units vary. For ``loss_rise``, of which
    sums are kept and no images, each replicate adds to each unit a normal error of its standard error, independent of
    the other units and of the drawn images. Kendall's tau-b uses at most 200 replicates.

    ``attributes`` has the column ``unit`` and any of `lenslab.runs.attributes.attribute_tables.attribute_table`; None
    leaves class selectivity alone. Attributes that no unit has have no rows. ``sums`` adds ``loss_rise``.

    Returns:
        Columns ``site, attribute, measure, method, estimate, low, high, units, dead, given``: how many units were used,
        how many were dead and left out, and which attribute the correlation is given (partial; empty where none). First
        Spearman's, then Spearman's given ``l1_norm`` (for ``l1_norm`` itself given ``class_selectivity``), Pearson's
        and Kendall's. NaN where a side is constant.

    Example:
        >>> from lenslab.runs.statistics.observations import observe
        >>> random = np.random.default_rng(0)
        >>> images = pd.DataFrame({"image": range(80), "label": [0, 0, 1, 1] * 20, "half": ["A", "B"] * 40})
        >>> lost = pd.DataFrame({"unit": np.arange(80) % 8, "image": random.integers(0, 80, 80)}).drop_duplicates()
        >>> flips = lost.assign(before=images.label.to_numpy()[lost.image], after=2)
        >>> seen = observe(flips, images, random.random((80, 8)), classes=3)
        >>> table = correlations_table("relu", seen, None, seed=0, replicates=50)
        >>> table[["attribute", "measure", "method", "units"]].head(4)
                   attribute                 measure    method  units
        0  class_selectivity           accuracy_drop  spearman      8
        1  class_selectivity          max_class_drop  spearman      8
        2  class_selectivity  heldout_max_class_drop  spearman      8
        3  class_selectivity           accuracy_drop   pearson      8
    """
    live = ~dead_units(observations.activations)
    known, measures = _variables(observations, attributes, sums, replicates=replicates, seed=seed)
    jobs = _jobs(known, measures)
    variables = known | measures
    families: dict[bytes, tuple[NDArray[np.bool_], list[Job]]] = {}
    for job in jobs:
        units = live.copy()
        for name in job.variables:
            units &= np.isfinite(variables[name].values)
        families.setdefault(units.tobytes(), (units, []))[1].append(job)
    rows = {}
    for units, members in families.values():
        used = int(units.sum())
        for job, estimate, again in _estimates(units, members, variables, replicates=replicates, seed=seed):
            low, high = correlation_interval(
                estimate, again, units=used, method=job.method, given=len(job.variables) - 2, confidence=confidence
            )
            rows[job] = (site, job.attribute, job.measure, job.method, estimate, low, high, used, job.given)
    table = pd.DataFrame([rows[job] for job in jobs], columns=[name for name in COLUMNS if name != "dead"])
    return table.astype({"units": np.int32}).assign(dead=np.int32((~live).sum()))[COLUMNS]


def _jobs(known: Mapping[str, Variable], measures: Mapping[str, Variable]) -> list[Job]:
    pairs = [(attribute, measure) for attribute in known for measure in measures]
    jobs = [Job(*pair, "spearman") for pair in pairs]
    if "l1_norm" in known:
        jobs += [Job(*pair, "spearman", "class_selectivity" if pair[0] == "l1_norm" else "l1_norm") for pair in pairs]
    return jobs + [Job(*pair, method) for method in ("pearson", "kendall") for pair in pairs]


def _variables(
    observations: Observations, attributes: pd.DataFrame | None, sums: ScoreSums | None, *, replicates: int, seed: int
) -> tuple[dict[str, Variable], dict[str, Variable]]:
    observed, again = unit_measures(observations), bootstrap_measures(observations, replicates=replicates, seed=seed)
    known = {"class_selectivity": Variable(observed.class_selectivity, again.class_selectivity)}
    rows = pd.DataFrame() if attributes is None else align_attributes(attributes, observations)
    for name in SCORES[1:]:
        if name in rows:
            values = rows[name].to_numpy(np.float64)
            if np.isfinite(values).any():
                known[name] = Variable(values, values)
    measures = {name: Variable(getattr(observed, name), getattr(again, name)) for name in MEASURES}
    if sums is not None:
        images = observations.images.sum(axis=0)
        rise = unit_score_means(sums, images, draws=observations.draws).mean[0]
        error = unit_score_errors(sums, images, draws=observations.draws)[0]
        noise = np.random.default_rng([seed, 1]).standard_normal((replicates, observations.units))
        measures["loss_rise"] = Variable(rise, rise + error * noise)
    return known, measures


def _estimates(
    units: NDArray[np.bool_], jobs: Sequence[Job], variables: Mapping[str, Variable], *, replicates: int, seed: int
) -> Iterator[tuple[Job, float, Floats]]:
    """Find the correlations of one family: those over the same units, which are drawn together in each replicate."""
    if units.sum() < 2:
        yield from ((job, float("nan"), np.full(replicates, np.nan)) for job in jobs)
        return
    draws = draw_units(units, replicates=replicates, seed=seed)
    names = list(dict.fromkeys(name for job in jobs for name in job.variables))
    place = {name: number for number, name in enumerate(names)}
    for method in ("spearman", "pearson"):
        observed = drawn_correlations(
            [variables[name].values for name in names], np.flatnonzero(units)[None], method=method
        )
        again = drawn_correlations([variables[name].replicated for name in names], draws, method=method)
        together = np.concatenate([observed, again])
        for job in (job for job in jobs if job.method == method):
            found = _correlation(together, *(place[name] for name in job.variables))
            yield job, float(found[0]), found[1:]
    yield from _kendalls(units, [job for job in jobs if job.method == "kendall"], variables, draws)


def _correlation(together: Floats, first: int, second: int, given: int | None = None) -> Floats:
    """Take one correlation of all, plain or given a third variable."""
    plain = together[:, first, second]
    return plain if given is None else partial(plain, together[:, first, given], together[:, second, given])


def _kendalls(
    units: NDArray[np.bool_], jobs: Sequence[Job], variables: Mapping[str, Variable], draws: NDArray[np.int64]
) -> Iterator[tuple[Job, float, Floats]]:
    draws = draws[:KENDALL_REPLICATES]
    size = len(units)
    cells = draws + np.arange(len(draws))[:, None] * size
    drawn = np.bincount(cells.ravel(), minlength=len(draws) * size).reshape(len(draws), size)[:, units]
    # What was observed is one more replicate, which draws every unit once.
    weights = np.concatenate([np.ones((1, drawn.shape[1]), np.int64), drawn])

    def stacked(name: str) -> Floats:
        variable = variables[name]
        again = np.broadcast_to(np.atleast_2d(variable.replicated)[: len(draws)], draws.shape[:1] + units.shape)
        return np.concatenate([variable.values[None], again])[:, units]

    measures = list(dict.fromkeys(job.measure for job in jobs))
    if not measures:
        return
    theirs = np.stack([stacked(name) for name in measures], axis=1)
    names = list(dict.fromkeys(job.attribute for job in jobs))
    ours = [variables[name].values[units] if variables[name].fixed else stacked(name) for name in names]
    found = kendall_taus(ours, theirs, weights)
    for job in jobs:
        tau = found[:, names.index(job.attribute), measures.index(job.measure)]
        yield job, float(tau[0]), tau[1:]
