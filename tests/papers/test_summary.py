import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.papers.latex import plain_text
from lenslab.papers.sentences import sentences
from lenslab.papers.summary import summarize

from .seed import PAPER


def test_the_papers_summary_is_two_whole_sentences_of_its_abstract_in_their_order():
    summary = summarize(PAPER["abstract"])
    whole = sentences(plain_text(PAPER["abstract"]))
    assert len(summary.sentences) == 2
    assert [whole[position] for position in summary.positions] == list(summary.sentences)
    assert summary.positions == tuple(sorted(summary.positions))
    assert summary.text == " ".join(summary.sentences)
    assert summary.method == "extractive"


def test_it_says_what_was_done_and_what_was_found():
    text = summarize(PAPER["abstract"]).text
    assert "does not hurt overall classification accuracy" in text
    assert "class selectivity" in text


def test_citations_and_commands_are_taken_out():
    summary = summarize(r"We ablate \emph{units} \cite{morcos2018importance}. It holds.")
    assert summary.text == "We ablate units. It holds."


@pytest.mark.parametrize(("abstract", "count"), [("", 0), ("One sentence.", 1), ("One. Two.", 2), ("No full stop", 1)])
def test_a_short_abstract_is_its_own_summary(abstract, count):
    assert len(summarize(abstract).sentences) == count
    assert summarize(abstract).text == abstract


def test_the_second_sentence_does_not_repeat_the_first():
    same = "We show that ablating units hurts classes of the network."
    abstract = f"{same} {same} Weather is measured by cameras at roads."
    assert summarize(abstract).positions != (0, 1)


def test_a_sentence_that_announces_a_result_is_preferred():
    abstract = "Units are many things to many people. Units are of networks. We find that units are of networks."
    assert 2 in summarize(abstract).positions


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="aB .$\\{}?!1e", max_size=200), st.integers(1, 4))
def test_any_abstract_has_a_summary_of_its_own_sentences(abstract, count):
    summary = summarize(abstract, count=count)
    whole = sentences(plain_text(abstract))
    assert len(summary.sentences) == min(count, len(whole))
    assert all(sentence in whole for sentence in summary.sentences)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We use nets, e.g. CNNs. They work.", ["We use nets, e.g. CNNs.", "They work."]),
        ("As A. Morcos et al. Found it. Yes.", ["As A. Morcos et al. Found it.", "Yes."]),
        ("Accuracy is 91.5 %. See Fig. 3. Done!", ["Accuracy is 91.5 %.", "See Fig. 3.", "Done!"]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, expected):
    assert sentences(text) == expected


@given(st.text(alphabet="aB. !?", max_size=80))
def test_no_character_of_a_text_is_lost_between_sentences(text):
    assert "".join(sentences(text)).replace(" ", "") == text.replace(" ", "")
