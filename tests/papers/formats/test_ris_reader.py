import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenslab.papers.arxiv_id import ArxivId
from lenslab.papers.description import Description
from lenslab.papers.errors import MalformedError
from lenslab.papers.formats.rejection import Rejection
from lenslab.papers.formats.ris_reader import entries, parse, read
from lenslab.papers.sources.record_parsers import PARSERS
from lenslab.papers.text.latex_display import plain_text

RECORD = """TY  - JOUR
ID  - morcos2018
T1  - On the importance of
single directions
A1  - Morcos, Ari S.
A1  - Berger, E. L., Jr.
JF  - Phys. Rev. D
VL  - 76
IS  - 2
SP  - 13
EP  - 20
Y1  - 2018/06/07/
DO  - 10.1000/ABC
N2  - We ablate units.
XX  - what no list of tags has
ER  -\x20
"""


def record(*lines):
    return "\n".join(("TY  - JOUR", *lines, "ER  - ", ""))


def one(*lines):
    (found,) = entries(record(*lines))
    return found


def test_a_record_is_read():
    (found,) = entries(RECORD)
    paper = found.paper
    assert (found.source, found.locator, paper.title) == ("RIS", "morcos2018", "On the importance of single directions")
    assert paper.authors == ("Ari S. Morcos", "E. L. Berger Jr.")
    assert paper.journal_reference == "Phys. Rev. D 76(2), 13–20"
    assert (paper.year, paper.doi, paper.abstract) == (2018, "10.1000/ABC", "We ablate units.")


def test_the_record_alone_is_kept_and_read_again():
    first, second = entries("1.\n" + RECORD + "\n2.\n" + record("TI  - y"))
    assert first.raw.decode() == RECORD.removesuffix("\n")
    for found in (first, second):
        assert PARSERS[found.source](found.raw) == found


@pytest.mark.parametrize(
    "line",
    [
        "UR  - https://arxiv.org/abs/1806.02891",
        "AN  - arXiv:1806.02891",
        "DO  - 10.48550/arXiv.1806.02891",
        "JO  - arXiv preprint arXiv:1806.02891",
        "N1  - arXiv:1806.02891 [cs.CV]",
    ],
)
def test_the_identifier_is_found_wherever_programs_put_it(line):
    paper = one("TI  - x", line).paper
    assert paper.arxiv_id == ArxivId("1806.02891")
    assert (paper.doi, paper.journal_reference) == ("", "")


def test_the_date_gives_the_year_where_there_is_none():
    assert one("TI  - x", "DA  - 2018/06/07").paper.year == 2018
    assert one("TI  - x", "PY  - 2017", "DA  - 2018/06/07").paper.year == 2017


def test_a_record_without_an_id_is_named_by_what_it_says():
    assert one("TI  - x", "DO  - 10.1000/A").locator == "10.1000/a"
    assert one("TI  - x").locator.startswith("sha256:")
    assert one("TI  - x").locator != one("TI  - y").locator


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        (record("AU  - x"), 1, "no title"),
        (record("TI  - x", "ID  - a") * 2, 2, "the name 'a' is that of entry 1, too"),
        (record("TI  - x") + "TY  - JOUR\nTI  - y\n", 2, "cut short"),
        ("TY  - JOUR\nTI  - y\n" + record("TI  - x"), 1, "cut short"),
        (record("TI  - x", "UK  - a", "XX  - b"), 1, "not RIS"),
    ],
)
def test_a_record_that_cannot_be_read_is_rejected_and_the_others_stand(text, number, reason):
    found = list(entries(text))
    (rejected,) = (entry for entry in found if isinstance(entry, Rejection))
    assert (rejected.number, len(found)) == (number, text.count("TY  -"))
    assert reason in rejected.reason


def test_a_file_with_the_line_ends_of_windows_is_read(tmp_path):
    path = tmp_path / "old.ris"
    path.write_bytes(RECORD.replace("\n", "\r\n").encode("utf-8-sig"))
    (found,) = read(path)
    assert found.paper.year == 2018
    assert parse(found.raw) == found


@pytest.mark.parametrize(
    "raw", [b"", b"text", RECORD.encode() * 2, b"TY  - JOUR\nTI  - x", b"\xff", b"TY  - JOUR\nTI  - a\0b\nER  - "]
)
def test_what_is_not_one_record_is_not_read_again(raw):
    with pytest.raises(MalformedError):
        parse(raw)


tags = st.sampled_from(
    ["TY", "ID", "TI", "T1", "AU", "A1", "PY", "DA", "DO", "UR", "UK", "XX", "KW", "ER", "N1", "VL", ""]
)
rows = st.builds(lambda tag, value: f"{tag}  - {value}" if tag else value, tags, st.text(max_size=8))


@given(st.lists(rows, max_size=8))
def test_whatever_is_written_each_record_is_read_or_rejected_and_read_again_alike(written):
    for found in entries("TY  - JOUR\nTI  - x\n" + "\n".join(written) + "\nER  - "):
        if isinstance(found, Description):
            assert parse(found.raw) == found
        else:
            assert found.reason


def test_entities_are_read_a_tilde_is_one_and_a_books_volume_is_in_its_title():
    raw = b"TY  - BOOK\nTI  - Barrels &amp; ~10 <i>kegs</i>\nVL  - 2\nAU  - M&uuml;ller, Ann\nER  - "
    paper = parse(raw).paper
    assert plain_text(paper.title) == "Barrels & ~10 kegs, volume 2"
    assert paper.authors == ("Ann Müller",)
