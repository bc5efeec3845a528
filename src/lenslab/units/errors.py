"""What can go wrong in ``lenslab.units``, and what to do about it.

::

    UnitsError
    ├── InterventionError, LabelError, NotARunError, NotOfUnitsError, UnknownOrderError,
    │   UnknownSiteError: see `lenslab.runs.errors`
    ├── UnknownNetworkError      (LookupError)      no network of that name
    ├── AmbiguousSiteError       (LookupError)      a name that means more than one site
    ├── UnknownImagesError       (LookupError)      no images of that name, no such file
    ├── ImagesUnavailableError   (OSError)          known images that cannot be had or read
    ├── UndecodableImageError    (ValueError)       one picture of a source that does not decode
    ├── ImageLayoutError         (ValueError)       arrays or tables that are not labelled images
    ├── ClusterError             (RuntimeError)     a cluster that does not answer, or whose workers lack something
    ├── OtherThanAskedError      (ValueError)       a network or images that are not those of the run
    ├── PreprocessingError       (ValueError)       preprocessing that does not fit images or network
    ├── WeightsError             (ValueError)       weights that cannot be read or do not fit
    ├── MaskError                (ValueError)       a mask that cannot be read or was made for another network
    ├── NotFiniteError           (ValueError)       NaN or infinity where a number has to be
    ├── TrainingModeError        (ValueError)       a network left in training mode
    ├── UnsupportedNetworkError  (ValueError)       something that is not a classifier of images
    └── VerificationError        (ArithmeticError)  a fast path that disagrees with the plain way
"""

from collections.abc import Iterable

from lenslab.runs.errors import (
    InterventionError,
    LabelError,
    NotARunError,
    NotOfUnitsError,
    UnitsError,
    UnknownOrderError,
    UnknownSiteError,
)

__all__ = [
    "AmbiguousSiteError",
    "ClusterError",
    "ImageLayoutError",
    "ImagesUnavailableError",
    "InterventionError",
    "LabelError",
    "MaskError",
    "NotARunError",
    "NotFiniteError",
    "NotOfUnitsError",
    "OtherThanAskedError",
    "PreprocessingError",
    "TrainingModeError",
    "UndecodableImageError",
    "UnitsError",
    "UnknownImagesError",
    "UnknownNetworkError",
    "UnknownOrderError",
    "UnknownSiteError",
    "UnsupportedNetworkError",
    "VerificationError",
    "WeightsError",
    "some_of",
]


class UnknownNetworkError(UnitsError, LookupError):
    """No network of that name; the message lists the networks and the nearest name."""


class AmbiguousSiteError(UnitsError, LookupError):
    """A site's name that means more than one value in the network; the message names the candidates."""


class UnknownImagesError(UnitsError, LookupError):
    """No images of that name and no such file; the message lists what there is."""


class ImagesUnavailableError(UnitsError, OSError):
    """Images that are known and cannot be had or read; the message says what was tried."""


class UndecodableImageError(UnitsError, ValueError):
    """One picture that does not decode; the message names the file and the row."""


class ImageLayoutError(UnitsError, ValueError):
    """Arrays or tables that cannot be understood as labelled images; the message says what is expected."""


class ClusterError(UnitsError, RuntimeError):
    """A cluster that does not answer, or a worker that lacks or loses something; the message names which and what."""


class OtherThanAskedError(UnitsError, ValueError):
    """A network or images that differ from those of a finished run; the message names what differs."""


class PreprocessingError(UnitsError, ValueError):
    """Preprocessing that is incomplete or does not fit the images or the network."""


class WeightsError(UnitsError, ValueError):
    """Weights that cannot be read as a plain state dict, or do not fit the network."""


class MaskError(UnitsError, ValueError):
    """A file that is no mask, or a mask that was made for another network; the message names both."""


class NotFiniteError(UnitsError, ValueError):
    """NaN or infinity in weights, activations or logits; the message names where."""


class TrainingModeError(UnitsError, ValueError):
    """A network, or one of its submodules, is in training mode: its answers would depend on the batch."""


class UnsupportedNetworkError(UnitsError, ValueError):
    """A module that does not map images [n, C, H, W] to logits [n, K], or cannot be loaded as one."""


class VerificationError(UnitsError, ArithmeticError):
    """A decision of a fast path differs from the plain way; the message names the pairs."""


def some_of(names: Iterable[str], most: int = 5) -> str:
    """List the first names in a message, and count the others.

    Example:
        >>> some_of(["relu1", "relu2", "relu3"], most=2)
        'relu1, relu2 and 1 more'
    """
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most:,} more" if len(listed) > most else "")
