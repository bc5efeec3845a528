"""The library's own counts: equal to counting everything at once, whatever came, changed, merged and went between."""

import pytest

from lenslab.library import vocabulary, works
from lenslab.library.intake import file_import, record_intake, work_merging
from lenslab.library.models import TermCount, TermGroup, Work
from lenslab.papers.terms.document_frequencies import Frequencies
from lenslab.papers.terms.library_frequencies import count_papers
from lenslab.papers.terms.term_counts import Counts
from tests.library.intake.test_record_intake import say

pytestmark = pytest.mark.django_db


def paper(number, text="Class selectivity of unit {0}: class selectivity predicts the loss of unit {0}.", **more):
    abstract = text.format(number)
    return say("a", str(number), f"Units of kind {number}", (f"Bo Number{number}",), abstract=abstract, **more)


def counts():
    documents = dict(TermGroup.objects.values_list("name", "documents"))
    return Counts.from_rows(documents, TermCount.objects.values_list("stem", "group__name", "number"))


def counted_at_once():
    return count_papers(works.paper(work) for work in works.all_works())


def test_counts_are_those_of_all_papers_at_once(load):
    load()
    record_intake.add_records([paper(1), paper(2)])
    assert vocabulary.uncounted() == 3
    assert vocabulary.count_new() == 3
    assert counts() == counted_at_once()
    record_intake.add_records([paper(3)])
    assert vocabulary.count_new() == 1
    assert counts() == counted_at_once()
    assert counts().stems["all"]["class selectivity"] == 4
    assert vocabulary.count_new() == 0


def test_a_paper_that_changes_leaves_no_word_behind():
    record_intake.add_records([paper(1), paper(2)])
    vocabulary.count_new()
    record_intake.add_records([paper(1, "Frogs and frogs of pond {0}.")])
    assert vocabulary.uncounted() == 1
    assert counts().documents == {"all": 1}
    vocabulary.count_new()
    assert counts() == counted_at_once()
    assert not TermCount.objects.filter(number__lte=0).exists()


def test_merged_papers_count_once_and_taken_apart_twice():
    record_intake.add_records([paper(1), paper(2)])
    vocabulary.count_new()
    one, other = Work.objects.order_by("pk")
    made = work_merging.merge(one, other, evidence="a test")
    vocabulary.count_new()
    assert counts() == counted_at_once()
    assert counts().documents == {"all": 1}
    work_merging.undo(made)
    vocabulary.count_new()
    assert counts() == counted_at_once()
    assert counts().documents == {"all": 2}


def test_key_terms_are_weighed_by_the_library_once_it_holds_enough(monkeypatch, load):
    load()
    work = works.find_work("1806.02891")
    shipped = vocabulary.key_terms(works.paper(work))
    assert not any(term.library for term in shipped)
    record_intake.add_records([paper(number, categories=["cs.CV"]) for number in range(30)])
    vocabulary.count_new()
    assert vocabulary.key_terms(works.paper(work)) == shipped
    monkeypatch.setattr(Frequencies, "is_enough", staticmethod(lambda documents: documents >= 30))
    terms = {term.term: term for term in vocabulary.key_terms(works.paper(work), limit=200)}
    assert terms["class selectivity"].library
    assert terms["class selectivity"].everywhere == (31, 31)
    assert "31 of 31 abstracts of this library" in terms["class selectivity"].reason
    assert terms["class selectivity"].score < max(term.score for term in terms.values())


def test_counts_of_another_rule_are_made_anew():
    record_intake.add_records([paper(1), paper(2)])
    vocabulary.count_new()
    before = counts()
    TermGroup.objects.update(rule="older", documents=1000)
    assert not any(term.library for term in vocabulary.key_terms(works.paper(Work.objects.first())))
    assert vocabulary.count_new() == 2
    assert counts() == before


def test_interrupting_the_count_loses_one_portion_only(monkeypatch):
    monkeypatch.setattr(vocabulary, "_BATCH", 2)
    record_intake.add_records([paper(number) for number in range(7)])

    def interrupted(done, total):
        assert total == 7
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vocabulary.count_new(progress=interrupted)
    assert vocabulary.uncounted() == 3
    assert vocabulary.count_new() == 3
    assert counts() == counted_at_once()


def test_an_import_that_changes_a_counted_paper_keeps_the_counts_right(tmp_path, monkeypatch):
    from tests.library.intake.test_file_import import line

    monkeypatch.chdir(tmp_path)
    path = tmp_path / "snapshot.json"
    path.write_bytes(line(1) + b"\n" + line(2) + b"\n")
    file_import.import_file(path)
    vocabulary.count_new()
    path.write_bytes(line(1, abstract="Frogs of the pond, and frogs of the sea.") + b"\n" + line(2) + b"\n")
    file_import.import_file(path)
    vocabulary.count_new()
    assert counts() == counted_at_once()
    assert counts().stems["cs.CV"]["frog"] == 1
