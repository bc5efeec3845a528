import re
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from lenslab.library.intake import record_intake
from lenslab.library.models import Work
from lenslab.library.search import postgresql_tsquery, sqlite_fts5, work_search
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
    record_intake.add_records(
        Description(source="arXiv", locator=str(paper.arxiv_id), paper=paper, raw=_raw(paper)) for paper in PAPERS
    )


def _raw(paper):
    return paper.title.encode()


def keys(query, **options):
    return [hit.key for hit in work_search.search(query, **options).hits]


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
        ("title:lodz OR nothing", {"cond-mat/9901001"}),
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
    answer = work_search.search(query)
    assert {hit.key for hit in answer.hits} == found
    assert (answer.total, answer.exact, answer.direct) == (len(found), True, False)


@pytest.mark.parametrize(
    "query", ["1806.02891", "arXiv:1806.02891v2", " https://arxiv.org/abs/1806.02891", "10.1109/UNITS.2018",
              "https://doi.org/10.1109/units.2018"]
)  # fmt: skip
@pytest.mark.usefixtures("papers")
def test_a_name_leads_straight_to_the_work(query):
    answer = work_search.search(query)
    assert (answer.direct, answer.total, [hit.key for hit in answer.hits]) == (True, 1, ["1806.02891"])


@pytest.mark.usefixtures("papers")
def test_a_name_that_nobody_has_is_looked_for_as_words():
    assert work_search.search("1901.00001") == work_search.Found(0, True, ())


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
    assert work_search.search("", **filters).total == len(found)


@pytest.mark.usefixtures("papers")
@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("year:2018", {"since": 2018, "until": 2018}),
        ("YEAR:2017-2018", {"since": 2017, "until": 2018}),
        ("year:2018-", {"since": 2018}),
        ("year:-2017", {"until": 2017}),
        ("year:2018-2017", {"since": 2017, "until": 2018}),
        ("year:>2017", {"since": 2018}),
        ("year:<=2017", {"until": 2017}),
        ("year:2017 OR year:2018", {"since": 2017, "until": 2018}),
        ("year:2017- year:-2018", {"since": 2017, "until": 2018}),
    ],
)
def test_a_year_among_the_words_is_a_filter(query, filters):
    assert keys(query) == keys("", **filters) != []
    assert keys(f"units {query}") == keys("units", **filters)
    assert keys(query, since=2030) == []


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
    scores = [hit.score for hit in work_search.search("units").hits]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


@pytest.mark.usefixtures("papers")
def test_pages_put_together_are_the_whole():
    assert [keys("bau", limit=1, offset=place) for place in range(4)] == [[key] for key in keys("bau")] + [[]]


@pytest.mark.usefixtures("papers")
def test_what_was_found_is_marked_in_plain_text():
    (hit,) = work_search.search("poincare self-supervised").hits
    assert hit.title == "Poincaré embeddings"
    assert [piece.text for piece in hit.title_pieces if piece.found] == ["Poincaré"]
    assert "".join(piece.text for piece in hit.snippet) == "On α-curved spaces, self-supervised and with GPT-4."
    assert [piece.text for piece in hit.snippet if piece.found] == ["self-supervised"]
    assert (hit.byline, hit.year, hit.arxiv_id, hit.citation_count) == ("Müller", 2019, "1905.00001", 0)


@pytest.mark.usefixtures("papers")
def test_inflected_words_are_marked_as_they_are_found():
    pieces = [hit.snippet for hit in work_search.search("unit").hits]
    assert [[piece.text for piece in some if piece.found] for some in pieces] == [["units"], ["Units"]]


@pytest.mark.usefixtures("papers")
def test_merged_works_never_show():
    one, other = (Work.objects.get(key=key) for key in ("1806.02891", "1704.05796"))
    Work.objects.filter(pk=other.pk).update(merged_into=one)
    for rank in ("relevance", "date", "citations"):
        answer = work_search.search("neural", rank=rank)
        assert ([hit.key for hit in answer.hits], answer.total) == (["1806.02891"], 1)
    assert "1704.05796" not in keys("")
    assert not work_search.search("1704.05796").hits


@pytest.mark.usefixtures("papers")
def test_words_that_say_nothing_are_no_error():
    assert "1806.02891" in keys("the")
    assert "1806.02891" in keys("the importance -to")


@pytest.fixture
def crowded(monkeypatch):
    """Three hundred works with a common word, forty of which have it in the title."""
    monkeypatch.setattr(sqlite_fts5, "ENOUGH", 20)
    Work.objects.bulk_create(
        Work(key=f"w{number}", title="Units" if number < 40 else "Other", abstract="units", year=2000)
        for number in range(300)
    )


def bound(monkeypatch, number):
    monkeypatch.setattr(work_search, "RANKED", dict.fromkeys(work_search.RANKED, number))
    monkeypatch.setattr(work_search, "EVERY", dict.fromkeys(work_search.EVERY, number))


only_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="how PostgreSQL's index works")


@pytest.mark.usefixtures("crowded")
def test_of_too_many_matches_those_with_the_words_in_the_title_are_ranked_and_it_is_said(monkeypatch):
    bound(monkeypatch, 100)
    answer = work_search.search("units", limit=300)
    assert (answer.total, answer.exact, answer.ranked) == (300, True, 40)
    assert {hit.key for hit in answer.hits} == {f"w{number}" for number in range(40)}
    assert answer.sentence == "300 papers; in order are the 40 with the words in their titles."


@pytest.mark.usefixtures("crowded")
def test_of_too_many_titles_the_last_added_are_ranked_and_it_is_said(monkeypatch):
    bound(monkeypatch, 30)
    answer = work_search.search("units", limit=300)
    assert {hit.key for hit in answer.hits} == {f"w{number}" for number in range(10, 40)}
    assert answer.sentence.endswith(
        "in order are, of those with the words in their titles, the 30 that were added last."
    )


@pytest.mark.usefixtures("crowded")
def test_without_enough_titles_the_last_added_are_ranked_and_it_is_said(monkeypatch):
    bound(monkeypatch, 100)
    monkeypatch.setattr(sqlite_fts5, "ENOUGH", 50)
    answer = work_search.search("units", limit=300)
    assert {hit.key for hit in answer.hits} == {f"w{number}" for number in range(200, 300)}
    assert answer.sentence == "300 papers; in order are the 100 of them that were added last."


def test_matches_that_all_came_late_are_bounded_too(monkeypatch):
    bound(monkeypatch, 50)
    Work.objects.bulk_create(
        Work(key=f"w{number}", title="Other", abstract="units" if number >= 400 else "") for number in range(500)
    )
    answer = work_search.search("units", limit=500)
    assert (answer.total, answer.ranked) == (100, 50)
    assert {hit.key for hit in answer.hits} == {f"w{number}" for number in range(450, 500)}


@pytest.mark.usefixtures("crowded")
def test_of_the_works_that_are_ranked_the_best_come_first(monkeypatch):
    bound(monkeypatch, 100)
    Work.objects.filter(key="w7").update(title="Units and units")
    scores = {hit.key: hit.score for hit in work_search.search("title:units", limit=300).hits}
    assert work_search.search("units", limit=1).hits[0].key == max(scores, key=lambda key: (scores[key], int(key[1:])))
    Work.objects.filter(key="w7").update(title="Units of what nobody has ever heard of before, or will ever hear of")
    assert [hit.key for hit in work_search.search("units", limit=300).hits][-1] == (
        "w7" if connection.vendor == "sqlite" else "w0"
    ), "a longer title counts for less in BM25, and for the same in cover density"


def spread(monkeypatch, holds):
    """Works over many blocks of ids, of which some hold a common word, and bounds that make late ids be read first."""
    bound(monkeypatch, 12)
    monkeypatch.setattr(sqlite_fts5, "COUNTED", 30)
    monkeypatch.setattr(sqlite_fts5, "ENOUGH", 400)
    first = 1 + max(Work.objects.values_list("pk", flat=True), default=0)
    Work.objects.bulk_create(
        Work(pk=first + 300 * number, key=f"w{number}", title="Other", abstract="spread words" if holds(number) else "")
        for number in range(300)
    )


@pytest.mark.parametrize("query", ["spread", '"spread words"', "spread -nothing", "abstract:spread"])
@pytest.mark.parametrize(
    ("holds", "last"),
    [
        (lambda _: True, range(288, 300)),
        (lambda number: number % 3 == 0, range(264, 300, 3)),
        (lambda number: number < 60, range(48, 60)),
    ],
    ids=["everywhere", "every third", "early ones"],
)
def test_the_last_added_are_found_wherever_they_are(monkeypatch, query, holds, last):
    spread(monkeypatch, holds)
    answer = work_search.search(query, limit=300)
    assert {hit.key for hit in answer.hits} == {f"w{number}" for number in last}
    assert answer.sentence.endswith("in order are the 12 of them that were added last.")


@only_postgresql
def test_late_ids_are_asked_for_in_the_index(monkeypatch):
    spread(monkeypatch, lambda _: True)
    with CaptureQueriesContext(connection) as asked:
        work_search.search("spread")
    assert [statement["sql"] for statement in asked if re.search("'#[ij]", statement["sql"])]


@only_postgresql
@pytest.mark.parametrize(
    ("asked", "few", "sentence"),
    [
        ((60, 40), 2, "At least 6 papers; in order are the 6 of them that were added last."),
        ((60, 40), 7, "At least 10 papers; in order are the 10 of them that were added last."),
        ((60, 400), 7, "30 papers."),
    ],
    ids=["enough of the first", "more where few match", "all"],
)
def test_of_works_with_the_words_of_a_phrase_those_added_last_are_asked_and_it_is_said(
    monkeypatch, asked, few, sentence
):
    bound(monkeypatch, 50)
    monkeypatch.setattr(postgresql_tsquery, "_ASKED", asked)
    monkeypatch.setattr(postgresql_tsquery, "_FEW", few)
    Work.objects.bulk_create(
        Work(key=f"w{number}", title="Other", abstract="single units" if number % 10 == 0 else "units, single ones")
        for number in range(300)
    )
    answer = work_search.search('"single units"', limit=300)
    assert answer.sentence == sentence
    assert {hit.key for hit in answer.hits} == {f"w{300 - 10 * number}" for number in range(1, answer.total + 1)}
    assert work_search.search('"single units"', rank="date", limit=300).total in (answer.total, 30)


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ((60, 40), "in order are, of those with the words in their titles, the 5 that were added last"),
        ((400,), "in order are the 15 with the words in their titles"),
    ],
    ids=["some", "all"],
)
@only_postgresql
def test_a_phrase_in_titles_is_looked_for_as_far_and_it_is_said(monkeypatch, asked, rule):
    bound(monkeypatch, 50)
    monkeypatch.setattr(sqlite_fts5, "ENOUGH", 5)
    monkeypatch.setattr(postgresql_tsquery, "_ASKED", asked)
    monkeypatch.setattr(postgresql_tsquery, "_FEW", 5)
    for number in range(300):
        title = "Single units" if number % 20 == 0 else "Units, single ones"
        Work.objects.create(key=f"w{number}", title=title, abstract="single units")
    answer = work_search.search('"single units"', limit=300)
    assert answer.rule == rule
    assert {hit.key for hit in answer.hits} == {f"w{300 - 20 * number}" for number in range(1, answer.ranked + 1)}


@pytest.mark.parametrize("offset", [0, 7])
@pytest.mark.parametrize("rank", ["date", "citations"])
@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("even", lambda number: number % 2 == 0),
        ('"even number"', lambda number: number % 2 == 0),
        ("author:lovelace", lambda number: number % 3 == 0),
        ("title:fifth OR even", lambda number: number % 5 == 0 or number % 2 == 0),
        ("-even", lambda number: number % 2),
        ('-"even number"', lambda number: number % 2),
        ("-even -author:lovelace", lambda number: number % 2 and number % 3),
        ("title:fifth", lambda number: number % 5 == 0),
        ("title:fifth even -nothing", lambda number: number % 10 == 0),
        ("first", lambda number: number < 20),
        ("", lambda _: True),
    ],
)
@pytest.mark.parametrize("small", [True, False])
def test_other_orders_are_the_same_however_they_are_found(monkeypatch, query, holds, rank, offset, small):
    if small:
        monkeypatch.setattr(postgresql_tsquery, "_SORTED", 3)
        monkeypatch.setattr(postgresql_tsquery, "_WALKED", 15)
        monkeypatch.setattr(sqlite_fts5, "COUNTED", 30)
    Work.objects.bulk_create(
        Work(
            key=f"w{number}",
            title="Fifth" if number % 5 == 0 else "Other",
            authors=["Ada Lovelace"] if number % 3 == 0 else [],
            abstract=("even number" if number % 2 == 0 else "number") + (" first" if number < 20 else ""),
            year=1990 + number % 4,
            citation_count=number * 7 % 11,
        )
        for number in range(80)
    )
    found = [number for number in range(80) if holds(number)]
    order = (lambda number: (number % 4, number)) if rank == "date" else (lambda number: (number * 7 % 11, number))
    answer = work_search.search(query, rank=rank, limit=10, offset=offset)
    expected = sorted(found, key=order, reverse=True)[offset : offset + 10]
    assert [hit.key for hit in answer.hits] == [f"w{number}" for number in expected]
    assert (answer.total, answer.exact) == (min(len(found), sqlite_fts5.COUNTED), len(found) <= sqlite_fts5.COUNTED)


@only_postgresql
def test_a_phrase_of_which_stop_words_leave_a_word_is_looked_for_as_that_word(monkeypatch):
    bound(monkeypatch, 50)
    monkeypatch.setattr(postgresql_tsquery, "_ASKED", (10,))
    Work.objects.bulk_create(Work(key=f"w{number}", title="Other", abstract="units over") for number in range(300))
    answer = work_search.search('"units over"')
    assert answer.sentence == "300 papers; in order are the 50 of them that were added last."
    assert work_search.search('"units over" -"the units"').total == 0


def test_no_text_passes_for_a_category_or_a_year():
    texts = [
        "#incscv0",
        "incscv0",
        "x #incscv0",
        "/#incscv0",
        "<#incscv0>",
        "a@b.cd/#incscv0",
        "#",
        "#i0",
        "#y2018 y2018",
    ]
    for number, text in enumerate(texts):
        Work.objects.create(
            key=f"w{number}",
            title=text,
            abstract=text,
            authors=[text],
            plain=text,
            facets="incscl0 y2020 y4x505 y16x126",
        )
    Work.objects.create(key="real", title="Real", facets="incscv0 y2018 y4x504 y16x126", year=2018)
    assert keys("", categories=["cs.CV"]) == ["real"]
    assert keys("", since=2018, until=2018) == ["real"]
    assert keys("real", categories=["cs.CV"]) == ["real"]
    assert "real" not in keys("incscv0 OR y2018 OR #incscv0 OR #")


@pytest.mark.usefixtures("papers")
def test_the_index_follows_the_works():
    one, other = (Work.objects.get(key=key) for key in ("1806.02891", "1704.05796"))
    Work.objects.filter(pk=other.pk).update(merged_into=one)
    assert keys("concepts") == []
    Work.objects.filter(pk=other.pk).update(merged_into=None)
    assert keys("concepts") == ["1704.05796"]
    Work.objects.filter(pk=other.pk).update(abstract="Notions.", title="Concepts", citation_count=3)
    assert (keys("title:concepts"), keys("notions"), keys("aligned")) == (["1704.05796"], ["1704.05796"], [])
    Work.objects.filter(pk=other.pk).update(facets="incslg0")
    assert (keys("notions", categories=["cs.LG"]), keys("notions", categories=["cs.CV"])) == (["1704.05796"], [])
    other.delete()
    assert keys("concepts") == []


@only_postgresql
@pytest.mark.usefixtures("papers")
def test_the_index_is_emptied_with_the_works():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE library_work CASCADE")
        cursor.execute("SELECT count(*) FROM library_search")
        assert cursor.fetchone() == (0,)


@only_postgresql
def test_frequent_words_are_looked_for_in_the_index():
    text = " ".join(f"units{number}" for number in range(60))
    Work.objects.bulk_create(Work(key=f"w{number}", title="Units", abstract=text) for number in range(3000))
    with connection.cursor() as cursor:
        # Rows that came a moment ago wait beside the index, to be put into it with others.
        cursor.execute("SELECT gin_clean_pending_list('library_search_words')")
        cursor.execute("ANALYZE library_search")
        index = work_search.index_of(cursor, work_search.parse("units"))
        for titles in (False, True):
            selected, values = index._loose("id", titles=titles)
            cursor.execute(f"EXPLAIN {selected} ORDER BY id DESC LIMIT 20", values)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Bitmap Index Scan on library_search_words" in plan
        cursor.execute("SELECT count(DISTINCT split_part(CAST(ctid AS text), ',', 1)) FROM library_search")
        assert cursor.fetchone()[0] < 60, "eight kilobytes hold eighty works, whose words lie elsewhere"


@pytest.mark.usefixtures("crowded")
def test_a_total_beyond_the_bound_is_at_least(monkeypatch):
    monkeypatch.setattr(sqlite_fts5, "COUNTED", 100)
    answer = work_search.search("", limit=1)
    assert (answer.total, answer.exact) == (100, False)
    assert answer.sentence == "More than 100 papers."
    assert work_search.Found(7, False, ()).sentence == "At least 7 papers."


@pytest.mark.usefixtures("papers")
def test_a_query_that_was_cut_says_so():
    assert work_search.search("units " * 100).sentence == "2 papers. Only the first 48 words of the query count."


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
        answer = work_search.search(typed, rank=rank, categories=["cs.CV"] if "bau" in typed else [])
        assert len(answer.hits) == min(answer.total, 20)


WITHOUT_SPACES = {
    "zh": Paper(title="基于深度学习的图像识别方法研究", authors=("王伟",), year=2019),
    "ja": Paper(title="畳み込みニューラルネットワークによる画像分類とCNN", authors=("山田太郎",), year=2020),
    "ko": Paper(title="합성곱 신경망의 단위를 하나씩 제거하기", year=2021),
    "th": Paper(title="การเรียนรู้เชิงลึกสำหรับการจำแนกภาพ", year=2022),
    "greek": Paper(title=r"Growth of $\alpha$-units", abstract=r"With $\mu$ above 5.", year=2021),
    "abstract": Paper(title="Letters", abstract="学习 of 深度, apart", year=2021),
}


@pytest.fixture
def without_spaces():
    record_intake.add_records(
        Description(source="RIS", locator=key, paper=paper, raw=key.encode()) for key, paper in WITHOUT_SPACES.items()
    )
    return {work.title: key for key, paper in WITHOUT_SPACES.items() for work in Work.objects.filter(title=paper.title)}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("深度学习", {"zh"}),
        ("深度", {"zh", "abstract"}),
        ("度学", {"zh"}),  # no word, but it stands there
        ("深习", set()),
        ("深", {"zh", "abstract"}),
        ('title:"图像识别"', {"zh"}),
        ("方法 深度", {"zh"}),
        ("深度 -图像", {"abstract"}),
        ("画像分類", {"ja"}),
        ("ネットワーク", {"ja"}),
        ("ﾈｯﾄﾜｰｸ", {"ja"}),  # in the half-width signs of old systems
        ("CNN", {"ja"}),
        ("画像分類とCNN", {"ja"}),
        ("신경망", {"ko"}),
        ("단위", {"ko"}),
        ("เชิงลึก", {"th"}),
        ("จำแนกภาพ", {"th"}),
        ("山田", {"ja"}),
        ("author:王伟", {"zh"}),
        ("α", {"greek"}),
        ("alpha", {"greek"}),
        ("μ", {"greek"}),
        ("β", set()),
    ],
)
def test_words_are_found_in_scripts_without_spaces_and_as_the_page_shows_them(without_spaces, query, found):
    assert {without_spaces[Work.objects.get(key=key).title] for key in keys(query)} == found


@pytest.mark.usefixtures("without_spaces")
def test_words_of_scripts_without_spaces_are_marked():
    (hit,) = work_search.search("深度学习").hits
    assert [(piece.text, piece.found) for piece in hit.title_pieces] == [
        ("基于", False),
        ("深度学习", True),
        ("的图像识别方法研究", False),
    ]


@pytest.mark.usefixtures("without_spaces")
def test_works_of_earlier_libraries_are_found_in_the_same_way():
    expected = dict(Work.objects.values_list("pk", "plain"))
    Work.objects.update(plain="")
    assert keys("深度学习") == []
    import_module("lenslab.library.migrations.0003_hidden_words").find(apps, None)
    assert dict(Work.objects.values_list("pk", "plain")) == expected
    assert len(keys("深度学习")) == 1
