import datetime as dt
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.errors import MalformedError
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.paper import Version
from lenslab.papers.sources import arxiv_snapshot
from lenslab.papers.sources.arxiv_snapshot import parse, read
from lenslab.papers.sources.record_parsers import PARSERS

RECORD = {
    "id": "0704.0001",
    "submitter": "Pavel Nadolsky",
    "authors": "C. Bal\\'azs, E. L. Berger, P. M. Nadolsky, C.-P. Yuan",
    "title": "Calculation of prompt diphoton production cross sections at Tevatron and\n  LHC energies with $p_T$",
    "comments": "37 pages, 15\n  figures",
    "journal-ref": "Phys.Rev.D76:013009,2007",
    "doi": "10.1103/PhysRevD.76.013009 10.1103/PhysRevD.77.000001",
    "report-no": "ANL-HEP-PR-07-12",
    "categories": "hep-ph hep-ex",
    "license": "http://creativecommons.org/licenses/by/4.0/",
    "abstract": "  A fully differential calculation\nin \\emph{QCD}.\n",
    "versions": [
        {"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"},
        {"version": "v2", "created": "Tue, 24 Jul 2007 20:10:27 GMT"},
    ],
    "update_date": "2008-11-26",
    "authors_parsed": [
        ["Balázs", "C.", ""],
        ["Berger", "E. L.", "Jr.", "ANL"],
        ["Yuan", "C. -P.", ""],
        ["CTEQ", "", ""],
    ],
}


def line(**changes):
    record = RECORD | {name.replace("_", "-") if name in ("journal_ref",) else name: changes[name] for name in changes}
    return json.dumps(record).encode()


def paper(**changes):
    return parse(line(**changes)).paper


def without(*keys):
    return parse(json.dumps({key: value for key, value in RECORD.items() if key not in keys}).encode()).paper


def test_a_whole_record_is_read():
    found = parse(line())
    assert (found.source, found.locator) == ("arXiv snapshot", "0704.0001")
    read_paper = found.paper
    assert read_paper.title == (
        "Calculation of prompt diphoton production cross sections at Tevatron and LHC energies with $p_T$"
    )
    assert read_paper.authors == ("C. Balázs", "E. L. Berger Jr.", "C.-P. Yuan", "CTEQ")
    assert read_paper.abstract == r"A fully differential calculation in \emph{QCD}."
    assert read_paper.author_comments == "37 pages, 15 figures"
    assert read_paper.categories == ("hep-ph", "hep-ex")
    assert read_paper.doi == "10.1103/PhysRevD.76.013009"
    assert read_paper.journal_reference == "Phys.Rev.D76:013009,2007"
    assert read_paper.report_number == "ANL-HEP-PR-07-12"
    assert (read_paper.year, read_paper.submitted, read_paper.updated) == (
        2007,
        dt.date(2007, 4, 2),
        dt.date(2007, 7, 24),
    )
    assert read_paper.arxiv_id == ArxivId("0704.0001")


def test_the_licence_is_that_of_the_newest_version_and_of_no_other():
    found = paper()
    assert found.license_uri == RECORD["license"]
    assert found.versions == (
        Version(1, dt.date(2007, 4, 2)),
        Version(2, dt.date(2007, 7, 24), license_uri=RECORD["license"]),
    )


def test_versions_are_in_their_order_however_they_are_listed():
    listed = [{"version": f"v{number}", "created": None} for number in (10, 2, 1)]
    found = paper(versions=listed)
    assert [version.number for version in found.versions] == [1, 2, 10]
    assert [bool(version.license_uri) for version in found.versions] == [False, False, True]


def test_what_a_harvest_adds_to_versions_and_classes_is_kept():
    versions = [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT", "size": "14kb", "source_type": "I"}]
    found = parse(json.dumps({**RECORD, "versions": versions, "msc-class": "15A66", "acm-class": "I.2"}).encode()).paper
    assert found.versions[0].withdrawn
    assert (found.versions[0].size, found.msc_class, found.acm_class) == ("14kb", "15A66", "I.2")


@pytest.mark.parametrize("date", ["2008-11-26", "11/26/2008", "2008-11-26T00:00:00Z"])
def test_without_dates_of_versions_the_day_of_the_last_change_stands(date):
    found = paper(versions=[{"version": "v1", "created": None}], update_date=date)
    assert (found.submitted, found.updated, found.year) == (None, dt.date(2008, 11, 26), 2007)


def test_the_year_of_the_first_version_is_not_that_of_the_identifier_in_every_case():
    # Submitted on the last day of March 2007, announced in April; the same happens at the turn of a year.
    assert paper(id="1801.00001", versions=[{"version": "v1", "created": "Sun, 31 Dec 2017 23:00:00 GMT"}]).year == 2017
    assert paper(id="1801.00001", versions=[{"version": "v2", "created": "Mon, 1 Jan 2019 00:00:00 GMT"}]).year == 2018


def test_only_the_identifier_and_the_title_are_needed():
    found = parse(b'{"id": "hep-th/9901001", "title": "Units"}').paper
    assert (found.title, found.year, found.authors, found.versions) == ("Units", 1999, (), ())
    assert paper(**dict.fromkeys(set(RECORD) - {"id", "title"})).title == paper().title


def test_an_identifier_with_a_subject_class_or_a_version_is_that_of_the_paper():
    assert parse(b'{"id": "math.CA/0611800v2", "title": "x"}').locator == "math/0611800"


@pytest.mark.parametrize(
    ("written", "doi"),
    [
        ("https://doi.org/10.1000/ABC", "10.1000/ABC"),
        ("doi:10.1000/a, 10.1000/b", "10.1000/a"),
        ("to appear", ""),
        ("10.1000/a\n 10.1000/b", "10.1000/a"),
    ],
)
def test_the_first_doi_is_taken_and_what_is_none_is_left(written, doi):
    assert paper(doi=written).doi == doi


def test_title_0_is_a_title():
    assert paper(title="0").title == "0"


@pytest.mark.parametrize("parsed", [None, []])
def test_authors_come_from_the_string_where_nobody_took_them_apart(parsed):
    assert paper(authors_parsed=parsed).authors == ("C. Balázs", "E. L. Berger", "P. M. Nadolsky", "C.-P. Yuan")
    assert without("authors_parsed", "authors").authors == ()


def test_tex_that_is_left_in_a_name_becomes_letters():
    parsed = [
        ["Ògúnrèmí", "Tolúl\\d{o}pé", ""],
        ["Heath,", "Robert W.", "Jr."],
        ["", "", ""],
        [":", "", ""],
        ["b ", " a"],
    ]
    assert paper(authors_parsed=parsed).authors == ("Tolúlọpé Ògúnrèmí", "Robert W. Heath Jr.", "a b")


parts = st.text(alphabet=st.sampled_from(list("aé.- :,\\{}$'\t\n\xa0")), max_size=8)


@given(st.lists(st.lists(parts, min_size=2, max_size=4), min_size=1, max_size=4))
def test_the_short_cut_for_tidy_names_gives_what_the_long_way_gives(parsed):
    long_way = (
        arxiv_snapshot._tidy_author(" ".join(filter(None, (given, family, *rest[:1]))))
        for family, given, *rest in parsed
    )
    assert paper(authors_parsed=parsed).authors == tuple(name for name in long_way if name not in ("", ":"))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_white_space_is_one_space_in_every_text(text):
    found = paper(abstract=text, comments=text)
    assert found.abstract == found.author_comments == " ".join(text.split())


keys = st.sampled_from([*RECORD, "other"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["version", "created"]), inner),
    max_leaves=6,
)


@given(st.dictionaries(keys, values))
def test_whatever_stands_in_a_field_the_record_is_read_or_refused_and_read_again_alike(changes):
    raw = json.dumps(RECORD | changes).encode()
    try:
        found = parse(raw)
    except MalformedError:
        return
    assert found.raw == raw
    assert PARSERS[found.source](found.raw) == found
    json.dumps([found.paper.title, found.paper.abstract, found.paper.authors], ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"id,title", "not JSON: Expecting value at character 1"),
        (b'{"id": "0704.0001", "title": "x"', "not JSON"),
        (b"[]", "not a JSON object but a list"),
        (b"3", "not a JSON object but a number"),
        (b"{}", "no id"),
        (b'{"id": 704.0001, "title": "x"}', "id is a number"),
        (b'{"id": "0713.0001", "title": "x"}', "month 13"),
        (b'{"id": "0704.0001"}', "no title"),
        (b'{"id": "0704.0001", "title": " \\n "}', "no title"),
        (b'{"id": "0704.0001", "title": false}', "title is true or false, not text"),
        (b'{"id": "0704.0001", "title": ["x"]}', "title is a list"),
        (b'{"id": "0704.0001", "title": "x", "x": NaN}', "NaN"),
        (b'{"id": "0704.0001", "title": "x", "x": -Infinity}', "-Infinity"),
        (b'{"id": "0704.0001", "title": "x", "x": ' + b"1" * 5_000 + b"}", "not JSON"),
        (b'{"id": "0704.0001", "title": "a\\u0000b"}', "character zero"),
        (b'{"id": "0704.0001", "title": "a\0b"}', "not JSON"),
        (b'{"id": "0704.0001", "title": "a\\ud800b"}', "half of a character"),
        (b'{"id": "0704.0001", "title": "a\\uDC00b"}', "half of a character"),
        (b'{"id": "0704.0001", "title": "a", "versions": [{"\\ud800": 1}]}', "half of a character"),
        (b'{"id": "0704.0001", "title": "a\xed\xa0\x80b"}', "not UTF-8"),
        (b'{"id": "0704.0001", "title": "caf\xe9"}', "not UTF-8: byte 34 is 0xe9"),
        (b"[" * 10_000, "nested too deeply"),
        (b'{"id": "0704.0001", "title": "x", "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nested too deeply"),
        (line(versions={"v1": None}), "versions is an object"),
        (line(versions=["v1"]), "versions holds text"),
        (line(versions=[{"version": "one"}]), "a version is called 'one'"),
        (line(versions=[{}]), "a version is called ''"),
        (line(versions=[{"version": "v0"}]), "a version is called 'v0'"),
        (line(versions=[{"version": "v1"}, {"version": "v1"}]), "version 1 is listed twice"),
        (line(versions=[{"version": "v1", "created": "Mon, 31 Feb 2007 19:18:42 GMT"}]), "is no date"),
        (line(versions=[{"version": "v1", "created": "Mon, 3 Foo 2007 19:18:42 GMT"}]), "is no date"),
        (line(update_date="26/11/2008"), "update_date '26/11/2008' is no date"),
        (line(authors_parsed="x y"), "authors_parsed"),
        (line(authors_parsed=[["x"]]), "authors_parsed"),
        (line(authors_parsed=[[1, 2, 3]]), "authors_parsed"),
        (line(authors_parsed=[["x", "y", ["z"]]]), "authors_parsed"),
        (line(doi=10.1), "doi is a number"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason(raw, reason):
    with pytest.raises(MalformedError) as caught:
        parse(raw)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_pair_of_surrogates_is_a_character_and_a_key_may_stand_twice():
    assert parse(b'{"id": "0704.0001", "title": "old", "title": "\\ud835\\udd38 \\\\u0000"}').paper.title == "𝔸 \\u0000"


def test_a_file_gives_each_line_its_description_or_its_rejection(tmp_path):
    path = tmp_path / "snapshot.json.gz"
    path.write_bytes(
        gzip.compress(line() + b"\n\nrubbish\n" + b" " * (17 << 20) + b"\n" + line(id="1806.02891") + b"\n")
    )
    found = list(read(path))
    assert [(number, offset, type(entry)) for number, offset, entry in found] == [
        (1, None, Description),
        (3, None, Rejection),
        (4, None, Rejection),
        (5, None, Description),
    ]
    assert found[1][2] == Rejection(3, "not JSON: Expecting value at character 1")
    assert found[2][2].number == 4
    assert "17,825,792 bytes" in found[2][2].reason
    assert found[3][2].locator == "1806.02891"


def test_lines_read_before_the_file_breaks_off_stand(tmp_path):
    path = tmp_path / "snapshot"
    path.write_bytes(gzip.compress(line() + b"\n" + line())[:-9])
    reading = read(path)
    assert next(reading)[2].locator == "0704.0001"
    with pytest.raises(MalformedError, match=r"cut short.*line 2"):
        next(reading)
