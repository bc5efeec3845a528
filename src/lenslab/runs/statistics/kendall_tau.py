"""Kendall's tau-b between many attributes and measures at once, in many replicates.

Tau counts pairs of units, so one replicate costs the square of the number of units. All attributes share that work:
the signs of their pairs are one matrix, which is multiplied with the signs of the measures of some replicates at a
time. Pairs that tie need no such matrix: they are counted from how often each value was drawn.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ranks = NDArray[np.float32]

# Pairs of units handled at a time: with those of several replicates they stay in a processor's cache.
_PAIRS = 4096

# Signs of measures handled at a time.
_SIGNS = 1 << 18


def kendall(first: ArrayLike, second: ArrayLike) -> float:
    """Compute Kendall's tau-b between two sequences; NaN where one of them is constant.

    Source: Kendall 1945, The treatment of ties in ranking problems, Biometrika 33:239.

    Example:
        >>> round(kendall([1, 2, 3, 4], [1, 3, 2, 4]), 3)
        0.667
    """
    one, two = (np.asarray(part, dtype=np.float64) for part in (first, second))
    weights = np.ones((1, len(one)), dtype=np.int64)
    return float(kendall_taus([one], two[None, None], weights)[0, 0, 0])


def kendall_taus(attributes: Sequence[Floats], measures: Floats, weights: NDArray[np.int64]) -> Floats:
    r"""Compute tau-b of every attribute with every measure in every replicate.

    With a unit drawn :math:`c_u` times in a replicate,

    .. math::
        \tau_b = \frac{\sum_{uv} c_u c_v \operatorname{sgn}(a_u - a_v) \operatorname{sgn}(f_u - f_v)}
        {\sqrt{\sum_{uv} c_u c_v |\operatorname{sgn}(a_u - a_v)| \; \sum_{uv} c_u c_v |\operatorname{sgn}(f_u - f_v)|}}

    which is tau-b of the drawn units written out one by one. The sums are exact integers.

    Attributes have the shape ``[units]``, or ``[replicates, units]`` where they change, measures ``[replicates,
    measures, units]`` and weights ``[replicates, units]``; the result is ``[replicates, attributes, measures]``, NaN
    where a side is constant.

    Example:
        >>> measures = np.array([[[1.0, 3.0, 2.0, 4.0]]])
        >>> kendall_taus([np.array([1.0, 2.0, 3.0, 4.0])], measures, np.array([[1, 0, 0, 2]])).tolist()
        [[[1.0]]]
    """
    # Ranks tell larger from smaller as the values do, and their differences are exact in float32.
    ranks, theirs = [_ranks(each) for each in attributes], _ranks(measures)
    fixed, moving = ([place for place, each in enumerate(ranks) if each.ndim == axes] for axes in (1, 2))
    together = np.zeros((len(weights), len(ranks), theirs.shape[1]))
    together[:, fixed + moving] = _together(
        np.array([ranks[place] for place in fixed], np.float32).reshape(-1, weights.shape[1]),
        np.array([ranks[place] for place in moving], np.float32).reshape(-1, *weights.shape).swapaxes(0, 1),
        theirs,
        weights.astype(np.float32),
    )
    own = np.stack([_untied(each[..., None, :], weights)[:, 0] for each in ranks], axis=1)
    scale = np.sqrt(own[:, :, None] * _untied(theirs, weights)[:, None, :])
    return np.asarray(np.divide(together, scale, out=np.full(together.shape, np.nan), where=scale > 0))


def _together(fixed: Ranks, moving: Ranks, theirs: Ranks, weights: Ranks) -> Floats:
    """Sum the products of the signs of all pairs, ``[replicates, fixed and moving attributes, measures]``."""
    replicates, measures, units = theirs.shape
    found = np.zeros((replicates, len(fixed) + moving.shape[1], measures))
    rows = max(1, _PAIRS // units)
    some = max(1, _SIGNS // (measures * min(rows, units) * units))
    for first in range(0, units, rows):
        block = slice(first, first + rows)
        signs = _signs(fixed, block).T
        for start in range(0, replicates, some):
            chunk = slice(start, start + some)
            other = _signs(theirs[chunk], block) * _pair_weights(weights[chunk], block)
            products = (other.reshape(-1, len(signs)) @ signs).reshape(*other.shape[:2], len(fixed))
            found[chunk, : len(fixed)] += products.swapaxes(1, 2)
            found[chunk, len(fixed) :] += _signs(moving[chunk], block) @ other.swapaxes(1, 2)
    return found


def _ranks(values: Floats) -> Ranks:
    return np.asarray(stats.rankdata(values, axis=-1, method="dense"), dtype=np.float32)


def _signs(ranks: Ranks, block: slice) -> Ranks:
    """Take the signs of the differences of the block's rows from the units from there on, ``[..., rows, pairs]``."""
    apart = ranks[..., block, None] - ranks[..., None, block.start :]
    # Ranks are whole numbers, of which this is the sign.
    return np.clip(apart, -1, 1, out=apart).reshape(*ranks.shape[:-1], apart.shape[-2] * apart.shape[-1])


def _pair_weights(drawn: Ranks, block: slice) -> Ranks:
    """Weigh each pair, ``[replicates, 1, pairs]``; those that leave the block stand for both of their orders.

    The sums over a block of so weighted signs stay far below 2^24, and so are exact in float32.
    """
    ours, theirs = drawn[:, block], drawn[:, block.start :].copy()
    theirs[:, ours.shape[1] :] *= 2
    return (ours[:, :, None] * theirs[:, None, :]).reshape(len(drawn), 1, -1)


def _untied(ranks: Ranks, weights: NDArray[np.int64]) -> Floats:
    """Count the ordered pairs of drawn units whose values differ, ``[replicates, variables]``."""
    replicates, units = weights.shape
    start = units * np.arange(replicates)[:, None]
    total = weights.sum(axis=1).astype(np.float64)
    found = np.empty((replicates, ranks.shape[-2]))
    for variable in range(ranks.shape[-2]):
        # Where a value is unknown so are the signs, whatever is counted here.
        cells = start + np.nan_to_num(ranks[..., variable, :], nan=1.0).astype(np.int64) - 1
        tied = np.bincount(cells.ravel(), weights=weights.ravel(), minlength=replicates * units)
        found[:, variable] = total**2 - (tied.reshape(replicates, units) ** 2).sum(axis=1)
    return found
