import json

import numpy as np
import pytest

from lenslab.units.errors import ImagesUnavailableError, LabelError
from lenslab.units.images import open_images
from lenslab.units.images.class_mapping import mapped_labels
from lenslab.units.images.labelled_images import Images

NETWORK = ("tench", "goldfish", "Great white shark", "crane", "tabby cat", "crane", "dog", "7")
LABELS = np.array([2, 0, 1, 0])
NAMES = ("great_white-SHARK", "Goldfish", "dog", "unseen")


def some_images(names=NAMES, labels=LABELS) -> Images:
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), 4, 4), dtype=np.uint8)
    opened = open_images((pixels, labels))
    return Images(opened.name, "mine", opened.labels, names, opened.read, opened.digest)


def test_equal_names_belong_together_whatever_their_spelling():
    mapped = some_images().mapped(NETWORK)
    assert mapped.labels.tolist() == [6, 2, 1, 2]
    assert mapped.class_names == NETWORK
    assert next(mapped.blocks(4)).labels.tolist() == [6, 2, 1, 2]
    assert next(mapped.blocks(4)).contents == next(some_images().blocks(4)).contents


def test_a_class_without_images_needs_no_counterpart():
    assert mapped_labels(LABELS, NAMES, NETWORK) == {0: 2, 1: 1, 2: 6}


@pytest.mark.parametrize(
    "mapping", [{"dog": "tabby_cat"}, {"dog": 4}, {2: 4}, {2: "TABBY CAT"}, {"2": "4"}, {"Dog": 4, "unseen": 0}]
)
def test_a_mapping_goes_before_the_names_by_name_or_label(mapping):
    assert mapped_labels(LABELS, NAMES, NETWORK, mapping) == {0: 2, 1: 1, 2: 4}


def test_a_name_goes_before_the_label_that_looks_like_it():
    assert mapped_labels(np.array([0, 1]), ["1", "0"], ["a", "1"], {"1": "1", "0": 0}) == {0: 1, 1: 0}
    assert mapped_labels(np.array([0]), ["7"], NETWORK) == {0: 7}


def test_the_same_spelling_goes_before_a_similar_one():
    assert mapped_labels(np.array([0, 1]), ["crane", "Crane"], ["Crane", "crane"]) == {0: 1, 1: 0}


def test_several_classes_may_go_to_one():
    assert some_images().mapped(NETWORK, {0: 6, 1: 6, 2: 6}).labels.tolist() == [6, 6, 6, 6]


def test_a_network_without_names_takes_labels():
    assert some_images(None).mapped(20, {0: 19, 1: 5, 2: 3}).labels.tolist() == [3, 19, 5, 19]
    with pytest.raises(LabelError, match="network's class 20; it has the classes 0 to 19"):
        some_images(None).mapped(20, {0: 20, 1: 5, 2: 3})
    with pytest.raises(LabelError, match=r"no counterpart for 1 of the 3 classes of mine: label 2\."):
        some_images(None).mapped(20, {0: 19, 1: 5})


@pytest.mark.parametrize(
    ("names", "mapping", "message"),
    [
        (
            ("goldfsh", "dog", "tench"),
            None,
            r"1 of the 3 classes of mine: 'goldfsh' \(nearest: 'goldfish'\)\. Say what",
        ),
        (("crane", "dog", "tench"), None, r"'crane' \(the network has it 2 times: 3, 5\)"),
        (None, None, "3 of the 3 classes of mine: label 0, label 1, label 2"),
        (NAMES, {"cat": 4}, "a class 'cat', which mine do not have"),
        (NAMES, {4: 4}, "a class 4, which mine do not have; their labels are 0 to 3"),
        (NAMES, {True: 4}, "a class True"),
        (NAMES, {"dog": "cat"}, r"no class named 'cat'"),
        (NAMES, {"dog": "tench fish"}, r"no class named 'tench fish' \(nearest: 'tench'\)"),
        (NAMES, {"dog": "crane"}, r"2 classes named 'crane' \(3, 5\); give the label"),
        (NAMES, {"dog": 8}, "network's class 8; it has the classes 0 to 7"),
        (NAMES, {"dog": -1}, "network's class -1"),
        (NAMES, {"dog": None}, "network's class None"),
        (("a", "A", "dog"), {"Dog": 6, "á": 1}, "a class 'á'"),
    ],
)
def test_what_does_not_map_is_named(names, mapping, message):
    with pytest.raises(LabelError, match=message):
        some_images(names).mapped(NETWORK, mapping)


def test_many_classes_without_a_counterpart_are_counted():
    labels = np.arange(9)
    with pytest.raises(LabelError, match=r"9 of the 9 classes of mine: .* and 4 more"):
        some_images(tuple("abcdefghi"), labels).mapped(NETWORK)


def test_other_labels_are_another_source_and_equal_ones_are_not():
    images = some_images()
    hashes = {images.sha256, images.mapped(NETWORK).sha256, images.mapped(NETWORK, {"dog": 4}).sha256}
    assert len(hashes) == 3
    assert images.mapped(NETWORK, {0: 0, 1: 1, 2: 2}).sha256 == images.sha256
    assert images.mapped(NETWORK).limited(2).labels.tolist() == [6, 2]


def test_a_mapping_is_read_from_a_file(tmp_path):
    path = tmp_path / "classes.json"
    path.write_text(json.dumps({"dog": "tabby cat", "1": 3}))
    assert some_images().mapped(NETWORK, path).labels.tolist() == [4, 2, 3, 2]
    assert some_images().mapped(NETWORK, str(path)).labels.tolist() == [4, 2, 3, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[1, 2]", "is not a mapping of classes; give one JSON object"),
        ('{"dog": 1, "dog": 2}', "says twice what 'dog' belongs to"),
        ('{"dog": [1]}', r"network's class \[1\]"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text, message):
    path = tmp_path / "classes.json"
    path.write_text(text)
    with pytest.raises(LabelError, match=message):
        some_images().mapped(NETWORK, path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImagesUnavailableError, match=r"none\.json cannot be read: No such file"):
        some_images().mapped(NETWORK, tmp_path / "none.json")


def test_where_both_name_their_classes_labels_go_by_name_and_it_is_said():
    images = some_images().reconciled(NETWORK)
    assert (images.labels.tolist(), images.class_names) == ([6, 2, 1, 2], NETWORK)
    assert images.assumptions == ("2 of 3 classes of mine go by name, for the network numbers them otherwise",)
    assert images.sha256 != some_images().sha256


@pytest.mark.parametrize(
    ("names", "network"),
    [
        (None, NETWORK),
        (NAMES, NAMES),
        (NAMES, ("Great White Shark", "goldfish", "DOG", "other", "more")),
        (("crane", "a", "b"), ("crane", "a", "b", "crane")),  # a name that is there twice is that of its own number
        (("tench", "goldfish", "ray"), ("tench, Tinca tinca", "goldfish, Carassius auratus", "electric ray, ray")),
        (("tench, Tinca tinca", "goldfish, Carassius auratus", "ray"), ("tench", "goldfish", "ray")),
    ],
)
def test_where_names_agree_or_one_side_has_none_nothing_is_changed(names, network):
    images = some_images(names)
    assert images.reconciled(network) is images


@pytest.mark.parametrize(
    ("names", "unknown"),
    [
        (("0", "1", "2"), r"3 of the 3 classes of the images \('0', '1', '2'\)"),
        (("tench", "goldfish", "ray"), r"1 of the 3 classes of the images \('ray'\)"),
        (("a crane", "goldfish", "crane"), r"2 of the 3 classes of the images \('a crane', 'crane'\)"),
        (("tench", "goldfish"), r"1 of the 3 classes of the images \(2\)"),
    ],
)
def test_names_that_contradict_the_networks_are_refused_with_both_and_what_to_do(names, unknown):
    with pytest.raises(
        LabelError, match=rf"mine and the .* differently: {unknown} are none of the network's \('tench', "
    ):
        some_images(names).reconciled(NETWORK)
    by_number = some_images(names).mapped(NETWORK, "by-number")
    assert (by_number.labels.tolist(), by_number.class_names) == (LABELS.tolist(), None)
    assert by_number.reconciled(NETWORK) is by_number
    assert by_number.assumptions == ("the labels of mine are the network's numbers, whatever their classes are called",)
    assert by_number.sha256 == some_images(names).sha256


def test_names_that_the_network_does_not_have_are_told_with_their_numbers():
    named = some_images(("red", "green", "blue", "grey", "x", "y", "z")).reconciled(None)
    assert named.labels.tolist() == LABELS.tolist()
    assert named.assumptions[-1].startswith("the network names no classes: labels are the numbers of")
    assert "0 is 'red', 1 is 'green'" in named.assumptions[-1]
    numbered = some_images(tuple(map(str, range(7))))
    assert numbered.reconciled(None) is numbered


def test_a_name_that_the_network_has_twice_at_other_numbers_is_asked_for():
    images = some_images(("a", "b", "crane", "c", "d", "e", "f"))
    with pytest.raises(
        LabelError, match=r"the class 'crane' .* may be any of the network's 0, 1, which have that name"
    ):
        images.reconciled(("crane", "crane", "x", "a", "b", "e", "f"))
