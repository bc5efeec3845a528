import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from lenslab.library import intake, search
from lenslab.library.models import Work
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.paper import Paper

pytestmark = pytest.mark.django_db

PAPERS = [
    Paper(title="Revisiting the importance of individual units", authors=("Bolei Zhou", "David Bau"), year=2018,
          arxiv_id=ArxivId("1806.02891"), categories=("cs.CV", "cs.LG"), doi="10.1109/units.2018",
          abstract="We revisit the importance of the individual units in convolutional neural networks."),
    Paper(title="Dissecting networks", authors=("David Bau",), year=2017, categories=("cs.CV",),
          arxiv_id=ArxivId("1704.05796"), abstract="Units of a neural network are aligned with concepts."),
    Paper(title=r"Poincar\'e embeddings", authors=(r"J\"urgen M\"uller",), year=2019, categories=("math.DG",),
          arxiv_id=ArxivId("1905.00001"), abstract=r"On $\alpha$-curved spaces, self-supervised and with GPT-4."),
    Paper(title="Łódź lectures on spin glass", authors=("Stanisław Nürnberger",), year=1999,
          arxiv_id=ArxivId("cond-mat/9901001"), categories=("cond-mat.dis-nn",), abstract="The spin of a glass."),
    Paper(title="Bau and architecture", authors=("Ada Lovelace",), year=2018, categories=("cs.AR",),
          arxiv_id=ArxivId("1806.09999"), abstract="What German builders call Bau."),
]  # fmt: skip


@pytest.fixture
def papers():
    intake.take(
        Description(source="arXiv", locator=str(paper.arxiv_id), paper=paper, raw=_raw(paper)) for paper in PAPERS
    )


def _raw(paper):
    return paper.title.encode()


def keys(query, **options):
    return [hit.key for hit in search.search(query, **options).hits]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("individual units", {"1806.02891"}),
        ("UNIT", {"1806.02891", "1704.05796"}),
        ("units concepts", {"1704.05796"}),
        ("units nowhere", set()),
        ('"importance of individual units"', {"1806.02891"}),
        ('"units individual"', set()),
        ("units -concepts", {"1806.02891"}),
        ("-units -spin -bau", {"1905.00001"}),
        ("concepts OR spin", {"1704.05796", "cond-mat/9901001"}),
        ("concepts OR spin glass", {"cond-mat/9901001"}),
        ("author:bau", {"1806.02891", "1704.05796"}),
        ("author:Bau -author:zhou", {"1704.05796"}),
        ("bau", {"1806.02891", "1704.05796", "1806.09999"}),
        ("title:units", {"1806.02891"}),
        ('title:"individual units"', {"1806.02891"}),
        ("abstract:builders", {"1806.09999"}),
        ("title:builders", set()),
        ("self-supervised", {"1905.00001"}),
        ("self supervised", {"1905.00001"}),
        ("GPT-4", {"1905.00001"}),
        ("Poincaré", {"1905.00001"}),
        ("poincare", {"1905.00001"}),
        (r"title:Poincar\'e", {"1905.00001"}),
        ("title:poincare", {"1905.00001"}),
        ("author:müller", {"1905.00001"}),
        ("author:Muller", {"1905.00001"}),
        ("Nurnberger", {"cond-mat/9901001"}),
        ("author:Nürnberger", {"cond-mat/9901001"}),
        ("author:nurnberger", {"cond-mat/9901001"}),
        ("title:lodz", {"cond-mat/9901001"}),
        ("the importance of the units", {"1806.02891"}),
    ],
)
@pytest.mark.usefixtures("papers")
def test_words_phrases_fields_alternatives_and_exclusions(query, found):
    answer = search.search(query)
    assert {hit.key for hit in answer.hits} == found
    assert (answer.total, answer.exact, answer.direct) == (len(found), True, False)


@pytest.mark.parametrize(
    "query", ["1806.02891", "arXiv:1806.02891v2", " https://arxiv.org/abs/1806.02891", "10.1109/UNITS.2018",
              "https://doi.org/10.1109/units.2018"]
)  # fmt: skip
@pytest.mark.usefixtures("papers")
def test_a_name_leads_straight_to_the_work(query):
    answer = search.search(query)
    assert (answer.direct, answer.total, [hit.key for hit in answer.hits]) == (True, 1, ["1806.02891"])


@pytest.mark.usefixtures("papers")
def test_a_name_that_nobody_has_is_looked_for_as_words():
    assert search.search("1901.00001") == search.Found(0, True, ())


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"categories": ["cs.CV"]}, ["1806.02891", "1704.05796"]),
        ({"categories": ["cs"]}, ["1806.09999", "1806.02891", "1704.05796"]),
        ({"categories": ["cond-mat", "math.DG"]}, ["1905.00001", "cond-mat/9901001"]),
        ({"since": 2018}, ["1905.00001", "1806.09999", "1806.02891"]),
        ({"until": 2017}, ["1704.05796", "cond-mat/9901001"]),
        ({"since": 2017, "until": 2018, "categories": ["cs.CV"]}, ["1806.02891", "1704.05796"]),
        ({"since": 2030}, []),
        ({"since": 2019, "until": 2018}, []),
        ({"until": 0}, []),
        ({"categories": ["no.such"]}, []),
        ({}, ["1905.00001", "1806.09999", "1806.02891", "1704.05796", "cond-mat/9901001"]),
    ],
)
@pytest.mark.usefixtures("papers")
def test_filters_alone_show_the_newest_first(filters, found):
    assert keys("", **filters) == found
    assert search.search("", **filters).total == len(found)


@pytest.mark.usefixtures("papers")
def test_filters_narrow_a_search():
    assert keys("units", until=2017) == ["1704.05796"]
    assert keys("bau", categories=["cs.AR"]) == ["1806.09999"]
    assert keys("-units", categories=["cs"]) == ["1806.09999"]


@pytest.mark.usefixtures("papers")
def test_orders():
    Work.objects.filter(key="1704.05796").update(citation_count=9)
    assert keys("units") == ["1806.02891", "1704.05796"], "a word in the title counts for more"
    assert keys("units", rank="citations") == ["1704.05796", "1806.02891"]
    assert keys("bau", rank="date") == ["1806.09999", "1806.02891", "1704.05796"]
    scores = [hit.score for hit in search.search("units").hits]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


@pytest.mark.usefixtures("papers")
def test_pages_put_together_are_the_whole():
    assert [keys("bau", limit=1, offset=place) for place in range(4)] == [[key] for key in keys("bau")] + [[]]


@pytest.mark.usefixtures("papers")
def test_what_was_found_is_marked_in_plain_text():
    (hit,) = search.search("poincare self-supervised").hits
    assert hit.title == "Poincaré embeddings"
    assert [piece.text for piece in hit.title_pieces if piece.found] == ["Poincaré"]
    assert "".join(piece.text for piece in hit.snippet) == "On α-curved spaces, self-supervised and with GPT-4."
    assert [piece.text for piece in hit.snippet if piece.found] == ["self-supervised"]
    assert (hit.byline, hit.year, hit.arxiv_id, hit.citation_count) == ("Müller", 2019, "1905.00001", 0)


@pytest.mark.usefixtures("papers")
def test_inflected_words_are_marked_as_they_are_found():
    pieces = [hit.snippet for hit in search.search("unit").hits]
    assert [[piece.text for piece in some if piece.found] for some in pieces] == [["units"], ["Units"]]


@pytest.mark.usefixtures("papers")
def test_merged_works_never_show():
    one, other = (Work.objects.get(key=key) for key in ("1806.02891", "1704.05796"))
    Work.objects.filter(pk=other.pk).update(merged_into=one)
    for rank in ("relevance", "date", "citations"):
        answer = search.search("neural", rank=rank)
        assert ([hit.key for hit in answer.hits], answer.total) == (["1806.02891"], 1)
    assert "1704.05796" not in keys("")
    assert not search.search("1704.05796").hits


@pytest.mark.usefixtures("papers")
def test_words_that_say_nothing_are_no_error():
    assert "1806.02891" in keys("the")
    assert "1806.02891" in keys("the importance -to")


@pytest.fixture
def crowded(monkeypatch):
    """Three hundred works with a common word, forty of which have it in the title."""
    monkeypatch.setattr(search, "_ENOUGH", 20)
    Work.objects.bulk_create(
        Work(key=f"w{number}", title="Units" if number < 40 else "Other", abstract="units", year=2000)
        for number in range(300)
    )


def bound(monkeypatch, number):
    monkeypatch.setattr(search, "RANKED", dict.fromkeys(search.RANKED, number))
    monkeypatch.setattr(search, "EVERY", dict.fromkeys(search.EVERY, number))


@pytest.mark.usefixtures("crowded")
def test_of_too_many_matches_those_with_the_words_in_the_title_are_ranked_and_it_is_said(monkeypatch):
    bound(monkeypatch, 100)
    answer = search.search("units", limit=300)
    assert (answer.total, answer.exact, answer.ranked) == (300, True, 40)
    assert {hit.key for hit in answer.hits} == {f"w{number}" for number in range(40)}
    assert answer.sentence == "300 papers; in order are the 40 with the words in their titles."


@pytest.mark.usefixtures("crowded")
def test_of_too_many_titles_the_last_added_are_ranked_and_it_is_said(monkeypatch):
    bound(monkeypatch, 30)
    answer = search.search("units", limit=300)
    assert {hit.key for hit in answer.hits} == {f"w{number}" for number in range(10, 40)}
    assert answer.sentence.endswith(
        "in order are, of those with the words in their titles, the 30 that were added last."
    )


@pytest.mark.usefixtures("crowded")
def test_without_enough_titles_the_last_added_are_ranked_and_it_is_said(monkeypatch):
    bound(monkeypatch, 100)
    monkeypatch.setattr(search, "_ENOUGH", 50)
    answer = search.search("units", limit=300)
    assert {hit.key for hit in answer.hits} == {f"w{number}" for number in range(200, 300)}
    assert answer.sentence == "300 papers; in order are the 100 of them that were added last."


def test_matches_that_all_came_late_are_bounded_too(monkeypatch):
    bound(monkeypatch, 50)
    Work.objects.bulk_create(
        Work(key=f"w{number}", title="Other", abstract="units" if number >= 400 else "") for number in range(500)
    )
    answer = search.search("units", limit=500)
    assert (answer.total, answer.ranked) == (100, 50)
    assert {hit.key for hit in answer.hits} == {f"w{number}" for number in range(450, 500)}


@pytest.mark.usefixtures("crowded")
def test_of_the_works_that_are_ranked_the_best_come_first(monkeypatch):
    bound(monkeypatch, 100)
    Work.objects.filter(key="w7").update(title="Units and units")
    scores = {hit.key: hit.score for hit in search.search("title:units", limit=300).hits}
    assert search.search("units", limit=1).hits[0].key == max(scores, key=lambda key: (scores[key], int(key[1:])))
    Work.objects.filter(key="w7").update(title="Units of what nobody has ever heard of before, or will ever hear of")
    assert [hit.key for hit in search.search("units", limit=300).hits][-1] == (
        "w7" if connection.vendor == "sqlite" else "w0"
    ), "a longer title counts for less in BM25, and for the same in cover density"


@pytest.mark.usefixtures("crowded")
def test_a_total_beyond_the_bound_is_at_least(monkeypatch):
    monkeypatch.setattr(search, "COUNTED", 100)
    answer = search.search("", limit=1)
    assert (answer.total, answer.exact) == (100, False)
    assert answer.sentence == "More than 100 papers."


@pytest.mark.usefixtures("papers")
def test_a_query_that_was_cut_says_so():
    assert search.search("units " * 100).sentence == "2 papers. Only the first 48 words of the query count."


signs = st.sampled_from([*"\"'-:(){}*^~\\/&|!<>+,.;$%\x00\ud800éßŁ²", "OR", "NOT", "NEAR", "title:", "author:", " "])


class TypedTests(TestCase):
    """Hypothesis and the database: each example in a transaction of its own."""

    @settings(max_examples=150, deadline=None)
    @given(st.lists(signs | st.text(max_size=4) | st.sampled_from(["units", "bau"]), max_size=9).map("".join),
           st.sampled_from(["relevance", "date", "citations"]))  # fmt: skip
    def test_nothing_that_people_type_is_an_error(self, typed, rank):
        Work.objects.create(
            key="w", title="Units", abstract=typed.replace("\x00", "").encode("utf-8", "replace").decode()
        )
        answer = search.search(typed, rank=rank, categories=["cs.CV"] if "bau" in typed else [])
        assert len(answer.hits) == min(answer.total, 20)
