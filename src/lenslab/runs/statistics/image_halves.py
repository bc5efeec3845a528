"""Halves of the images: one to choose on, the other to read on.

A maximum over many noisy classes is biased upward, so choices (of a class, of a ranking) are made on one half of
the images and read on the other. The split is decided by the seed and by each image's content alone, never by its
position: the same images in another order, or from another file, fall into the same halves.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HALVES = ("A", "B")


def halves(labels: Sequence[int] | NDArray[np.integer], contents: Sequence[str], *, seed: int) -> NDArray[np.str_]:
    """Split images into halves A and B, stratified by class.

    Within a class the distinct contents are ranked by SHA-256 of ``"<seed>:<content>"`` and go to A and B in turn, so
    the halves of a class differ by at most one distinct image, and copies of one image never stand on both sides.

    ``contents`` are hashes of the images' decoded pixels; another seed gives another split.

    Raises:
        ValueError: There are not as many contents as labels.

    Example:
        >>> halves([0, 0, 1, 1], ["p", "q", "r", "s"], seed=0).tolist()
        ['A', 'B', 'A', 'B']
        >>> halves([1, 1, 0, 0], ["s", "r", "q", "p"], seed=0).tolist()
        ['B', 'A', 'B', 'A']
    """
    labels = np.asarray(labels, dtype=np.int64)
    if len(labels) != len(contents):
        raise ValueError(f"{len(labels)} labels but {len(contents)} contents; give one content hash per image")
    ranks = [hashlib.sha256(f"{seed}:{content}".encode()).digest() for content in contents]
    split = np.full(len(labels), HALVES[0])
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        _, rank = np.unique(np.array([ranks[member].hex() for member in members]), return_inverse=True)
        split[members[rank % 2 == 1]] = HALVES[1]
    return split
