"""The one list of attributes is what the tables really hold."""

from __future__ import annotations

import numpy as np

from lenslab.runs.attributes.attribute_names import ATTRIBUTES, CONCEPT_ATTRIBUTES, NAMES, SCORES
from lenslab.runs.attributes.attribute_tables import attribute_table
from lenslab.runs.attributes.concept_overlap import Alignment
from lenslab.runs.attributes.profile import Profile

UNITS, CLASSES = 3, 2
RANDOM = np.random.default_rng(0)
PROFILE = Profile(
    labels=np.array([0, 1, 1, 0]),
    classes=CLASSES,
    positions=4,
    activations=RANDOM.random((4, UNITS), dtype=np.float32),
    max_activation=RANDOM.random(UNITS),
    apoz=RANDOM.random(UNITS),
    feature_map_rank=RANDOM.random(UNITS),
    correlations=RANDOM.random((UNITS, CLASSES)),
    products=RANDOM.random((UNITS, CLASSES)),
    sizes=RANDOM.random((UNITS, CLASSES)),
)
ALIGNMENT = Alignment(RANDOM.random((UNITS, 5)), RANDOM.random(UNITS))


def test_the_list_names_the_columns_of_a_table_in_their_order():
    assert list(attribute_table("relu", PROFILE)) == ["site", "unit", *(each.name for each in ATTRIBUTES)]
    assert list(attribute_table("relu", PROFILE, alignment=ALIGNMENT)) == ["site", "unit", *NAMES]


def test_each_column_is_of_the_kind_that_the_list_says():
    kinds = {"b": {"flag"}, "i": {"label"}, "f": {"score", "threshold"}}
    table = attribute_table("relu", PROFILE, alignment=ALIGNMENT)
    for each in (*ATTRIBUTES, *CONCEPT_ATTRIBUTES):
        assert each.kind in kinds[table[each.name].dtype.kind], each.name


def test_a_label_and_a_threshold_follow_the_score_that_they_belong_to():
    for each in (*ATTRIBUTES, *CONCEPT_ATTRIBUTES):
        if each.kind in ("label", "threshold"):
            assert each.name.rpartition("_")[0] in NAMES
    assert len(set(NAMES)) == len(NAMES)
    assert set(SCORES) < set(NAMES)
