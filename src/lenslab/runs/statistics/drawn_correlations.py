"""Correlations on drawn units: those of all variables with each other, in every replicate of a bootstrap."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lenslab.runs.statistics.correlation_coefficients import Method, centred, cosines
from lenslab.runs.statistics.correlation_intervals import take_units

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The variables of some replicates together hold about this many numbers (16 MB as float64).
_AT_ONCE = 2_000_000


def drawn_correlations(variables: Sequence[Floats], draws: Integers, *, method: Method) -> Floats:
    """Correlate all variables with each other over the drawn units, ``[replicates, variables, variables]``.

    ``variables`` have the shape ``[units]``, or ``[replicates, units]`` where they change, ``draws`` are the units
    drawn in each replicate, ``[replicates, drawn]``. NaN where a side is constant. The method is Spearman's or
    Pearson's; for Kendall's see `lenslab.runs.statistics.kendall_tau.kendall_taus`.

    Example:
        >>> one, two = np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 6.0])
        >>> draws = np.array([[0, 1, 2], [0, 0, 1]])
        >>> drawn_correlations([one, two], draws, method="spearman")[:, 0, 1].round(3).tolist()
        [0.866, nan]
    """
    centre: Callable[[Floats, Integers], Floats] = drawn_ranks if method == "spearman" else _drawn_values
    rows = max(1, _AT_ONCE // (len(variables) * draws.shape[1]))
    found = []
    for first in range(0, len(draws), rows):
        chunk = slice(first, first + rows)
        some = [variable if variable.ndim == 1 else variable[chunk] for variable in variables]
        found.append(cosines(np.stack([centre(each, draws[chunk]) for each in some], axis=1)))
    return np.concatenate(found)


def drawn_ranks(values: Floats, draws: Integers) -> Floats:
    """Rank the drawn units of each replicate, and subtract the mean rank; ``[replicates, drawn]``.

    Equal values, and one unit drawn twice, share their mean rank. Units are put in order once; how often each value was
    drawn gives the ranks, which are halves of whole numbers, without a further sort. NaN makes a replicate NaN.

    Example:
        >>> drawn_ranks(np.array([7.0, 9.0, 30.0]), np.array([[0, 1, 2], [2, 0, 0]])).tolist()
        [[-1.0, 0.0, 1.0], [1.0, -0.5, -0.5]]
    """
    unknown = np.isnan(values)
    place = stats.rankdata(np.where(unknown, np.inf, values), axis=-1, method="dense").astype(np.int64) - 1
    taken = take_units(place, draws)
    replicates, drawn = draws.shape
    distinct = values.shape[-1]
    cells = taken + distinct * np.arange(replicates)[:, None]
    counts = np.bincount(cells.ravel(), minlength=replicates * distinct).reshape(replicates, distinct)
    ranks = np.cumsum(counts, axis=1) - (counts + drawn) / 2
    found = np.asarray(np.take_along_axis(ranks, taken, axis=1))
    return np.where(take_units(unknown, draws), np.nan, found) if unknown.any() else found


def _drawn_values(values: Floats, draws: Integers) -> Floats:
    return centred(take_units(values, draws))
