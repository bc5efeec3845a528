from lenslab.papers.text.stop_words import qualifying_words, stop_words


def test_the_word_lists_hold_what_they_should():
    assert {"does", "demonstrate", "revisit", "the"} <= stop_words()
    assert not stop_words() & {"selectivity", "ablation", "unit", "class", "language", "learning"}
    assert {"overall", "specific", "individual"} <= qualifying_words()
    assert not stop_words() & qualifying_words()
