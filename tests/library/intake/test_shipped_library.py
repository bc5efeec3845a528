import json
from collections import Counter

import pytest

from lenslab.library.errors import ShippedDataError
from lenslab.library.intake import shipped_library
from lenslab.library.intake.record_intake import add_citations
from lenslab.library.models import Assertion, Citation, PossibleTwin, SourceRecord, Work
from lenslab.library.stored_records import parse_record, unpack
from lenslab.papers import description
from tests.library.rows import DOCUMENT

pytestmark = pytest.mark.usefixtures("library")

PAGE = "ArxivLens page"


def changed(change):
    """The shipped file, changed by a function that edits its document."""
    document = json.loads(json.dumps(DOCUMENT))
    change(document)
    return shipped_library.DataFile("1806.02891.json", json.dumps(document).encode())


def state():
    return (
        sorted(Work.objects.values_list("pk", "key", "title")),
        sorted(Citation.objects.values_list("pk", "citing", "cited")),
        sorted(SourceRecord.objects.values_list("pk", "source", "locator", "work", "sha256")),
        sorted(Assertion.objects.values_list("pk", "source", "citation", "citing_record", "cited_record")),
    )


def test_the_papers_facts_are_complete():
    paper = Work.objects.get(arxiv_id="1806.02891")
    assert paper.title == "Revisiting the Importance of Individual Units in CNNs via Ablation"
    assert paper.authors == ["Bolei Zhou", "Yiyou Sun", "David Bau", "Antonio Torralba"]
    assert paper.categories == ["cs.CV", "cs.AI", "cs.LG"]
    assert paper.license_uri == "http://creativecommons.org/licenses/by/4.0/"
    assert r"\cite{morcos2018importance}" in paper.abstract
    assert str(paper.submitted) == "2018-06-07"


def test_every_row_of_the_page_is_kept_as_it_was_said_with_its_place():
    records = SourceRecord.objects.filter(source=PAGE, locator__contains="row")
    said = {entry["row"]: entry for entry in (json.loads(unpack(record.content)) for record in records)}
    assert sorted(said) == list(range(1, 114))
    for row in DOCUMENT["citations"]["works"]:
        assert said[row["row"]] == {**row, "locator": f"1806.02891, row {row['row']}"}


def test_113_rows_are_109_works_that_cite_the_paper_and_never_the_other_way_round():
    paper = Work.objects.get(key="1806.02891")
    assert paper.citations.count() == 109
    assert paper.references.count() == 7
    assert Work.objects.count() == 117
    years = [edge.cited.year for edge in paper.references.select_related("cited")]
    assert max(years) <= 2018


def test_every_edge_has_a_source_and_every_merged_record_its_evidence():
    assert not Citation.objects.filter(assertions=None).exists()
    per_work = Counter(SourceRecord.objects.filter(source=PAGE).values_list("work", flat=True))
    merged = [work for work, number in per_work.items() if number > 1]
    assert len(merged) == 4
    for work in merged:
        evidence = SourceRecord.objects.filter(work=work).values_list("evidence", flat=True)
        assert sum(bool(words) for words in evidence) == 1


def test_the_references_that_are_certain_have_their_identifiers():
    paper = Work.objects.get(key="1806.02891")
    found = set(paper.references.values_list("cited__arxiv_id", flat=True))
    assert found == {None, "1803.06959", "1704.05796", "1409.0575", "1311.2901", "1412.6856"}
    dois = {edge.cited.doi for edge in paper.references.select_related("cited") if not edge.cited.arxiv_id}
    assert dois == {"10.1109/TPAMI.2015.2437384", "10.1109/TPAMI.2017.2723009"}


def test_a_work_may_have_no_authors():
    assert Work.objects.get(title__startswith="SocialNLP").authors == []
    assert len(Work.objects.get(title__startswith="NormLime").authors) == 6


def test_possible_twins_are_noted_on_both_sides():
    noted = set(PossibleTwin.objects.values_list("work__title", "other__title"))
    assert sum("Emergence of Implicit" in one for one, _ in noted) == 2
    assert noted == {(other, one) for one, other in noted}


def test_the_page_s_own_summary_was_not_taken():
    text = json.dumps(DOCUMENT, ensure_ascii=False)
    assert "investigates the specialized role" not in text
    assert "This study" not in text


def test_keys_are_short_names_that_addresses_can_hold():
    for key in Work.objects.values_list("key", flat=True):
        assert len(key) <= 100
        assert key == key.strip("-")
        assert not set(key) - set("abcdefghijklmnopqrstuvwxyz0123456789-.")


def test_loading_twice_changes_nothing():
    before = state()
    (data,) = shipped_library.shipped_data()
    assert shipped_library.is_loaded(data)
    shipped_library.load(data)
    assert state() == before


def test_a_changed_file_updates_works_in_place():
    before = dict(Work.objects.values_list("title", "pk"))

    def change(document):
        document["citations"]["works"][0]["title"] = "Aspis, renamed"
        document["paper"]["title"] = "Revisited"

    data = changed(change)
    assert not shipped_library.is_loaded(data)
    shipped_library.load(data)
    assert shipped_library.is_loaded(data)
    after = dict(Work.objects.values_list("title", "pk"))
    assert after["Aspis, renamed"] == before["Aspis: Lightweight Neural Network Protection Against Soft Errors"]
    assert after["Revisited"] == before["Revisiting the Importance of Individual Units in CNNs via Ablation"]
    assert len(after) == 117


def test_a_row_that_is_taken_out_of_the_file_loses_its_edge_and_keeps_its_work():
    shipped_library.load(changed(lambda document: document["citations"]["works"].pop(0)))
    aspis = Work.objects.get(title__startswith="Aspis")
    assert aspis.references.count() == 0
    assert Work.objects.get(key="1806.02891").citations.count() == 108


def test_an_edge_that_another_source_asserts_too_stays():
    aspis = Work.objects.get(title__startswith="Aspis")
    told = [parse_record(record.source, record.content) for record in (aspis.source_records.get(),
            Work.objects.get(key="1806.02891").source_records.get(source="arXiv"))]  # fmt: skip
    add_citations([description.Assertion(citing=told[0], cited=told[1], source="a library")])
    shipped_library.load(changed(lambda document: document["citations"]["works"].pop(0)))
    assert [said.source for said in aspis.references.get().assertions.all()] == ["a library"]


def test_a_work_that_gains_an_arxiv_id_stays_the_same_work():
    before = Work.objects.get(title__startswith="Aspis").pk
    shipped_library.load(changed(lambda document: document["citations"]["works"][0].update(arxiv_id="2401.00001")))
    assert Work.objects.get(key="2401.00001").pk == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"schema": 2}',
        b'{"schema": 1, "paper": {}}',
        json.dumps(
            {**DOCUMENT, "paper": {**DOCUMENT["paper"], "title": "Lost"}, "citations": {"source": PAGE}}
        ).encode(),
    ],
)
def test_a_damaged_file_is_refused_by_name_and_leaves_nothing_behind(content):
    before = state()
    with pytest.raises(ShippedDataError, match=r"'broken\.json'"):
        shipped_library.load(shipped_library.DataFile("broken.json", content))
    assert state() == before
