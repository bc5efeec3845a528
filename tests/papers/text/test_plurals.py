from lenslab.papers.text.plurals import singular


def test_singular_and_plural_are_one_word():
    for one, many in [("unit", "units"), ("class", "classes"), ("category", "categories"), ("box", "boxes")]:
        assert singular(many) == singular(one) == one


def test_words_that_only_look_like_plurals_stay():
    for word in ("corpus", "analysis", "class", "loss", "bias", "gas", "series", "physics"):
        assert singular(word) == word


def test_learned_plurals_are_known():
    assert [singular(word) for word in ("matrices", "biases", "analyses")] == ["matrix", "bias", "analysis"]


def test_different_words_of_one_root_stay_two():
    assert len({singular(word) for word in ("class", "classification", "general", "generalization")}) == 4
