"""Summaries and findings are kept for the abstract that they are about, and nobody is asked without being told to."""

import json

import pytest

from lenslab.http.errors import UnavailableError
from lenslab.library import summaries
from lenslab.library.intake import record_intake, work_merging
from lenslab.library.models import GeneratedText, Work
from lenslab.papers.errors import MalformedError
from lenslab.papers.sources import semantic_scholar
from tests.library.intake.test_record_intake import say
from tests.upstream.endpoint import KEY, MODEL, Answer, asking, completion, error, serving

pytestmark = pytest.mark.django_db

ABSTRACT = (
    "We ablate 50 units of convolutional networks. Ablating units does not hurt the overall accuracy. "
    "Single classes lose much of their accuracy. The weather was fine."
)
SENTENCES = ["We ablate 50 units of convolutional networks.", "Single classes lose much of their accuracy."]


def wrote(*sentences):
    return Answer(completion(json.dumps({"sentences": list(sentences)})))


@pytest.fixture
def work():
    record_intake.add_records([say("a", "1", "Units and classes", abstract=ABSTRACT, arxiv_id="1806.02891")])
    return Work.objects.get()


def test_without_an_endpoint_the_abstract_s_own_sentences_are_given_and_nothing_is_kept(work):
    made = summaries.summary(work)
    assert made.method == "extractive"
    assert set(made.sentences) <= {span.text for span in made.spans}
    assert all(sentence in ABSTRACT for sentence in made.sentences)
    assert not GeneratedText.objects.exists()
    assert summaries.findings(work) is None


def test_what_a_model_wrote_is_kept_and_given_again_without_asking(work):
    with serving(wrote(*SENTENCES)) as upstream:
        made = summaries.summary(work, endpoint=asking(upstream.url))
        assert len(upstream.requests) == 1
        assert summaries.summary(work) == made
        assert len(upstream.requests) == 1
    assert (made.method, made.model, made.sentences) == ("endpoint", MODEL, tuple(SENTENCES))
    assert [span.text for span in made.spans] == SENTENCES
    assert made.made.tzinfo is not None
    assert made.host.startswith("127.0.0.1")


def test_asking_again_replaces_what_was_kept(work):
    with serving(wrote(SENTENCES[0]), wrote(SENTENCES[1])) as upstream:
        for sentence in SENTENCES:
            assert summaries.summary(work, endpoint=asking(upstream.url)).sentences == (sentence,)
    assert summaries.summary(work).sentences == (SENTENCES[1],)
    assert GeneratedText.objects.count() == 1


def test_what_was_kept_is_for_today_s_abstract_only(work):
    with serving(wrote(*SENTENCES)) as upstream:
        made = summaries.summary(work, endpoint=asking(upstream.url))
    record_intake.add_records(
        [say("a", "1", "Units and classes", abstract="Frogs live in ponds. They jump.", arxiv_id="1806.02891")]
    )
    work.refresh_from_db()
    assert summaries.summary(work).text == "Frogs live in ponds. They jump."
    record_intake.add_records([say("a", "1", "Units and classes", abstract=ABSTRACT, arxiv_id="1806.02891")])
    work.refresh_from_db()
    assert summaries.summary(work) == made, "the abstract that it is about is there again"


def test_a_sentence_that_the_abstract_does_not_support_is_never_kept(work):
    with serving(wrote("Ablating units cures frogs.", SENTENCES[1])) as upstream:
        made = summaries.summary(work, endpoint=asking(upstream.url))
    assert made.sentences == (SENTENCES[1],)
    assert "left out" in made.note
    assert "frogs" not in json.dumps(GeneratedText.objects.get().content)


def test_an_endpoint_that_fails_leaves_what_was_kept_and_says_why(work):
    with serving(wrote(*SENTENCES)) as upstream:
        summaries.summary(work, endpoint=asking(upstream.url))
    with serving(error(500, "out of order")) as upstream:
        made = summaries.summary(work, endpoint=asking(upstream.url))
        assert (made.method, "does not answer" in made.note) == ("extractive", True)
    assert summaries.summary(work).method == "endpoint"


def test_nothing_that_is_kept_or_said_holds_the_key(work):
    with serving(wrote(*SENTENCES)) as upstream:
        summaries.summary(work, endpoint=asking(upstream.url))
        assert KEY in str(upstream.headers)
        wrong = asking(upstream.url, "sk-another")
        assert "sk-another" not in summaries.summary(work, endpoint=wrong).note
    assert KEY not in json.dumps(GeneratedText.objects.get().content)


@pytest.mark.parametrize("letter", ["\x00", "\ud800"])
def test_letters_that_no_database_holds_do_not_come_from_a_model(work, letter):
    with serving(wrote(f"We ablate 50 units of convolutional networks{letter}.", SENTENCES[1])) as upstream:
        made = summaries.summary(work, endpoint=asking(upstream.url))
        assert (made.method, "no JSON that can be kept" in made.note) == ("extractive", True)
        with pytest.raises(MalformedError, match="can be kept"):
            summaries.findings(work, endpoint=asking(upstream.url))
    assert not GeneratedText.objects.exists()


def test_semantic_scholar_s_sentence_is_given_where_the_abstract_supports_it():
    record_intake.add_records([say("a", "1", "Units and classes", abstract=ABSTRACT, arxiv_id="1806.02891")])

    def scholar(tldr):
        record = {"paperId": "a" * 40, "title": "Units", "externalIds": {"ArXiv": "1806.02891"}, "tldr": {"text": tldr}}
        record_intake.add_records([semantic_scholar.parse(json.dumps(record).encode())])
        return summaries.summary(Work.objects.get())

    made = scholar("Ablating units does not hurt the accuracy.")
    assert (made.method, made.text) == ("tldr", "Ablating units does not hurt the accuracy.")
    assert "overall accuracy" in made.spans[0].text
    unsupported = scholar("Ablating units hurts 99 frogs.")
    assert unsupported.method == "extractive"
    assert "TLDR" in unsupported.note
    assert not GeneratedText.objects.exists()


def test_a_work_without_an_abstract_has_an_empty_summary_and_asks_nobody():
    record_intake.add_records([say("a", "1", "Units")])
    with serving(wrote("Units.")) as upstream:
        assert summaries.summary(Work.objects.get(), endpoint=asking(upstream.url)).text == ""
        assert upstream.requests == []


FINDINGS = {
    "methodology": SENTENCES[0],
    "key_results": ["Single classes lose much of their accuracy.", "Frogs were healed."],
    "significance": "",
}


def test_findings_are_kept_and_given_again_and_only_what_is_supported(work):
    with serving(Answer(completion(json.dumps(FINDINGS)))) as upstream:
        made = summaries.findings(work, endpoint=asking(upstream.url))
        assert summaries.findings(work) == made
        assert len(upstream.requests) == 1
    assert made.dropped == 1
    assert [item.text for item in made.facets["key_results"]] == ["Single classes lose much of their accuracy."]
    assert next(iter(made.facets)) == "methodology", "in the order in which a page shows them"
    Work.objects.update(abstract="Another one.")
    work.refresh_from_db()
    assert summaries.findings(work) is None


def test_findings_of_an_endpoint_that_fails_keep_nothing(work):
    with serving(error(401, "no")) as upstream, pytest.raises(UnavailableError):
        summaries.findings(work, endpoint=asking(upstream.url))
    assert not GeneratedText.objects.exists()


def test_both_kinds_are_kept_beside_each_other_and_follow_no_merge(work):
    with serving(wrote(*SENTENCES), Answer(completion(json.dumps(FINDINGS)))) as upstream:
        summaries.summary(work, endpoint=asking(upstream.url))
        summaries.findings(work, endpoint=asking(upstream.url))
    assert GeneratedText.objects.count() == 2
    record_intake.add_records([say("a", "2", "Others", ("Bo Sun",), abstract="Frogs jump. They do.")])
    other = Work.objects.get(source_records__locator="2")
    made = work_merging.merge(other, work, evidence="a test")
    other.refresh_from_db()
    assert summaries.summary(other).method == "extractive", "it is about the abstract of the other record"
    work_merging.undo(made)
    work.refresh_from_db()
    assert summaries.summary(work).method == "endpoint"
