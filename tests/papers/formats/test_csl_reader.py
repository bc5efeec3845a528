import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.errors import MalformedError
from lenslab.papers.formats.csl_reader import entries, parse, read
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.sources.record_parsers import PARSERS
from lenslab.papers.text.latex_display import plain_text

ITEM = {
    "id": "morcos2018",
    "type": "article-journal",
    "title": "On the <i>importance</i> of single directions",
    "author": [
        {"family": "Morcos", "given": "Ari S."},
        {"family": "Maaten", "given": "Laurens", "non-dropping-particle": "van der", "ORCID": "x", "affiliation": []},
        {"family": "Berger", "given": "E. L.", "suffix": "Jr."},
        {"literal": "ATLAS"},
        {"name": "CMS"},
    ],
    "issued": {"date-parts": [[2018, 6, 7]]},
    "container-title": ["Phys. Rev. D"],
    "volume": 76,
    "issue": "2",
    "page": "13-20",
    "DOI": "10.1000/ABC",
    "abstract": "<jats:p>We ablate\n units.</jats:p>",
}


def one(**changes):
    (found,) = entries(json.dumps([ITEM | changes]))
    return found


def test_an_item_is_read():
    found = one()
    paper = found.paper
    assert (found.source, found.locator) == ("CSL-JSON", "morcos2018")
    assert paper.title == "On the importance of single directions"
    assert paper.authors == ("Ari S. Morcos", "Laurens van der Maaten", "E. L. Berger Jr.", "ATLAS", "CMS")
    assert paper.journal_reference == "Phys. Rev. D 76(2), 13–20"
    assert (paper.year, paper.doi, paper.abstract) == (2018, "10.1000/ABC", "We ablate units.")


def test_the_item_alone_is_kept_byte_for_byte_and_read_again():
    text = '\ufeff [ {"id": 1,  "title": "Ünits"} ,\n{"id":"b","title":"y"}\n]\n'.removeprefix("\ufeff")
    first, second = entries(text)
    assert first.raw.decode() == '{"id": 1,  "title": "Ünits"}'
    assert first.locator == "1"
    for found in (first, second):
        assert PARSERS[found.source](found.raw) == found


def test_one_item_alone_and_an_empty_list_are_files_too():
    assert [found.locator for found in entries(json.dumps(ITEM))] == ["morcos2018"]
    assert list(entries(" [ ] ")) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "arXiv:1806.02891"},
        {"URL": "https://arxiv.org/abs/1806.02891"},
        {"DOI": "10.48550/arxiv.1806.02891"},
        {"note": "arXiv:1806.02891"},
        {"archive_location": "arXiv:1806.02891"},
    ],
)
def test_the_identifier_is_found_wherever_programs_put_it(changes):
    assert one(**changes).paper.arxiv_id == ArxivId("1806.02891")


@pytest.mark.parametrize(
    ("issued", "year"),
    [
        ({"date-parts": [["2018"]]}, 2018),
        ({"raw": "June 2018"}, 2018),
        ({"literal": "2018"}, 2018),
        ({"date-parts": [[]]}, None),
        ({"date-parts": [[None]]}, None),
        ("2018", 2018),
        ("2018-06~", 2018),
        (2018, 2018),
        ({"date-parts": [2018, 6]}, 2018),
        ({"date-parts": [[2018, 6, 1], [2019, 1, 1]]}, 2018),
        ({"year": 2018}, 2018),
        ({"edtf": "2018-06/2019"}, 2018),
        ({"date-time": "2018-06-07T00:00:00Z"}, 2018),
        (True, None),
        ({"date-parts": [[True]]}, None),
        (None, None),
    ],
)
def test_the_year_is_found_in_every_form_of_a_date(issued, year):
    assert one(issued=issued).paper.year == year


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        ("", 1, "not JSON"),
        ("{", 1, "not JSON"),
        ('[{"title": "x"}, 3]', 2, "not an object but a number"),
        ('[{"title": "x"}, {"id": "a"}]', 2, "no title"),
        ('[{"title": "x"}, {"title": {}}]', 2, "title is an object"),
        ('[{"title": "x"}, {"title": "y", "author": "z"}]', 2, "author is text"),
        ('[{"title": "x"}, {"title": "y", "author": ["z"]}]', 2, "an author is text"),
        ('[{"title": "x"}, {"title": "y", "author": [{"family": 1}]}]', 2, "the family of an author is a number"),
        ('[{"title": "x", "id": "a"}, {"title": "y", "id": "a"}]', 2, "that of entry 1"),
        ('[{"title": "x"}, {"title": "y"', 2, "not JSON"),
        ('[{"title": "x"} {"title": "y"}]', 2, "a comma or the end of the list"),
        ('[{"title": "x"}', 2, "a comma or the end of the list"),
        ('{"title": "x"} x', 2, "nothing more"),
        ('[{"title": "x"}, {"title": NaN}]', 2, "NaN"),
        ('[{"title": "x"}, {"title": "a\\u0000"}]', 2, "character zero"),
        ('[{"title": "x"}, {"title": "a\\ud800"}]', 2, "half of a character"),
        ('[{"title": "x"}, ' + "[" * 10_000, 2, "nested too deeply"),
    ],
)
def test_an_item_that_cannot_be_read_is_rejected_and_those_before_it_stand(text, number, reason):
    *good, rejected = entries(text)
    assert len(good) == number - 1
    assert isinstance(rejected, Rejection)
    assert rejected.number == number
    assert reason in rejected.reason


def test_only_ids_of_categories_are_categories():
    assert one(categories=["cs.CV", "vision", ["cs.LG"], None, "astro-ph"]).paper.categories == ("cs.CV", "astro-ph")
    assert one(categories="cs.CV").paper.categories == ()


def test_a_file_is_read(tmp_path):
    path = tmp_path / "library.json"
    path.write_text(json.dumps([ITEM]), encoding="utf-8-sig")
    assert [found.locator for found in read(path)] == ["morcos2018"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"\xff", b'{"title": "x"} {}'])
def test_what_is_not_one_item_is_not_read_again(raw):
    with pytest.raises(MalformedError):
        parse(raw)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["family", "given", "date-parts", "raw"]), inner)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*ITEM, "URL", "categories"]), values))
def test_whatever_stands_in_a_field_the_item_is_read_or_rejected_and_read_again_alike(changes):
    found = one(**changes)
    if isinstance(found, Description):
        assert parse(found.raw) == found
    else:
        assert found.reason


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Barrels &amp; kegs at CO<inf>2</inf> &lt; 5%", "Barrels & kegs at CO2 < 5%"),
        ("&lt;i&gt;E. sampli&lt;/i&gt; counted", "E. sampli counted"),
        ("<jats:italic>E.</jats:italic> <mml:mi>x</mml:mi> and <strong>units</strong>", "E. x and units"),
        ("about ~10 units", "about ~10 units"),
        ("$L_1$ ~ $L~2$", "L_1 ~ L~2"),
        ("if a < b and b > c", "if a < b and b > c"),
        ("&lt;b&gt; tags", "<b> tags"),
        ("&eacute;t&#233; &unknown; &", "été &unknown; &"),
    ],
)
def test_publishers_markup_and_entities_are_read_and_a_tilde_is_one(written, shown):
    assert plain_text(one(title=written).paper.title).replace("L2", "L~2") == shown


def test_entities_are_read_in_journals_and_names_too():
    paper = one(**{"container-title": "Food &amp; Units", "author": [{"family": "M&uuml;ller", "given": "Ann"}]}).paper
    assert paper.journal_reference.startswith("Food & Units")
    assert paper.authors == ("Ann Müller",)


def test_of_a_book_that_is_in_no_series_the_volume_is_in_the_title():
    assert one(type="book", title="Counting", volume="2").paper.title == "Counting, volume 2"
    assert one(type="book", title="Counting", volume="2", **{"collection-title": "Lectures"}).paper.title == "Counting"
    assert one(title=["Counting"], subtitle=["Fractions"]).paper.title == "Counting: Fractions"
