r"""Gradient scores: what the gradient forecasts of silencing a unit, overall or class by class.

Everything starts from one number per image and unit, :math:`g_u(x) = \sum_m a_{u,m}(x)\, \partial C(x) / \partial
a_{u,m}(x)`, summed over positions m, where C is the cross-entropy of the true label in nats: the gradient for a gate
that multiplies the unit and stands at 1. `lenslab.units.profiling.gradient_gates` computes it for all units in one
backward pass per batch. Sums over images have the shape ``[units]``, or ``[units, classes]`` for those of each class,
and so have the scores; ``images`` says over how many, a number or ``[classes]``, and where there are none a score is
NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def gradient_activation(sums: NDArray[np.floating[Any]], images: ArrayLike) -> Floats:
    r"""Compute gradient times activation: by how much the loss should rise without a unit, to first order.

    .. math:: -\frac{1}{N} \sum_x g_u(x)

    in nats; any real number, above 0 where the unit helps. Source: gradient x input (Shrikumar, Greenside, Shcherbina
    and Kundaje 2016, Not just a black box, arXiv 1605.01713) taken at a unit instead of a pixel; it is the first-order
    term of the change of C from silencing the unit (Molchanov et al. 2017, arXiv 1611.06440, before the absolute
    value). Traps: the signs of different images cancel; the step from 1 to 0 is a large one, and where the network is
    far from linear between, even the forecast's sign can be wrong; a loss divided by the batch's size would make it
    depend on that size, which here it does not.

    Example:
        >>> gradient_activation(np.array([[-4.0, 1.0, 0.0]]), [2, 1, 0]).tolist()
        [[2.0, -1.0, nan]]
    """
    return -_mean(sums, images)


def taylor(sizes: NDArray[np.floating[Any]], images: ArrayLike, *, positions: int) -> Floats:
    r"""Compute the Taylor criterion of pruning: how much silencing a unit should change the loss, up or down.

    .. math:: \frac{1}{N} \sum_x \left| \frac{1}{M} g_u(x) \right|

    with M positions; 0 and above, in nats per position. Source: Molchanov, Tyree, Karras, Aila and Kautz 2017, Pruning
    convolutional neural networks for resource efficient inference (arXiv 1611.06440), before they divide each layer by
    its norm, which changes no ranking within a site. Traps: because of 1/M and that missing norm, compare
    units of one site only; the absolute value is taken per image, after the sum over positions and not before; the
    authors' later criterion (Molchanov et al. 2019, arXiv 1906.10771) squares g instead.

    ``sizes`` are sums of the absolute values of g.

    Example:
        >>> taylor(np.array([6.0, 0.0]), 3, positions=4).tolist()
        [0.5, 0.0]
    """
    return _mean(sizes, images) / positions


def _mean(sums: NDArray[np.floating[Any]], images: ArrayLike) -> Floats:
    counts = np.broadcast_to(np.asarray(images), sums.shape)
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))
