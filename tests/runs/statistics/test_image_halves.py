import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lenslab.runs.statistics.image_halves import halves

labelled = st.lists(st.tuples(st.integers(0, 3), st.text("abcdef", min_size=1, max_size=3)), min_size=1, max_size=40)


@given(labelled, st.integers(0, 5), st.randoms())
def test_permuting_the_images_permutes_the_halves(images, seed, random):
    order = list(range(len(images)))
    random.shuffle(order)
    labels, contents = zip(*images, strict=True)
    split = halves(labels, contents, seed=seed)
    again = halves([labels[i] for i in order], [contents[i] for i in order], seed=seed)
    assert again.tolist() == split[order].tolist()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 5))
def test_the_halves_of_every_class_differ_by_at_most_one_image(labels, seed):
    split = halves(labels, [str(number) for number in range(len(labels))], seed=seed)
    for label in set(labels):
        own = split[np.array(labels) == label]
        assert 0 <= (own == "A").sum() - (own == "B").sum() <= 1


def test_copies_of_one_image_never_stand_on_both_sides():
    contents = ["same", "other", "same", "third", "same"]
    split = halves([0] * 5, contents, seed=1)
    assert split[0] == split[2] == split[4]
    assert {*split[[1, 3]], split[0]} == {"A", "B"}


def test_another_seed_gives_another_split():
    contents = [str(number) for number in range(100)]
    first, second = (halves([0] * 100, contents, seed=seed) for seed in (0, 1))
    assert 25 < (first != second).sum() < 75


def test_the_content_decides_and_not_the_number_of_the_image():
    contents = [str(number) for number in range(100)]
    moved = halves([0] * 100, [f"another {content}" for content in contents], seed=0)
    assert (halves([0] * 100, contents, seed=0) != moved).any()
