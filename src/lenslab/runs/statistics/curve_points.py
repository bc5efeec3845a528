"""Points of curves: accuracy, balanced accuracy and recalls where a set of units is silent, and their drops."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lenslab.runs.statistics.confidence_intervals import mean_interval, score_interval
from lenslab.runs.statistics.observations import locate_flips


def correctness(flips: pd.DataFrame, images: pd.DataFrame, sets: int) -> NDArray[np.bool_]:
    """Tell which images are classified correctly with each set silenced.

    ``flips`` has the columns ``unit, image, after``, with the sets as units, ``images`` ``image, label, prediction``.

    Returns:
        Bool ``[images, 1 + sets]``, rows as in ``images``; the first column is the untouched network.

    Raises:
        BrokenRecordError: A flip names an image or a set that does not exist.

    Example:
        >>> images = pd.DataFrame({"image": [4, 7], "label": [0, 1], "prediction": [0, 0]})
        >>> flips = pd.DataFrame({"unit": [1, 1], "image": [4, 7], "after": [1, 1]})
        >>> correctness(flips, images, 2).tolist()
        [[True, True, False], [False, False, True]]
    """
    labels = images["label"].to_numpy()
    correct = np.repeat((labels == images["prediction"].to_numpy())[:, None], 1 + sets, axis=1)
    unit, row, _ = locate_flips(flips, images["image"].to_numpy(np.int64), units=sets, draws=1)
    correct[row, 1 + unit] = flips["after"].to_numpy() == labels[row]
    return correct


def points_table(points: pd.DataFrame, correct: NDArray[np.bool_], labels: NDArray[np.int64]) -> pd.DataFrame:
    """Compute how accurate the network is at each point of a curve.

    ``points`` has a row per point, with the column ``set``: the number of the set that is silent there.

    Returns:
        The points with ``images, accuracy, accuracy_drop, accuracy_drop_low, accuracy_drop_high, losses, gains,
        balanced_accuracy, balanced_accuracy_drop, balanced_accuracy_drop_low, balanced_accuracy_drop_high``. The drops
        are those from the untouched network on the same images: Tango's interval for the accuracy, and for the
        balanced accuracy (the mean recall of the classes that have images) that of the mean of the classes' drops, see
        `lenslab.runs.statistics.confidence_intervals.mean_interval`. At 95 %, each by itself.
    """
    after = 1 + points["set"].to_numpy(int)
    by_class = [_compared("recall", correct[labels == label], after) for label in np.unique(labels)]
    figures = ("recall", "recall_drop", "recall_drop_low", "recall_drop_high")
    recall, drop, low, high = (np.stack([each[name] for each in by_class], axis=-1) for name in figures)
    balanced_low, balanced_high = mean_interval(drop, low, high)
    return points.assign(
        images=np.int32(len(labels)),
        **_compared("accuracy", correct, after),
        balanced_accuracy=recall.mean(axis=-1),
        balanced_accuracy_drop=drop.mean(axis=-1),
        balanced_accuracy_drop_low=balanced_low,
        balanced_accuracy_drop_high=balanced_high,
    )


def recalls_table(points: pd.DataFrame, correct: NDArray[np.bool_], labels: NDArray[np.int64]) -> pd.DataFrame:
    """Compute how many images of each class are recognised at each point of a curve.

    Returns:
        The points, each once per class that has images, with ``label, images, recall, recall_drop, recall_drop_low,
        recall_drop_high, losses, gains``; Tango's 95 % interval of each row by itself.
    """
    after = 1 + points["set"].to_numpy(int)
    frames = []
    for label in np.unique(labels):
        images, figures = np.int32((labels == label).sum()), _compared("recall", correct[labels == label], after)
        frames.append(points.assign(label=np.int32(label), images=images, **figures))
    order = np.argsort(np.tile(np.arange(len(points)), len(frames)), kind="stable")
    return pd.concat(frames, ignore_index=True).iloc[order].reset_index(drop=True)


def _compared(name: str, correct: NDArray[np.bool_], after: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
    before, images = correct[:, :1], len(correct)
    losses = (before & ~correct).sum(axis=0)[after]
    gains = (~before & correct).sum(axis=0)[after]
    low, high = score_interval(losses, gains, images)
    return {
        name: correct.mean(axis=0)[after],
        f"{name}_drop": (losses - gains) / images,
        f"{name}_drop_low": low,
        f"{name}_drop_high": high,
        "losses": losses.astype(np.int32),
        "gains": gains.astype(np.int32),
    }
