"""What a bibliography states of a publication stands in every format in the fields that others read."""

import json

import pytest

from lenslab.papers.formats import bibtex_reader, csl_reader, ris_reader
from lenslab.papers.formats.bibtex_writer import bibtex
from lenslab.papers.formats.csl_writer import csl
from lenslab.papers.formats.endnote_writer import endnote
from lenslab.papers.formats.ris_writer import ris

ARTICLE = """@article{a, title = {Places}, author = {Zhou, Bolei}, journal = {TPAMI}, volume = 40, number = 6,
  pages = {1452--1464}, year = 2018, publisher = {IEEE}}"""
CHAPTER = """@incollection{c, title = {Units}, author = {Bau, David}, editor = {Jones, Ann and Roe, Max},
  booktitle = {Nets}, publisher = {Sample Press}, edition = {Second}, series = {Lecture Notes}, volume = 7,
  pages = {S1-3--S1-9}, year = 2019}"""
BOOK = """@book{b, title = {Nets}, editor = {Jones, Ann}, publisher = {Sample Press},
  isbn = {0-306-40615-2}, year = 2001}"""
THESIS = """@mastersthesis{t, title = {On Units}, author = {Smith, Ann}, school = {Sample University}, year = 2010}"""
REPORT = """@techreport{r, title = {Counting}, author = {Smith, Ann}, institution = {Sample Institute}, number = {TR-7},
  year = 2011}"""


def paper(written):
    (entry,) = bibtex_reader.entries(written)
    return entry.paper


@pytest.mark.parametrize(
    ("written", "kind", "fields"),
    [
        (ARTICLE, "article", {"journal": "TPAMI", "volume": "40", "number": "6", "pages": "1452--1464"}),
        (CHAPTER, "incollection", {"booktitle": "Nets", "editor": "Jones, Ann and Roe, Max", "pages": "S1-3--S1-9"}),
        (BOOK, "book", {"editor": "Jones, Ann", "isbn": "0-306-40615-2", "author": None, "publisher": "Sample Press"}),
        (THESIS, "mastersthesis", {"school": "Sample University", "publisher": None, "type": None}),
        (REPORT, "techreport", {"institution": "Sample Institute", "number": "TR-7"}),
    ],
)
def test_an_entry_keeps_its_type_and_fields(written, kind, fields):
    entry = bibtex(paper(written))
    assert entry.startswith(f"@{kind}{{")
    found = dict(line.strip().rstrip(",").split(" = ") for line in entry.splitlines()[1:-1])
    found = {name.strip(): value[1:-1] for name, value in found.items()}
    assert {name: found.get(name) for name in fields} == fields


@pytest.mark.parametrize(
    ("written", "kind", "lines"),
    [
        (ARTICLE, "JOUR", ["JO  - TPAMI", "VL  - 40", "IS  - 6", "SP  - 1452", "EP  - 1464", "PB  - IEEE"]),
        (CHAPTER, "CHAP", ["T2  - Nets", "A2  - Jones, Ann", "A2  - Roe, Max", "T3  - Lecture Notes", "ET  - Second"]),
        (BOOK, "EDBOOK", ["AU  - Jones, Ann", "SN  - 0-306-40615-2"]),
        (THESIS, "THES", ["PB  - Sample University", "M3  - Master's thesis"]),
        (REPORT, "RPRT", ["IS  - TR-7", "PB  - Sample Institute"]),
    ],
)
def test_ris_has_the_type_and_the_tags_of_reference_managers(written, kind, lines):
    found = ris([paper(written)]).split("\r\n")
    assert found[0] == f"TY  - {kind}"
    assert [line for line in lines if line not in found] == []


def test_csl_has_a_line_to_print_and_beside_it_the_parts():
    (item,) = json.loads(csl([paper(CHAPTER)]))
    assert (item["type"], item["container-title"]) == ("chapter", "Nets 7, S1-3–S1-9")
    assert item["custom"] == {"container-title": "Nets", "volume": "7", "page": "S1-3–S1-9"}
    assert (item["publisher"], item["edition"], item["collection-title"]) == ("Sample Press", "Second", "Lecture Notes")
    assert item["editor"] == [{"family": "Jones", "given": "Ann"}, {"family": "Roe", "given": "Max"}]
    (item,) = json.loads(csl([paper(BOOK)]))
    assert ("author" in item, item["editor"]) == (False, [{"family": "Jones", "given": "Ann"}])


def test_what_others_write_in_csl_is_read_part_by_part():
    item = {"type": "article-journal", "title": "Places", "container-title": "TPAMI", "volume": 40, "issue": "6"}
    (entry,) = csl_reader.entries(json.dumps([item | {"page": "1452-1464"}]))
    assert entry.paper.journal_reference == "TPAMI 40(6), 1452–1464"
    assert entry.paper.publication.page_range == ("1452", "1464")


def test_endnote_says_who_edited_a_book():
    assert endnote([paper(BOOK)]).startswith("%0 Edited Book\n")
    lines = endnote([paper(CHAPTER)]).splitlines()
    assert [line for line in lines if line[:2] in ("%0", "%B", "%V") or line == "%E Jones, Ann"] == [
        "%0 Book Section",
        "%E Jones, Ann",
        "%B Nets",
        "%V 7",
    ]


def test_editors_of_older_files_of_ris_are_read_too():
    (entry,) = ris_reader.entries("TY  - BOOK\nTI  - Nets\nED  - Jones, Ann\nT2  - Lecture Notes\nER  - \n")
    assert entry.paper.authors == ("Ann Jones",)
    assert entry.paper.publication.edited
    assert (entry.paper.publication.series, entry.paper.publication.container) == ("Lecture Notes", "")


@pytest.mark.parametrize(
    ("title", "retracted"),
    [
        ("RETRACTED ARTICLE: Units of nets", True),
        ("[Retracted] Units of nets", True),
        ("Units of nets (Retracted article. See vol. 12, pg. 9)", True),
        ("Retraction notice to: Units of nets", False),
        ("Retracted papers: a survey of units", False),
        ("Why studies are taken back (retracted articles)", False),
        ("Why papers are retracted: a survey", False),
    ],
)
def test_publishers_mark_a_retraction_in_the_title(title, retracted):
    assert paper(f"@article{{a, title = {{{title}}}}}").retracted == retracted


@pytest.mark.parametrize("write", [bibtex, lambda one: csl([one]), lambda one: ris([one]), lambda one: endnote([one])])
def test_a_retraction_goes_out_in_every_format(write):
    retracted = paper("@article{a, title = {Units}, note = {Retracted}}")
    assert retracted.retracted
    assert "retracted" in write(retracted).lower()


@pytest.mark.parametrize(
    ("note", "own"),
    [
        ("arXiv preprint arXiv:1806.02891v1 [cs.CV]", True),
        ("Also available as arXiv:1806.02891.", True),
        ("Comment on arXiv:1806.02891", False),
        ("read together with https://arxiv.org/abs/1806.02891, which says the opposite", False),
    ],
)
def test_an_identifier_in_a_note_is_the_entrys_own_where_the_note_says_nothing_else(note, own):
    found = [
        paper(f"@article{{a, title = {{A critique}}, note = {{{note}}}}}"),
        next(ris_reader.entries(f"TY  - JOUR\nTI  - A critique\nN1  - {note}\nER  - \n")).paper,
        next(csl_reader.entries(json.dumps([{"title": "A critique", "note": note}]))).paper,
    ]
    assert [each.arxiv_id is not None for each in found] == [own] * 3
    assert paper(f"@article{{a, title = {{A critique}}, annote = {{{note}}}}}").arxiv_id is None


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ("title={Counting}, maintitle={The Art}, volume={2}", "The Art, volume 2: Counting"),
        ("title={The Art}, volume={3}, part={1}", "The Art, volume 3, part 1"),
        ("title={The Art, Volume 2}, volume={2}", "The Art, Volume 2"),
        ("title={The Art, vol. 2}, volume={Vol. 2}", "The Art, vol. 2"),
        ("title={The Art}, volume={Vol. 2}", "The Art, volume 2"),
        ("title={Volume 12 of the Art}, volume={1}", "Volume 12 of the Art, volume 1"),
    ],
)
def test_a_volume_is_told_once_however_often_a_book_is_exported(fields, title):
    book = paper(f"@book{{a, {fields}}}")
    assert book.title == title
    for _ in range(2):
        (entry,) = bibtex_reader.entries(bibtex(book))
        book = entry.paper
        assert book.title == title


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Smith, Ann and et al.", ("Ann Smith",)),
        ("Smith, Ann; Jones, Bob", ("Ann Smith", "Bob Jones")),
        ("Smith, A., Jones, B. C. and Kim, C.", ("A. Smith", "B. C. Jones", "C. Kim")),
        ("A. Smith, B. Jones", ("A. Smith", "B. Jones")),
        ("Smith, A. B.", ("A. B. Smith",)),
        ("de la Cruz, Jr., A. B.", ("A. B. de la Cruz Jr.",)),
    ],
)
def test_names_in_one_line_are_several_people(written, names):
    assert paper(f"@article{{a, title = {{T}}, author = {{{written}}}}}").authors == names


def test_names_in_one_line_of_ris_are_several_people():
    (entry,) = ris_reader.entries("TY  - JOUR\nTI  - T\nAU  - Smith, A.; Jones, Bob\nAU  - Kim, C.\nER  - \n")
    assert entry.paper.authors == ("A. Smith", "Bob Jones", "C. Kim")


def test_publishers_html_is_read_in_bibtex_too_and_an_ampersand_of_tex_is_none():
    found = paper(r"@article{a, title = {Barrels &amp; kegs \&amp; caf&eacute;}, author = {O&#39;Neil, Ann}}")
    assert found.title == "Barrels & kegs &amp; café"
    assert found.authors == ("Ann O'Neil",)


RECORD = "TY  - {}\nTI  - Units\nA3  - Editor, Erika\n{}\nER  - \n"


@pytest.mark.parametrize(
    ("kind", "tags", "container", "isbn"),
    [
        ("CONF", "BT  - Computer Vision", "Computer Vision", ""),
        ("JOUR", "T2  - Nature Machine Intelligence\nJ2  - Nat Mach Intell", "Nature Machine Intelligence", ""),
        ("JOUR", "JF  - Nature\nJO  - Nat.\nSN  - 2522-5839", "Nature", ""),
        ("JOUR", "JO  - Nat.", "Nat.", ""),
        ("CHAP", "T2  - Nets\nSN  - 978-0-306-40615-7", "Nets", "978-0-306-40615-7"),
    ],
)
def test_ris_of_publishers_names_the_journal_in_full_and_a_number_of_a_journal_is_no_books(kind, tags, container, isbn):
    (entry,) = ris_reader.entries(RECORD.format(kind, tags))
    assert (entry.paper.publication.container, entry.paper.publication.isbn) == (container, isbn)


def test_the_editor_of_a_book_in_ris_may_stand_third():
    (entry,) = ris_reader.entries(RECORD.format("BOOK", "PB  - Sample Press"))
    assert (entry.paper.authors, entry.paper.publication.edited) == (("Erika Editor",), True)


def test_what_others_keep_in_custom_changes_no_field():
    item = {"title": "Real", "DOI": "10.1000/real", "container-title": "News", "volume": "1"}
    item["custom"] = {"title": "Short", "DOI": "10.1000/other", "container-title": "Old News", "volume": "9"}
    (entry,) = csl_reader.entries(json.dumps([item]))
    assert (entry.paper.title, entry.paper.doi, entry.paper.journal_reference) == ("Real", "10.1000/real", "News 1")


@pytest.mark.parametrize(
    ("note", "retracted"),
    [
        ("Retracted", True),
        ("Retracted in 2012", True),
        ("Retracted: see 10.1000/x", True),
        ("This article has been retracted", True),
        ("A survey of retracted papers", False),
        ("retractedness", False),
    ],
)
def test_a_note_says_that_a_work_was_retracted(note, retracted):
    assert paper(f"@article{{a, title = {{Units}}, note = {{{note}}}}}").retracted == retracted


def test_a_proceedings_volume_is_in_no_book():
    found = paper("@proceedings{a, title = {Vision 2019}, booktitle = {Vision 2019}, editor = {Jones, Ann}}")
    assert (found.publication.container, found.journal_reference) == ("", "")
