import datetime as dt
import re

import bibtexparser
import pytest
from bibtexparser import middlewares
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.formats.bibtex_reader import entries
from lenslab.papers.formats.bibtex_writer import bibliography, bibtex
from lenslab.papers.paper import Paper
from lenslab.papers.text.latex_display import plain_text
from tests.papers.seed import PAPER
from tests.papers.written import assert_same, papers, shown


def fields(entry):
    """Reads an entry as BibTeX does: values end where their braces do."""
    body = entry.split(",\n", 1)[1]
    found = {}
    for name, value in re.findall(r"^  (\w+) += (.*?),?$", body, re.MULTILINE):
        found[name] = value[1:-1] if value.startswith("{") else value
    return found


def depth(text):
    level = 0
    for sign in re.findall(r"\\.|[{}]", text, re.DOTALL):
        level += {"{": 1, "}": -1}.get(sign, 0)
        assert level >= 0
    return level


def test_the_papers_entry_is_what_arxiv_recommends():
    paper = Paper(
        title=PAPER["title"],
        authors=tuple(PAPER["authors"]),
        year=2018,
        arxiv_id=ArxivId("1806.02891"),
        categories=("cs.CV", "cs.AI", "cs.LG"),
        submitted=dt.date(2018, 6, 7),
    )
    assert bibtex(paper).splitlines() == [
        "@misc{zhou2018revisiting,",
        "  title         = {Revisiting the Importance of Individual Units in {CNNs} via Ablation},",
        "  author        = {Zhou, Bolei and Sun, Yiyou and Bau, David and Torralba, Antonio},",
        "  year          = {2018},",
        "  month         = jun,",
        "  eprint        = {1806.02891},",
        "  archivePrefix = {arXiv},",
        "  primaryClass  = {cs.CV},",
        "  url           = {https://arxiv.org/abs/1806.02891}",
        "}",
    ]


def test_a_published_paper_is_an_article_with_its_doi():
    entry = bibtex(Paper(title="Places", journal_reference="TPAMI 40 (2018)", doi="10.1109/TPAMI.2017.2723009"))
    assert entry.startswith("@article{anonymousplaces,")
    assert fields(entry)["doi"] == "10.1109/TPAMI.2017.2723009"
    assert fields(entry)["journal"] == "TPAMI 40 (2018)"


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("Units & classes: 50% of #1_a", r"Units \& classes: 50\% of \#1\_a"),
        (r"On $L_{1}$ norms", r"On $L_{1}$ norms"),
        ("HRank and iPhones", "{HRank} and {iPhones}"),
        (
            "Are there any ‘object detectors’ – yes",
            r"Are there any {\textquoteleft}object detectors{\textquoteright} -- yes",
        ),
        ("Prêt-à-Porter", r"{Pr{\^{e}}t-{\`{a}}-Porter}"),
        (r"naïve \emph{units} {x}", r"na{\"{\i}}ve units x"),
        ("a–– b -– c", "a--{}-- b -{}-- c"),
        ("a^b ~ \\", r"a\textasciicircum{}b \textbackslash{}"),
        ("Straße 北京", r"Stra{\ss}e 北京"),
    ],
)
def test_special_characters_are_written_so_that_latex_shows_them(title, written):
    assert re.sub(r"[ ~]+", " ", fields(bibtex(Paper(title=title)))["title"]) == written


def test_names_are_family_then_given_and_groups_stay_whole():
    authors = ("Ulaş Bağci", "Stan van Wingerden", "Zhou, Bolei", "ATLAS")
    written = fields(bibtex(Paper(title="x", authors=authors)))["author"]
    assert written == r"Ba{\u{g}}ci, Ula{\c{s}} and van Wingerden, Stan and Zhou, Bolei and {ATLAS}"


def test_a_doi_that_could_end_the_entry_is_left_out():
    assert "doi" not in fields(bibtex(Paper(title="x", doi="10.1/a},\nurl={evil")))


@pytest.mark.parametrize("title", ["$a}$", "$}{$", "$a{$ {", "$\\}$"])
def test_a_formula_with_a_stray_brace_does_not_end_the_title(title):
    assert depth(fields(bibtex(Paper(title=title)))["title"]) == 0
    assert depth(bibtex(Paper(title=title))) == 0


texts = st.text(alphabet=st.sampled_from(list("aB{}\\$%&#_^~é– \n\"'@,=")), max_size=40)


@given(texts, st.lists(texts, max_size=3), texts)
def test_whatever_stands_in_a_record_the_entry_stays_one_entry(title, authors, journal):
    entry = bibtex(
        Paper(title=title, authors=tuple(authors), journal_reference=journal, arxiv_id=ArxivId("1806.02891"))
    )
    assert depth(entry) == 0
    assert re.match(r"@(misc|article)\{[a-z0-9]+,\n", entry)
    inside = entry[entry.index("{") + 1 : entry.rindex("}")]
    assert depth(inside) == 0
    assert fields(entry)["eprint"] == "1806.02891"


def test_a_name_with_what_follows_it_keeps_both_and_a_word_that_joins_names_is_none():
    authors = ("E. L. Berger Jr.", "Smith and Sons", "The ATLAS Collaboration", "", "  ")
    written = fields(bibtex(Paper(title="x", authors=authors)))["author"]
    assert written == "Berger, Jr., E. L. and {and} Sons, Smith and {The ATLAS Collaboration}"


def test_a_formula_with_a_brace_too_many_is_written_as_it_is_shown():
    (entry,) = entries(bibtex(Paper(title="Units ${$ and ${a$")))
    assert plain_text(entry.paper.title) == plain_text("Units ${$ and ${a$") == "Units and a"


def test_a_bibliography_has_a_key_for_each_entry():
    smith = Paper(title="On units", authors=("Ann Smith",), year=2018)
    keys = re.findall(r"^@misc\{(.*),$", bibliography([smith, smith, Paper(title="Places")]), re.MULTILINE)
    assert keys == ["smith2018units", "smith2018unitsa", "anonymousplaces"]
    assert bibliography([]) == ""
    assert bibliography([smith]) == bibtex(smith)


@given(st.lists(papers, max_size=3))
def test_what_is_written_is_read_again(written):
    found = list(entries(bibliography(written)))
    assert len(found) == len(written)
    for entry, paper in zip(found, written, strict=True):
        assert_same(entry.paper, paper)
        assert entry.paper.journal_reference == paper.journal_reference


@given(st.lists(papers, max_size=3))
def test_another_reader_finds_the_same(written):
    library = bibtexparser.parse_string(
        bibliography(written), append_middleware=[middlewares.LatexDecodingMiddleware()]
    )
    assert not library.failed_blocks
    assert len(library.entries) == len(written)
    for entry, paper in zip(library.entries, written, strict=True):
        assert entry.fields_dict["year"].value == str(paper.year) if paper.year else "year" not in entry.fields_dict
        assert ("eprint" in entry.fields_dict) == bool(paper.arxiv_id)
        assert ("doi" in entry.fields_dict) == bool(paper.doi)
        names = entry["editor" if paper.publication.edited else "author"] if paper.authors else ""
        assert len(middlewares.names.split_multiple_persons_names(names)) == len(paper.authors)


@pytest.mark.parametrize(
    "text",
    ["Việt Nam ộ ḧ", "“so ‘it’” and ‘“that”’", "½ € × ± « » ‚ „ ≤ α", "naïve – — -- ’’", "北 ☃ stays", "x² 5 µm ª ¿"],
)
def test_every_sign_is_read_again_and_most_are_written_in_letters_that_any_latex_reads(text):
    written = bibtex(Paper(title=text))
    (entry,) = entries(written)
    assert shown(entry.paper.title) == shown(text)
    assert written.isascii() or "stays" in text
