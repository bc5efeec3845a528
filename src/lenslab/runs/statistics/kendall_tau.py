"""Kendall's tau-b between many attributes and measures at once, in many replicates.

Tau counts pairs of units, so one replicate costs the square of the number of units. All attributes share that work:
the signs of their pairs are one matrix, which every replicate multiplies with the signs of its measures.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]

# Pairs handled at a time; the signs of twenty attributes over them take 40 MB as float32.
_PAIRS = 500_000


def kendall(first: ArrayLike, second: ArrayLike) -> float:
    """Compute Kendall's tau-b between two sequences; NaN where one of them is constant.

    Source: Kendall 1945, The treatment of ties in ranking problems, Biometrika 33:239.

    Example:
        >>> round(kendall([1, 2, 3, 4], [1, 3, 2, 4]), 3)
        0.667
    """
    one, two = (np.asarray(part, dtype=np.float64)[None] for part in (first, second))
    weights = np.ones((1, one.shape[1]), dtype=np.int64)
    return float(kendall_taus(one, two[None], weights)[0, 0, 0])


def kendall_taus(attributes: Floats, measures: Floats, weights: NDArray[np.int64]) -> Floats:
    r"""Compute tau-b of every attribute with every measure in every replicate.

    With a unit drawn :math:`c_u` times in a replicate,

    .. math::
        \tau_b = \frac{\sum_{uv} c_u c_v \operatorname{sgn}(a_u - a_v) \operatorname{sgn}(f_u - f_v)}
        {\sqrt{\sum_{uv} c_u c_v |\operatorname{sgn}(a_u - a_v)| \; \sum_{uv} c_u c_v |\operatorname{sgn}(f_u - f_v)|}}

    which is tau-b of the drawn units written out one by one. The sums are exact integers.

    Attributes have the shape ``[attributes, units]``, or ``[replicates, attributes, units]`` where they change,
    measures ``[replicates, measures, units]`` and weights ``[replicates, units]``; the result is ``[replicates,
    attributes, measures]``, NaN where a side is constant.

    Example:
        >>> measures = np.array([[[1.0, 3.0, 2.0, 4.0]]])
        >>> kendall_taus(np.array([[1.0, 2.0, 3.0, 4.0]]), measures, np.array([[1, 0, 0, 2]])).tolist()
        [[[1.0]]]
    """
    replicates, units = weights.shape
    # Ranks tell larger from smaller as the values do, and their differences are exact in float32.
    one, two = _ranks(attributes), _ranks(measures)
    together = np.zeros((replicates, one.shape[-2], two.shape[1]))
    own, theirs = np.zeros(together.shape[:2]), np.zeros((replicates, two.shape[1]))
    rows = max(1, _PAIRS // max(units, 1))
    for first in range(0, units, rows):
        block = slice(first, first + rows)
        fixed = None if one.ndim == 3 else _signs(one, block)
        sizes = None if fixed is None else np.abs(fixed)
        for number in range(replicates):
            pairs = np.outer(weights[number, block], weights[number]).ravel().astype(np.float32)
            signs = _signs(one[number], block) if fixed is None else fixed
            size = np.abs(signs) if sizes is None else sizes
            other = _signs(two[number], block)
            theirs[number] += np.abs(other) @ pairs
            own[number] += size @ pairs
            other *= pairs
            together[number] += signs @ other.T
    scale = np.sqrt(own[:, :, None] * theirs[:, None, :])
    return np.asarray(np.divide(together, scale, out=np.full(together.shape, np.nan), where=scale > 0))


def _ranks(values: Floats) -> NDArray[np.float32]:
    return np.asarray(stats.rankdata(values, axis=-1, method="dense"), dtype=np.float32)


def _signs(ranks: NDArray[np.float32], block: slice) -> NDArray[np.float32]:
    """Take the signs of the differences of each pair, ``[rows, pairs]``; sums over a block stay exact in float32."""
    return np.asarray(np.sign(ranks[:, block, None] - ranks[:, None, :]).reshape(len(ranks), -1))
