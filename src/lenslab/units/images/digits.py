"""Scikit-learn's handwritten digits: 1,797 grey images of 8x8, always there, in two parts."""

from __future__ import annotations

import numpy as np

from lenslab.units.images.arrays import images_of_arrays
from lenslab.units.images.labelled_images import Images, content_hash

CLASS_NAMES = tuple("0123456789")


def digits(*, train: bool = False) -> Images:
    """Open the held-out third of the digits, or the two thirds that the shipped network was trained on.

    The part of an image is decided by its content alone (the remainder of its hash by 3), so equal pictures are on
    the same side and nothing depends on the order. The values 0 to 16 are scaled to 0 to 255.

    Source: E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI, 1998 (its test part).

    Example:
        >>> len(digits()), len(digits(train=True))
        (590, 1207)
    """
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    pixels = np.rint(values.reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
    held_out = np.array([int(content_hash(image), 16) % 3 == 0 for image in pixels])
    part = ~held_out if train else held_out
    name = "digits-train" if train else "digits"
    return images_of_arrays(pixels[part], labels[part], name=name, source=name, class_names=CLASS_NAMES)
