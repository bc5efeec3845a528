import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.errors import FileError, MalformedError
from lenslab.papers.formats.bibtex_reader import entries, parse, read
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.person import Person
from lenslab.papers.sources.record_parsers import PARSERS
from lenslab.papers.text.latex_display import plain_text

ARTICLE = r"""
@article{morcos2018importance,
  title = {On the importance of single directions for {CNN}s and {\'e}tale $L_1$ norms},
  author = {Morcos, Ari S. and David G. T. Barrett and
    {\L}ukasz Ka{\l}u{\.z}a and {The ATLAS Collaboration} and others},
  journal = "Phys. Rev. D",
  volume = 76, number = 2, pages = {13--20},
  year = 2018,
  doi = {https://doi.org/10.1000/ABC\_1},
  abstract = {We ablate
    units.},
}
"""


def one(text):
    (found,) = entries(text)
    return found.paper if isinstance(found, Description) else found


def entry(**fields):
    written = ", ".join(f"{name} = {{{value}}}" for name, value in ({"title": "x"} | fields).items())
    return one(f"@misc{{a, {written}}}")


def test_an_article_is_read():
    (found,) = entries(ARTICLE)
    assert (found.source, found.locator) == ("BibTeX", "morcos2018importance")
    paper = found.paper
    assert paper.title == "On the importance of single directions for CNNs and étale $L_1$ norms"
    assert paper.authors == ("Ari S. Morcos", "David G. T. Barrett", "Łukasz Kałuża", "The ATLAS Collaboration")
    assert paper.journal_reference == "Phys. Rev. D 76(2), 13–20"
    assert (paper.year, paper.doi, paper.abstract) == (2018, "10.1000/ABC_1", "We ablate units.")


def test_the_entry_alone_is_kept_and_read_again():
    text = f'A comment. @preamble{{"x"}} {ARTICLE} @comment{{no}} @misc{{b, title={{Y}}}}'
    first, second = entries(text)
    assert first.raw.decode() == ARTICLE.strip()
    assert second.raw == b"@misc{b, title={Y}}"
    for found in (first, second):
        assert PARSERS[found.source](found.raw) == found


def test_the_macros_that_an_entry_uses_are_kept_with_it():
    text = """
    @string{long = "Long "} @string{unused = "u"}
    @STRING{pami = long # {Name}}
    @article{a, title = "On " # long # "units", journal = PAMI, month = jun}
    @string{pami = "Other"}
    @article{b, title = {c}, journal = pami}
    """
    first, second = entries(text)
    assert (first.paper.title, first.paper.journal_reference) == ("On Long units", "Long Name")
    assert second.paper.journal_reference == "Other"
    assert b"unused" not in first.raw
    assert parse(first.raw) == first
    assert parse(second.raw) == second


def test_macros_that_stand_for_one_another_without_measure_are_refused():
    bomb = '@string{a0 = "0123456789"}' + "".join(
        f"@string{{a{level} = {' # '.join([f'a{level - 1}'] * 10)}}}\n" for level in range(1, 12)
    )
    assert one(bomb + "@misc{a, title = {x}, note = a3}").title == "x"
    found = one(bomb + "@misc{a, title = {x}, note = a5 # a5}")
    assert isinstance(found, Rejection)
    assert "more text" in found.reason
    assert one("@string{a = a # a}@misc{k, title = {x}, journal = a}").journal_reference == "aa"


@pytest.mark.parametrize(
    "fields",
    [
        {"eprint": "1806.02891", "archiveprefix": "arXiv"},
        {"eprint": "arXiv:1806.02891"},
        {"eprint": "1806.02891", "eprinttype": "arxiv", "eprintclass": "cs.CV"},
        {"url": "https://arxiv.org/abs/1806.02891"},
        {"note": "arXiv:1806.02891"},
        {"howpublished": r"\url{https://arxiv.org/pdf/1806.02891.pdf}"},
        {"doi": "10.48550/arXiv.1806.02891"},
        {"journal": "arXiv preprint arXiv:1806.02891"},
        {"journal": "CoRR", "volume": "abs/1806.02891"},
    ],
)
def test_the_identifier_is_found_wherever_people_put_it(fields):
    paper = entry(**fields)
    assert paper.arxiv_id == ArxivId("1806.02891")
    assert (paper.doi, paper.journal_reference) == ("", "")


def test_an_identifier_of_another_archive_is_none():
    assert entry(eprint="1806.02891", archiveprefix="HAL").arxiv_id is None


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Lovelace, Ada and Bolei Zhou", ("Ada Lovelace", "Bolei Zhou")),
        ("Lovelace, Ada AND Zhou, Bolei", ("Ada Lovelace", "Bolei Zhou")),
        ("Berger, Jr., E. L.", ("E. L. Berger Jr.",)),
        ("van der Maaten, Laurens and others", ("Laurens van der Maaten",)),
        ("{Barnes and Noble, Inc.} and {\\'E}. Cartan", (str(Person("Barnes and Noble, Inc.")), "É. Cartan")),
        ('G{\\"o}del, Kurt\n   and\n Ba{\\u{g}}c{\\i}, Ula{\\c{s}}', ("Kurt Gödel", "Ulaş Bağcı")),
        ("{A} and {B}", ("A", "B")),
        ("{van Gogh}, Vincent", ("Vincent van Gogh",)),
        ("Sanderson and  and ", ("Sanderson",)),
        ("", ()),
    ],
)
def test_names_are_read_in_either_order_with_their_letters(written, names):
    assert entry(author=written).authors == names


@pytest.mark.parametrize(
    ("written", "people"),
    [
        ("Garc{\\'\\i}a M{\\'a}rquez, Gabo", [Person("García Márquez", "Gabo")]),
        ("Gabo {Garc{\\'\\i}a M{\\'a}rquez}", [Person("García Márquez", "Gabo")]),
        ("Van Sample, Pascal", [Person("Van Sample", "Pascal")]),
        ("de la Fontaine, Jean", [Person("de la Fontaine", "Jean")]),
        ("Jean de la Fontaine", [Person("de la Fontaine", "Jean")]),
        ("Donald~E.~Knuth", [Person("Knuth", "Donald E.")]),
        ("Smith, MD, Ann", [Person("Smith", "Ann", "MD")]),
        ("Martin Luther King, Jr.", [Person("King", "Martin Luther", "Jr.")]),
        ("Ford, Henry, II", [Person("Ford", "Henry", "II")]),
        ("Smith, John, PhD", [Person("Smith", "John", "PhD")]),
        ("Ann Sample et al.", [Person("Sample", "Ann")]),
        ("family={Berg, X}, given=Y", [Person("Berg, X", "Y")]),
        ("{King}, Jr., {}", [Person("King", "", "Jr.")]),
        ("{World Health Sample} and Ann Sample", [Person("World Health Sample"), Person("Sample", "Ann")]),
        ("family=Musterhoven, given=Jan, prefix=van den, useprefix=true", [Person("van den Musterhoven", "Jan")]),
        (
            "given={Jean Pierre}, family=Exemple and Ann Sample",
            [Person("Exemple", "Jean Pierre"), Person("Sample", "Ann")],
        ),
        ('given = "Ann", given-i=A, family=Sample, suffix=Jr.', [Person("Sample", "Ann", "Jr.")]),
        (
            "Ann Sample, Bob B. Example, Cid Muster",
            [Person("Sample", "Ann"), Person("Example", "Bob B."), Person("Muster", "Cid")],
        ),
    ],
)
def test_the_parts_of_a_name_are_those_that_the_file_states(written, people):
    assert [Person.parse(name) for name in entry(author=written).authors] == people


@pytest.mark.parametrize(
    ("fields", "year"), [({"year": "2018"}, 2018), ({"date": "2018-06-07"}, 2018), ({"year": "to appear"}, None)]
)
def test_the_year_stands_in_either_field(fields, year):
    assert entry(**fields).year == year


def test_the_primary_class_is_the_category_and_a_field_counts_once_under_any_case():
    assert entry(primaryClass="cs.CV").categories == ("cs.CV",)
    assert one("@misc{a, TITLE = {First}, title = {Second}, title = {Third}}").title == "First"
    assert one("@inproceedings(a, title = {x}, booktitle = {Proc.})").journal_reference == "Proc."


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        ("@misc{a, author = {x}}", 1, "no title"),
        ("@misc{a, title = {x}} @misc{a, title = {y}}", 2, "the name 'a' is that of entry 1, too"),
        ("@misc{a, title = {x}}\n@misc{b, title = {y}, note = {never closed\n", 2, "begins in line 2"),
        ("@misc{a, title = {x}}\n@misc{b, title {y}}\n@misc{c, title={z}}", 2, "no = follows the name of a field (the"),
        (
            "@misc{a, title = {x}}\n@misc{b, title = {y\n@misc{c, title={z}}",
            2,
            "still open where the next entry begins",
        ),
        ("@misc{a, title = {x}}\n@misc{b title = {y}}\n@misc{c, title={z}}", 2, "no comma follows the key"),
        ("@misc{a" + "k" * 599 + ", title = {x}}", 1, "600 characters"),
        ("@misc{a, title = {x}, note = {\0}}", 1, "character zero"),
    ],
)
def test_an_entry_that_cannot_be_read_is_rejected_and_the_others_stand(text, number, reason):
    found = list(entries(text))
    (rejected,) = (entry for entry in found if isinstance(entry, Rejection))
    assert rejected.number == number
    assert rejected.locator[:1] in ("a", "b")
    assert reason in rejected.reason
    assert len(rejected.reason) < 300
    assert len(found) == text.count("@misc")


def test_a_broken_entry_says_nothing_to_the_terminal(caplog):
    with caplog.at_level(logging.DEBUG):
        list(entries("@misc{b, title = {y"))
    assert not caplog.records
    assert logging.getLogger("bibtexparser").level == logging.NOTSET


def test_a_file_in_windows_1252_is_read(tmp_path):
    path = tmp_path / "old.bib"
    path.write_bytes("@misc{a,\r\n title = {Gödel’s units}}".encode("cp1252"))
    (found,) = read(path)
    assert found.paper.title == "Gödel’s units"
    assert parse(found.raw) == found


def test_a_file_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(FileError):
        read(tmp_path / "none.bib")


@pytest.mark.parametrize("raw", [b"", b"text", b"@misc{a, title={x}} @misc{b, title={x}}", b"@misc{a}", b"\xff"])
def test_what_is_not_one_entry_is_not_read_again(raw):
    with pytest.raises(MalformedError):
        parse(raw)


@given(st.text(alphabet=st.sampled_from(list("@misc{}(),=\"#\\ \nab1%$'")), max_size=80))
def test_whatever_is_written_each_entry_is_read_or_rejected_and_read_again_alike(text):
    for found in entries("@string{a = {b}}" + text + "\n@misc{last, title = {x}}"):
        if isinstance(found, Description):
            assert parse(found.raw) == found
        else:
            assert found.reason


@pytest.mark.parametrize(
    "text",
    ["@" * 50_000, "@a{" * 20_000, "{" * 100_000, "@misc{a, title = {" + "{" * 50_000 + "x" + "}" * 50_001 + "}"],
)
def test_a_text_made_to_take_long_does_not(text):
    started = time.process_time()
    for found in entries(text):
        assert parse(found.raw) == found if isinstance(found, Description) else found.reason
    assert time.process_time() - started < 20, "seconds on any machine, and minutes where time grows with the square"


PROCEEDINGS = "@proceedings{proc, title = {Proceedings on Units}, year = 1985, editor = {A. Muster}, doi = {10.1/p}}"


@pytest.mark.parametrize("order", [1, -1])
def test_what_a_paper_lacks_is_taken_from_its_proceedings_wherever_they_stand(order):
    child = "@inproceedings{child, title = {Counting}, author = {Ann Sample}, pages = {1--9}, crossref = {Proc}}"
    found = {entry.locator: entry for entry in entries("\n".join([child, PROCEEDINGS][::order]))}
    paper = found["child"].paper
    assert (paper.title, paper.year, paper.journal_reference) == ("Counting", 1985, "Proceedings on Units, 1–9")
    assert paper.doi == ""  # that of the proceedings is not the paper's
    assert found["proc"].paper.title == "Proceedings on Units"
    for entry in found.values():
        assert parse(entry.raw) == entry


def test_what_a_paper_states_itself_stays_and_the_books_title_is_where_the_paper_appeared():
    book = "@book{b, title = {Units}, subtitle = {A Handbook}, year = 1999, publisher = {Sample Press}}"
    child = "@incollection{c, title = {Counting}, subtitle = {Slowly}, year = 2000, crossref = {b}}"
    _, entry = entries(f"{book}\n{child}")
    assert entry.paper.title == "Counting: Slowly"
    assert (entry.paper.year, entry.paper.journal_reference) == (2000, "Units: A Handbook")


def test_data_for_several_entries_is_taken_and_is_no_work():
    text = """
        @xdata{names, author = {Ann Sample}, xdata = {where}}
        @xdata{where, journal = {Unit News}, year = 2001}
        @article{a, title = {One}, xdata = {names}}
        @article{b, title = {Two}, volume = 3, xdata = {where, names}}
    """
    found = list(entries(text))
    assert [entry.locator for entry in found] == ["a", "b"]
    assert [entry.paper.authors for entry in found] == [("Ann Sample",)] * 2
    assert [entry.paper.journal_reference for entry in found] == ["Unit News", "Unit News 3"]
    assert [parse(entry.raw) for entry in found] == found


def test_entries_that_name_each_other_or_nobody_are_read_as_they_are():
    cycle = "@misc{a, title = {A}, crossref = {b}} @misc{b, year = 2001, crossref = {a}}"
    text = f"{cycle} @misc{{c, title = {{C}}, crossref = {{x}}}}"
    first, second, third = entries(text)
    assert (first.paper.title, first.paper.year) == ("A", 2001)
    assert (second.paper.title, second.paper.year) == ("A", 2001)
    assert (third.paper.title, third.paper.year) == ("C", None)
    assert parse(first.raw) == first


def test_a_long_chain_of_entries_ends():
    chain = [f"@misc{{k{number}, crossref = {{k{number + 1}}}}}" for number in range(300)]
    last = "@misc{k300, title = {Deep}, year = 2001}"
    assert len([entry for entry in entries("\n".join([*chain, last])) if not isinstance(entry, Rejection)]) > 10


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ("title = {Networks}, subtitle = {An Introduction}", "Networks: An Introduction"),
        ("title = {Why Units?}, subtitle = {A Study}", "Why Units? A Study"),
        ("title = {Networks}, titleaddon = {With Exercises}", "Networks. With Exercises"),
        ("title = {Counting}, volume = 2", "Counting, volume 2"),
        ("title = {Counting}, volume = 2, part = 1, subtitle = {Integers}", "Counting: Integers, volume 2, part 1"),
        ("title = {Counting}, volume = 2, series = {Lectures}", "Counting"),
        ("title = {Integers}, maintitle = {Counting}, volume = 2", "Counting, volume 2: Integers"),
    ],
)
def test_the_title_of_a_book_holds_what_tells_it_apart(fields, title):
    (entry,) = entries(f"@book{{b, {fields}}}")
    assert entry.paper.title == title


@pytest.mark.parametrize(
    ("fields", "identifier"),
    [
        ("journal = {arXiv preprint quant-ph/0112999}", "quant-ph/0112999"),
        ("journal = {arXiv e-prints arXiv:1806.02891}", "1806.02891"),
        ("eprint = 9711999, archivePrefix = {arXiv}, primaryClass = {hep-th}", "hep-th/9711999"),
        ("eprint = {0309999v2}, eprinttype = {arxiv}, eprintclass = {math.GT}", "math/0309999v2"),
        ("note = {arXiv:math.GT/0309999}", "math/0309999"),
        ("eprint = 9711999, archivePrefix = {arXiv}", "None"),
        ("eprint = 9711999, archivePrefix = {other}, primaryClass = {hep-th}", "None"),
    ],
)
def test_arxiv_identifiers_are_read_as_old_and_new_files_write_them(fields, identifier):
    (entry,) = entries(f"@article{{a, title = {{Units}}, {fields}}}")
    assert str(entry.paper.arxiv_id) == identifier


def test_text_symbols_of_latex_are_the_signs_that_they_stand_for():
    written = r"Units{\textquotesingle} growth at 5 {\texttimes} 5 {\textpm} 1 for 3{\texteuro}: {\textonehalf} of it"
    (entry,) = entries(f"@misc{{a, title = {{{written}}}}}")
    assert plain_text(entry.paper.title) == "Units' growth at 5 × 5 ± 1 for 3€: ½ of it"


@pytest.mark.parametrize(
    "fields",
    ["title = {x}, author = {A B} journal = {J}, year = 2001", "title = {x} year = 2001", 'title = "x" year = 2001'],
)
def test_a_comma_that_is_missing_is_said_and_no_field_is_swallowed(fields):
    (entry,) = entries(f"@article{{a, {fields}}}")
    assert isinstance(entry, Rejection)
    assert "is a comma missing behind it?" in entry.reason


def test_titles_go_to_journals_and_main_titles_by_what_stands_above():
    text = """@article{a, title = {Units}, crossref = {j}} @periodical{j, title = {Unit News}, year = 2001}
        @book{b, title = {Integers}, volume = 2, crossref = {m}} @mvbook{m, title = {Counting}, year = 1998}"""
    found = {entry.locator: entry.paper for entry in entries(text)}
    assert found["a"].journal_reference == "Unit News"
    assert found["b"].title == "Counting, volume 2: Integers"
