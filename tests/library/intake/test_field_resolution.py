"""One work out of what several sources say: whose word counts, and what the search index gets to read."""

import datetime as dt
import json
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from lenslab.library.intake import field_resolution, record_intake, work_merging
from lenslab.library.intake.field_resolution import resolve, row
from lenslab.library.models import Merge, SourceRecord, Work
from lenslab.library.search.facets import facet
from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.formats import bibtex_reader
from lenslab.papers.paper import Paper, Version
from lenslab.papers.publication import Publication
from tests.library.intake.test_record_intake import say

OAI, SNAPSHOT, SCHOLAR, ALEX, BIBTEX = "arXiv OAI-PMH", "arXiv snapshot", "Semantic Scholar", "OpenAlex", "BibTeX"
RANKED = (OAI, SCHOLAR, ALEX, BIBTEX, "a list")


def told(source, **said):
    return Description(source=source, locator="x", paper=Paper(**{"title": "", **said}))


dates = st.none() | st.dates(dt.date(1991, 1, 1), dt.date(2030, 1, 1))
versions = st.lists(
    st.builds(Version, st.integers(1, 5), dates, st.sampled_from(["", "http://a", "http://b"])),
    max_size=4,
    unique_by=lambda version: version.number,
).map(lambda found: tuple(sorted(found, key=lambda version: version.number)))
papers = st.builds(
    Paper,
    title=st.sampled_from(["", "Units", "Classes"]),
    authors=st.sampled_from([(), ("A. Bau",), ("A. Bau", "B. Sun")]),
    year=st.none() | st.integers(1990, 2030),
    abstract=st.sampled_from(["", "We ablate.", "We do not."]),
    categories=st.sampled_from([(), ("cs.CV",), ("cs.LG", "cs.CV")]),
    license_uri=st.sampled_from(["", "http://a"]),
    doi=st.sampled_from(["", "10.1/x", "10.48550/arxiv.1806.02891"]),
    journal_reference=st.sampled_from(["", "J. 1"]),
    versions=versions,
)
saying = st.lists(
    st.builds(lambda by, said: Description(source=by, locator="x", paper=said), st.sampled_from(RANKED), papers),
    min_size=1,
    max_size=5,
)  # fmt: skip


@given(saying)
def test_whatever_anybody_says_is_said_and_nothing_else(descriptions):
    paper = resolve(descriptions)
    for name in Paper.__dataclass_fields__:
        if name != "versions":
            said = [getattr(description.paper, name) for description in descriptions]
            assert getattr(paper, name) in said
            assert bool(getattr(paper, name)) == any(said)
    numbers = {version.number for description in descriptions for version in description.paper.versions}
    assert [version.number for version in paper.versions] == sorted(numbers)
    for version in paper.versions:
        said = [v for d in descriptions for v in d.paper.versions if v.number == version.number]
        assert version.license_uri in {v.license_uri for v in said}
        assert bool(version.license_uri) == any(v.license_uri for v in said)


@given(saying)
def test_saying_it_twice_changes_nothing(descriptions):
    assert resolve([*descriptions, *descriptions]) == resolve(descriptions)


@given(st.permutations(RANKED))
def test_the_first_source_in_rank_counts_in_whatever_order_they_came(order):
    said = {source: told(source, title=f"By {source}", authors=("A. Bau",)) for source in RANKED}
    for number in range(len(RANKED)):
        left = [said[source] for source in order if source in RANKED[number:]]
        assert resolve(left).title == f"By {RANKED[number]}"


def test_the_newest_of_arxiv_s_own_records_counts():
    older = told(SNAPSHOT, title="Old", versions=(Version(1),))
    newer = told(OAI, title="New", versions=(Version(1), Version(2)))
    assert resolve([older, newer]).title == resolve([newer, older]).title == "New"
    turned = told(SNAPSHOT, title="Newest", versions=(Version(1), Version(2), Version(3)))
    assert resolve([newer, turned]).title == "Newest"


def test_what_the_first_source_leaves_open_comes_from_the_next():
    paper = resolve([told(OAI, title="Units"), told(ALEX, year=2019), told(SCHOLAR, year=2018, abstract="We ablate.")])
    assert (paper.title, paper.year, paper.abstract) == ("Units", 2018, "We ablate.")


def test_the_doi_of_the_article_goes_before_the_preprint_s_own():
    own = told(OAI, title="Units", doi="10.48550/arXiv.1806.02891")
    assert resolve([own, told("a list", doi="10.1/x")]).doi == "10.1/x"
    assert resolve([own]).doi == "10.48550/arXiv.1806.02891"


def test_versions_are_united_and_each_keeps_the_licence_under_which_it_was_given():
    first = told(SNAPSHOT, versions=(Version(1, dt.date(2018, 6, 7), "http://one"),), license_uri="http://one")
    later = told(OAI, versions=(Version(1, dt.date(2018, 6, 7), ""), Version(2, None, "http://two", "9kb", "I")),
                 license_uri="http://two")  # fmt: skip
    for order in ([first, later], [later, first]):
        paper = resolve(order)
        assert [v.license_uri for v in paper.versions] == ["http://one", "http://two"]
        assert paper.versions[1].withdrawn
        assert paper.license_uri == "http://two"


texts = st.text(max_size=60)


@given(texts, st.lists(texts, max_size=4), texts, st.lists(texts, max_size=2), st.none() | st.integers(0, 32767))
def test_every_row_is_text_that_both_databases_hold(title, authors, abstract, groups, year):
    paper = Paper(title=title, authors=tuple(authors), abstract=abstract, categories=tuple(groups), year=year)
    made = dict(zip(field_resolution.COLUMNS, row(paper), strict=True))
    for value in made.values():
        if isinstance(value, str):
            assert "\x00" not in value
            value.encode()
    assert len(json.loads(made["authors"])) == len(authors)
    assert not any("\x00" in name for name in json.loads(made["authors"]))
    plain = [name for name in authors if "\x00" not in name and not any("\ud800" <= sign <= "\udfff" for sign in name)]
    assert set(plain) <= set(json.loads(made["authors"]))


@pytest.mark.parametrize("name", ["Bo \\u0000", "\\u0000", "Bo\\", 'B"o', "\\\\u0000"])
def test_names_that_look_like_escapes_stay_as_they_are(name):
    made = dict(zip(field_resolution.COLUMNS, row(Paper(title="Units", authors=(name,))), strict=True))
    assert json.loads(made["authors"]) == [name]


def found(words):
    """The titles that a search for some words gives, in the index as the database keeps it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Names are indexed as they are, facets behind a sign, all other words by their stems.
            query = (
                "SELECT title FROM library_work JOIN library_search USING (id), (SELECT CAST(%s AS text) AS typed) t "
                "WHERE words @@ (plainto_tsquery('english', typed) || plainto_tsquery('simple', typed) "
                "|| CAST(quote_literal('#' || typed) AS tsquery)) ORDER BY id"
            )
        else:
            words = " ".join(f'"{word}"' for word in words.split())
            query = (
                "SELECT title FROM library_work WHERE id IN "
                "(SELECT rowid FROM library_search WHERE library_search MATCH %s) ORDER BY id"
            )
        cursor.execute(query, [words])
        return [title for (title,) in cursor.fetchall()]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("On Schr\\\"odinger's filters", "Schrodinger"),
        ('On Schr{\\"o}dinger filters', "Schrödinger"),
        ("On Schrödinger filters", "Schrodinger"),
        ("On Schrödinger filters", "Schrödinger"),
        ("Poincar\\'e units", "poincare"),
        ("Poincar{\\'{e}} units", "Poincaré"),
        ("Gr\\o{}nwall units", "gronwall"),
        ("\\L{}ukasiewicz units", "lukasiewicz"),
        ("Über Units", "uber"),
        ("Erd\\H{o}s graphs", "Erdos"),
        ("\\v{C}ech complexes", "cech"),
        ("Units of the sea", "unit"),
    ],
)
def test_a_word_is_found_with_and_without_its_accents_however_it_was_typed(title, words):
    record_intake.add_records([say("a", "1", title), say("a", "2", "Frogs of the pond", ("Bo Sun",))])
    assert found(words) == [title]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Günter Müller", 'G\\"unter M\\"uller'])
@pytest.mark.parametrize("words", ["Müller", "muller"])
def test_authors_are_found_with_and_without_their_accents(name, words):
    record_intake.add_records([say("a", "1", "Units", (name,)), say("a", "2", "Frogs", ("Bo Sun",))])
    assert found(words) == ["Units"]


@pytest.mark.django_db
def test_the_abstract_and_the_facets_are_found_too():
    record_intake.add_records(
        [say("a", "1", "Units", abstract="We ablate frogs.", categories=["math-ph", "cs.CV"], year=2018)]
    )
    record_intake.add_records(
        [say("a", "2", "Others", ("Bo Sun",), abstract="Nothing.", categories=["cs.LG"], year=2019)]
    )
    for words in ("frogs", facet("math.MP"), facet("math-ph"), facet("cs.CV"), "y2018"):
        assert found(words) == ["Units"], words
    assert found(facet("cs")) == ["Units", "Others"]
    assert found("incv0") == found("2018") == []


VOCABULARY = ("units", "frogs", "Schrödinger", "ponds", "classes")


def assert_index_is_whole():
    """The index holds the works that the table holds, with the same words."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("INSERT INTO library_search(library_search, rank) VALUES('integrity-check', 1)")
            return
        words = import_module("lenslab.library.migrations.0002_what_sources_say")._SEARCHED.format("w.")
        cursor.execute(
            f"WITH work AS (SELECT id, {words} AS words FROM library_work w WHERE merged_into_id IS NULL) "
            "SELECT id FROM work FULL JOIN library_search s USING (id) WHERE work.words IS DISTINCT FROM s.words"
        )
        assert cursor.fetchall() == []


def assert_index_is_the_works():
    """A search for a word finds the works in which it stands; on SQLite merged ones, too, as they were left."""
    assert_index_is_whole()
    works = Work.objects.order_by("pk")
    for word in VOCABULARY:
        expected = [
            work.title
            for work in (works if connection.vendor == "sqlite" else works.filter(merged_into=None))
            if word.lower() in f"{work.title} {work.abstract} {' '.join(work.authors)} {work.plain}".lower()
        ]
        assert found(word) == expected, word


@pytest.mark.django_db
def test_the_search_index_equals_the_works_after_anything_that_happens():
    told_of = []
    for n in range(12):
        title = f"{VOCABULARY[n % 5]} and {VOCABULARY[(n + 2) % 5]} {n}"
        told_of.append(say("a", str(n), title, (f"Bo Number{n}",), abstract=f"{VOCABULARY[n % 3]}."))
    record_intake.add_records(told_of)
    assert_index_is_the_works()
    record_intake.add_records(
        [say("a", "3", "Nothing of the kind", ("Bo Number3",)), say("b", "1b", "Frogs", arxiv_id="1806.02891")]
    )
    assert_index_is_the_works()
    one, other, third = Work.objects.order_by("pk")[:3]
    made = work_merging.merge(one, other, evidence="a test")
    assert_index_is_the_works()
    second = work_merging.merge(third, Work.objects.get(pk=one.pk), evidence="another")
    assert_index_is_the_works()
    work_merging.undo(second)
    work_merging.undo(Merge.objects.get(pk=made.pk))
    assert_index_is_the_works()
    record_intake.add_records(
        [say("b", "0", "classes, again", doi="10.1/x"), say("c", "0", "ponds", ("X Y", "Ada Bau"), doi="10.1/x")]
    )
    work_merging.separate(SourceRecord.objects.get(source="c"))
    assert_index_is_the_works()
    Work.objects.filter(pk__in=[third.pk]).delete()
    assert_index_is_the_works()
    before = {word: found(word) for word in VOCABULARY}
    assert all(before.values()), "every word is there to be found"
    record_intake.add_records(told_of)
    assert_index_is_the_works()


def test_a_paper_without_anything_is_a_row():
    made = dict(zip(field_resolution.COLUMNS, row(Paper(title="")), strict=True))
    assert (made["title"], made["byline"], made["authors"], made["facets"], made["plain"]) == ("", "", "[]", "", "")


def test_an_arxiv_id_stands_without_its_version():
    made = dict(zip(field_resolution.COLUMNS, row(Paper(title="U", arxiv_id=ArxivId("hep-th/9901001"))), strict=True))
    assert made["arxiv_id"] == "hep-th/9901001"


ARTICLE = """@inproceedings{a, title = {On {CNN}s}, author = {Ann Smith}, booktitle = {Proc. of Units}, pages = {1--9},
  editor = {Jones, Bob}, publisher = {Sample Press}, year = 2019, note = {Retracted}}"""


@pytest.mark.django_db
def test_works_of_earlier_libraries_get_what_their_records_say_of_publication_and_standing():
    record_intake.add_records(bibtex_reader.entries(ARTICLE))
    withdrawn = Paper(title="W", arxiv_id=ArxivId("2501.00001"), versions=(Version(1), Version(2, source_type="I")))
    record_intake.add_records([Description(source="a list", locator="w", paper=withdrawn, raw=b"{}")])
    expected = [dict(Work.objects.values_list("title", name)) for name in ("publication", "standing")]
    assert expected[0]["On CNNs"] == {
        "kind": "paper-conference",
        "container": "Proc. of Units",
        "pages": "1–9",
        "publisher": "Sample Press",
        "year": 2019,
        "editors": ["Bob Jones"],
    }
    assert expected[1] == {"On CNNs": "retracted", "W": "withdrawn"}
    Work.objects.update(publication=None, standing=None)
    import_module("lenslab.library.migrations.0004_publications").find(apps, None)
    assert expected == [dict(Work.objects.values_list("title", name)) for name in ("publication", "standing")]


def test_who_edited_a_book_is_said_by_whoever_names_the_people():
    edited = told(BIBTEX, authors=("A. Bau",), publication=Publication(kind="book", edited=True))
    written = told(SCHOLAR, authors=("B. Sun",))
    assert resolve([edited, written]).publication == Publication(kind="book")
    assert resolve([edited, told(SCHOLAR)]).publication.edited


def test_a_publication_is_that_of_the_record_that_says_where_with_its_own_year():
    preprint = told(OAI, year=2015, authors=("A. Bau", "B. Sun"))
    bare = told(BIBTEX, year=2016, publication=Publication(kind="article-journal"))
    place = Publication(kind="paper-conference", container="CVPR", pages="770–778", year=2016)
    paper = resolve([preprint, bare, told(BIBTEX, year=2016, publication=place)])
    assert (paper.year, paper.cited_year, paper.publication) == (2015, 2016, place)


def test_a_list_of_authors_that_goes_on_is_taken_for_one_that_stops():
    few, more, others = ("A. Bau",), ("Ada Bau", "B. Sun", "C. Lee"), ("D. Roe", "B. Sun")
    assert resolve([told(SCHOLAR, authors=few), told(BIBTEX, authors=more)]).authors == more
    assert resolve([told(SCHOLAR, authors=few), told(BIBTEX, authors=others)]).authors == few
