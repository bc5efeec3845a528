"""Fashion-MNIST: 70,000 grey images of 28x28 in ten classes of clothing (Xiao et al., arXiv 1708.07747)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

from lenslab.units.images.arrays import images_of_arrays
from lenslab.units.images.fashion_mnist_files import HOME, fetch
from lenslab.units.images.idx import read_idx
from lenslab.units.images.labelled_images import Images

CLASS_NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

SHA256 = {
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
    "train-images-idx3-ubyte.gz": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels-idx1-ubyte.gz": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
}


def files_directory() -> Path:
    """Where the files are kept: ``fashion-mnist`` in ``LENSLAB_DATA``, else in the user's cache.

    With Debian's package installed, ``LENSLAB_DATA=/usr/share/datasets`` uses its files.

    Example:
        >>> files_directory().name
        'fashion-mnist'
    """
    base = os.environ.get("LENSLAB_DATA")
    return (Path(base).expanduser() if base else platformdirs.user_cache_path("lenslab")) / "fashion-mnist"


def present(directory: Path | None = None, *, train: bool = False) -> bool:
    """Tell whether the files are in the directory already, so that opening them fetches nothing.

    Example:
        >>> present(Path("nowhere"))
        False
    """
    place = directory or files_directory()
    return all((place / name).is_file() for name in _files(train=train))


def fashion_mnist(directory: Path | None = None, *, train: bool = False, home: str = HOME) -> Images:
    """Open the 10,000 test images, or the 60,000 training images; fetch them once where they are not there.

    Example:
        >>> len(fashion_mnist())  # doctest: +SKIP
        10000
    """
    files = {name: SHA256[name] for name in _files(train=train)}
    place = directory or files_directory()
    fetch(files, place, home=home)
    pixels, labels = (read_idx(place / name) for name in files)
    whole = hashlib.sha256("".join(f"{sha256}  {name}\n" for name, sha256 in files.items()).encode())
    name = "fashion-mnist-train" if train else "fashion-mnist"
    return images_of_arrays(pixels, labels, name=name, source=name, class_names=CLASS_NAMES, sha256=whole.hexdigest())


def _files(*, train: bool) -> tuple[str, str]:
    part = "train" if train else "t10k"
    return f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"
