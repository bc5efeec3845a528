"""Names: every column that a table of attributes may have, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Attribute:
    """One column of a table of attributes.

    Attributes:
        name: Of the column.
        meaning: What it holds, in words.
        kind: ``"score"``, a number to rank units by; ``"label"``, the class or concept that a score is about;
            ``"threshold"``, a value on the unit's own scale; ``"flag"``, true or false.
    """

    name: str
    meaning: str
    kind: Literal["score", "label", "flag", "threshold"] = "score"


ATTRIBUTES = (
    Attribute("dead", "never active, or constant over all images", "flag"),
    Attribute("class_selectivity", "(largest class mean - mean of the others) / their sum"),
    Attribute("l1_norm", "sum of the filter's absolute weights"),
    Attribute("l1_norm_folded", "the same with batch norm folded in"),
    Attribute("class_correlation", "largest correlation with the predicted probability of a class"),
    Attribute("class_correlation_class", "that class", "label"),
    Attribute("mutual_information", "bits that the activation holds about the class"),
    Attribute("apoz", "share of positions and images where the unit is exactly 0"),
    Attribute("mean_activation", "mean over images and positions"),
    Attribute("max_activation", "largest value over images and positions"),
    Attribute("precision", "share of the commonest class among the images that drive it most"),
    Attribute("ccmas", "the favourite class's mean against all other images"),
    Attribute("localist_selectivity", "the weakest image of a class less the strongest of all others"),
    Attribute("maximum_informedness", "best true-positive rate less false-positive rate for a class"),
    Attribute("maximum_informedness_threshold", "the activation that it takes", "threshold"),
    Attribute("maximum_informedness_class", "that class", "label"),
    Attribute("feature_map_rank", "mean rank of its map"),
    Attribute("gradient_activation", "by how much the loss should rise without it, to first order"),
    Attribute("taylor", "by how much the loss should change without it, up or down"),
)
"""The columns after ``site`` and ``unit``, in their order."""

CONCEPT_ATTRIBUTES = (
    Attribute("concept_alignment", "largest overlap with a concept"),
    Attribute("concept_alignment_concept", "that concept", "label"),
)
"""What follows where units were aligned with concepts."""

NAMES = tuple(each.name for each in (*ATTRIBUTES, *CONCEPT_ATTRIBUTES))
"""All columns but ``site`` and ``unit``."""

SCORES = tuple(each.name for each in (*ATTRIBUTES, *CONCEPT_ATTRIBUTES) if each.kind == "score")
"""What correlations and predictions are made of."""
