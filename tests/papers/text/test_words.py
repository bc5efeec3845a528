from lenslab.papers.text.words import phrases, runs, stem_of, with_verbs_merged


def stems(text):
    return [[word.stem for word in run] for run in runs(text)]


def test_stop_words_numbers_adverbs_and_signs_end_a_run():
    assert stems("units of 300 layers, heavily pruned 2018 networks") == [["unit"], ["layer"], ["pruned"], ["network"]]


def test_hyphened_words_are_one_word():
    assert stems("fine-tuning") == [["fine-tuning"]]


def test_a_hyphen_typed_for_a_dash_ends_the_word():
    assert stems("on such devices-we show") == [["device"]]


def test_a_possessive_is_the_word():
    assert stems("the network's depth") == [["network", "depth"]]


def test_words_know_whether_they_open_a_sentence():
    (first,), (second,) = runs("Units. the CNNs")
    assert first.opens
    assert not second.opens


def test_phrases_have_one_to_three_words():
    (run,) = runs("deep network class selectivity")
    assert [stem_of(phrase) for phrase in phrases(run) if len(phrase) > 1] == [
        "deep network",
        "deep network class",
        "network class",
        "network class selectivity",
        "class selectivity",
    ]


def test_a_verb_takes_the_stem_of_a_noun_that_the_text_has():
    merged = with_verbs_merged(runs("ablating, ablated, ablation; pruning"))
    assert [word.stem for run in merged for word in run] == ["ablation", "ablation", "ablation", "pruning"]
