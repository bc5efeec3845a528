import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenslab.papers.summary.abstract_support import coverage, spans, support
from lenslab.papers.text.latex_display import plain_text
from tests.papers.seed import PAPER

ABSTRACT = (
    "We study networks that were trained on 1,200 images of birds. Our method, BirdNet-50, reaches an accuracy of "
    "91.5% and outperforms ResNet by 3.2 points. Ablating single units does not hurt the overall accuracy, but it "
    "damages single classes. Dropout increases the importance of single units. We could not find an effect of batch "
    "normalization. Training takes two hours."
)
WHOLE = spans(ABSTRACT)


def supporting(claim):
    span = support(claim, WHOLE)
    return None if span is None else span.text


@pytest.mark.parametrize("span", WHOLE, ids=range(len(WHOLE)))
def test_every_sentence_of_the_abstract_supports_itself(span):
    assert support(span.text, WHOLE) == span


@pytest.mark.parametrize(
    "abstract", [ABSTRACT, PAPER["abstract"], r"We found \emph{units}. The $\alpha$-net holds \cite{a}."]
)
def test_spans_stand_where_they_say_in_the_plain_text(abstract):
    text = plain_text(abstract)
    for span in spans(abstract):
        assert text[span.start : span.end] == span.text


@pytest.mark.parametrize(
    ("claim", "start"),
    [
        ("The networks are trained on 1200 images of birds.", "We study"),
        ("BirdNet-50 outperforms ResNet by 3.2 points and reaches 91.5% accuracy.", None),
        ("BirdNet-50 reaches 91.5% accuracy, outperforming ResNet by 3.2 points.", "Our method"),
        ("The ablation of single units does not hurt overall accuracy.", "Ablating"),
        ("Importance of units is increased by dropout.", "Dropout"),
        ("No effect of batch normalization was found.", "We could"),
        ("The training takes 2 hours.", "Training"),
        ("Ablating units damages single classes, and dropout increases the importance of units.", "Ablating"),
    ],
)
def test_faithful_and_paraphrased_sentences_are_supported_where_they_are_said(claim, start):
    found = supporting(claim)
    assert found is None if start is None else found.startswith(start)


@pytest.mark.parametrize(
    "claim",
    [
        "The networks detect tumours in medical scans.",
        "The method generalizes to video and speech recognition.",
        "Ablating neurons proves that brains are redundant.",
        "",
        "...",
        "It is.",
    ],
)
def test_invented_and_empty_sentences_are_not_supported(claim):
    assert supporting(claim) is None


@pytest.mark.parametrize(
    "claim",
    [
        "BirdNet-50 reaches an accuracy of 92.5%.",
        "BirdNet-50 reaches an accuracy of 9.15%.",
        "Networks were trained on 1,300 images of birds.",
        "Networks were trained on 12,00 million images of birds and 7 cats.",
        "Training takes three hours.",
    ],
)
def test_a_changed_number_is_not_supported(claim):
    assert supporting(claim) is None


@pytest.mark.parametrize(
    "claim",
    [
        "Ablating single units hurts the overall accuracy.",
        "Dropout does not increase the importance of single units.",
        "Our method never outperforms ResNet.",
        "We could find an effect of batch normalization.",
        "Networks weren't trained on images of birds.",
    ],
)
def test_a_sentence_that_denies_or_asserts_the_opposite_is_not_supported(claim):
    assert supporting(claim) is None


def test_only_is_no_denial():
    abstract = spans("The method is not only fast but also accurate on images.")
    assert support("The method is fast and accurate on images.", abstract)


@pytest.mark.parametrize(
    "claim",
    [
        "Our method reaches an accuracy that outperforms VGG.",
        "BirdNet-101 outperforms ResNet.",
        "Dropout of Hinton increases importance.",
    ],
)
def test_a_name_that_the_place_does_not_hold_is_not_supported(claim):
    assert supporting(claim) is None


@pytest.mark.parametrize(
    "claim",
    ["Dropout decreases the importance of single units.", "All networks were trained on images of birds."],
)
def test_another_direction_or_a_wider_claim_is_not_supported(claim):
    assert supporting(claim) is None


def test_a_sentence_that_stands_twice_has_two_places():
    assert [(span.start, span.end) for span in spans("It holds. It holds.")] == [(0, 9), (10, 19)]


def test_more_than_two_neighbours_support_nothing_together():
    abstract = spans("It has cats. It has birds. It has whales. It has apes.")
    assert support("Cats, birds and cubs.", abstract)
    assert support("Cats, birds, whales and apes.", abstract) is None


def test_two_sentences_support_together_only_if_they_are_neighbours():
    neighbours = "Dropout increases importance of units, and there was not an effect of batch normalization."
    apart = "Networks trained on images of birds need training that takes two hours."
    assert supporting(neighbours) is not None
    assert supporting(apart) is None


def test_most_content_words_have_to_stand_there():
    abstract = spans("Ablating units hurts classes of birds.")
    assert coverage("Ablating units hurts classes of cats.", abstract) == pytest.approx(4 / 5)
    assert support("Ablating units hurts classes of cats.", abstract)
    assert coverage("Ablating neurons hurts pictures of cats.", abstract) == pytest.approx(2 / 5)
    assert support("Ablating neurons hurts pictures of cats.", abstract) is None


@settings(max_examples=150)
@given(st.text(max_size=120), st.lists(st.sampled_from(["does", "not", "units", "5", ".", "No", "Hurt"]), max_size=25))
def test_whatever_is_claimed_the_answer_is_a_place_of_the_abstract_or_none(claim, words):
    abstract = spans(" ".join(words))
    text = plain_text(" ".join(words))
    for said in (claim, " ".join(words)):
        found = support(said, abstract)
        assert found is None or text[found.start : found.end] == found.text


@given(st.permutations(WHOLE[2].text.rstrip(".").split()), st.integers(0, 10**6))
def test_a_number_that_is_nowhere_is_never_supported(words, number):
    claim = f"{' '.join(words)} {number + 2_000_000}."
    assert support(claim, WHOLE) is None
