"""Harvests go on where they ended: by token, by day, whatever comes in between."""

from dataclasses import replace

import pytest

from lenslab.http.errors import RefusedError, UnavailableError
from lenslab.library.intake import arxiv_harvest, record_intake
from lenslab.library.models import Harvest, SourceRecord, Work
from tests.upstream.corpus import corpus
from tests.upstream.faults import Fault, Faults
from tests.upstream.server import Upstream
from tests.upstream.visitor import visiting

pytestmark = pytest.mark.django_db

TOLD = corpus(citations=60, references=10, seed=3)
AT_ARXIV = {entry.arxiv for entry in TOLD.entries if entry.arxiv}
SERVICE = "arXiv OAI-PMH"


@pytest.fixture
def harvest(tmp_path):
    """Harvests from a literature, in small pages."""

    def harvested(literature=TOLD, part="", *, faults=None, page=9, overlap=0, changes=False, **options):
        with (
            Upstream(literature, faults=faults, oai_page=page, oai_overlap=overlap, oai_changes=changes) as server,
            visiting(server, tmp_path) as visitor,
        ):
            harvested.server = server
            return arxiv_harvest.harvest(part, fetcher=visitor.fetcher, **options)

    return harvested


def held():
    return set(SourceRecord.objects.filter(source=SERVICE).values_list("locator", flat=True))


def asked(server):
    """What the server was asked for, as (day, token)."""
    from urllib.parse import parse_qs, urlsplit

    found = [parse_qs(urlsplit(request.target).query) for request in server.asked(SERVICE)]
    return [(one.get("from", [""])[0], "resumptionToken" in one) for one in found]


class Killed(BaseException):
    """The process ends here."""


def kill_after(pages):
    calls = iter(range(1, 1000))

    def told(_):
        if next(calls) == pages:
            raise Killed

    return told


def test_everything_of_a_part_comes_whole_with_versions_and_licence(harvest):
    done = harvest()
    assert held() == AT_ARXIV
    assert (done.added, done.changed, done.unchanged, done.rejected) == (len(AT_ARXIV), 0, 0, [])
    paper = Work.objects.get(arxiv_id=TOLD.paper.arxiv)
    assert paper.license_uri == TOLD.paper.license
    assert [version["number"] for version in paper.versions] == [1]
    state = Harvest.objects.get()
    assert (state.part, state.token) == ("", "")
    assert state.datestamp == done.until == max(e.datestamp for e in TOLD.entries if e.arxiv)


def test_a_part_brings_its_own_papers_only(harvest):
    entries = [replace(e, categories=("cs.LG",)) if e.number % 2 else e for e in TOLD.entries]
    harvest(replace(TOLD, entries=tuple(entries)), "cs:cs:LG")
    assert held() == {entry.arxiv for entry in entries if entry.arxiv and "cs.LG" in entry.categories}
    assert Harvest.objects.get().part == "cs:cs:LG"


def test_what_is_deleted_is_named_and_what_is_held_of_it_stays(harvest):
    entry = next(entry for entry in TOLD.entries[1:] if entry.arxiv)
    harvest()
    gone = tuple(one for one in TOLD.entries if one is not entry)
    done = harvest(replace(TOLD, entries=gone, deleted=((entry.arxiv, "2026-05-05"),)))
    assert done.deleted == [entry.arxiv]
    assert done.until == "2026-05-05"
    assert held() == AT_ARXIV


@pytest.mark.parametrize("pages", [1, 3, 4])
def test_a_harvest_that_was_killed_goes_on_with_its_token(harvest, pages):
    with pytest.raises(Killed):
        harvest(log=kill_after(pages))
    assert len(held()) <= 9 * pages
    assert Harvest.objects.get().token
    before = held()
    done = harvest()
    assert asked(harvest.server)[0] == ("", True)
    assert held() == AT_ARXIV
    assert done.added == len(AT_ARXIV - before)
    assert done.changed == 0


def test_a_page_that_was_not_kept_is_asked_for_again(harvest, monkeypatch):
    take, calls = record_intake.add_records, iter(range(1, 1000))

    def killed(*arguments):
        outcome = take(*arguments)
        if next(calls) == 3:
            raise Killed
        return outcome

    with monkeypatch.context() as patch:
        patch.setattr(arxiv_harvest.record_intake, "add_records", killed)
        with pytest.raises(Killed):
            harvest()
    before = held()
    assert 9 < len(before) <= 18, "the page in which it was killed left nothing"
    assert harvest().added == len(AT_ARXIV) - len(before)
    assert held() == AT_ARXIV


def test_a_token_that_arxiv_no_longer_knows_is_replaced_by_the_day(harvest):
    with pytest.raises(Killed):
        harvest(log=kill_after(3))
    day = Harvest.objects.get().datestamp
    harvest(faults=Faults({SERVICE: {0: Fault.EXPIRED_TOKEN}}))
    assert asked(harvest.server)[:2] == [("", True), (day, False)]
    assert held() == AT_ARXIV
    assert Harvest.objects.get().token == ""


def test_the_next_harvest_asks_from_the_last_day_on_and_changes_nothing(harvest):
    first = harvest()
    entries = list(TOLD.entries)
    done = harvest()
    assert asked(harvest.server) == [(first.until, False)]
    assert (done.added, done.changed) == (0, 0)
    assert done.unchanged == sum(entry.datestamp == first.until for entry in entries if entry.arxiv)
    changed = next(entry for entry in entries if entry.arxiv)
    entries[changed.number] = replace(changed, title="Units, revised", touched="2026-06-01")
    done = harvest(replace(TOLD, entries=tuple(entries)))
    assert (done.added, done.changed) == (0, 1)
    assert Work.objects.get(arxiv_id=changed.arxiv).title == "Units, revised"
    assert Harvest.objects.get().datestamp == "2026-06-01"


@pytest.mark.parametrize("overlap", [1, 4])
def test_pages_that_overlap_and_records_that_come_again_change_nothing_in_the_end(harvest, overlap):
    done = harvest(overlap=overlap, changes=True)
    assert held() == AT_ARXIV
    assert done.added == len(AT_ARXIV)
    assert done.unchanged + done.changed > 0
    assert Work.objects.filter(arxiv_id__isnull=False).count() == len(AT_ARXIV)


def test_parts_are_followed_apart_from_each_other(harvest):
    harvest(part="cs")
    harvest(part="cs:cs:CV", since="2010-01-01", until="2012-12-31")
    states = {state.part: state.datestamp for state in Harvest.objects.all()}
    assert states["cs"] > states["cs:cs:CV"]
    assert "2010-01-01" <= states["cs:cs:CV"] <= "2012-12-31"
    harvest(part="cs:cs:CV")
    assert asked(harvest.server)[0] == (states["cs:cs:CV"], False)


def test_a_time_in_which_nothing_changed_is_no_error(harvest):
    done = harvest(since="2025-12-01")
    assert (done.added, done.until) == (0, "2025-12-01")
    assert Harvest.objects.get().datestamp == "2025-12-01"


@pytest.mark.parametrize("seed", range(3))
def test_faults_at_random_change_nothing_in_the_end(harvest, seed):
    faults = Faults.random(seed, 20)
    for _ in range(8):
        try:
            harvest(faults=faults, page=3)
        except UnavailableError:
            continue
        break
    assert len(faults.injected) > 5
    assert held() == AT_ARXIV


def test_a_record_that_cannot_be_read_is_named_and_the_others_are_taken(harvest):
    entries = list(TOLD.entries)
    bad = next(entry for entry in entries[1:] if entry.arxiv)
    entries[bad.number] = replace(bad, arxiv="1234.1234")
    done = harvest(replace(TOLD, entries=tuple(entries)))
    assert len(done.rejected) == 1
    assert "1234.1234" in done.rejected[0]
    assert held() == AT_ARXIV - {bad.arxiv}


def test_a_part_that_arxiv_does_not_have_is_refused_and_nothing_is_noted(harvest):
    with pytest.raises(RefusedError):
        harvest(part="no part")
    assert not Harvest.objects.exists()


def test_it_says_after_each_page_how_far_it_is(harvest):
    said = []
    harvest(log=said.append)
    pages = -(-(len(AT_ARXIV) + len(TOLD.deleted)) // 9)
    assert len(said) == pages
    assert said[-1].startswith(f"{len(AT_ARXIV)} records, up to 20")
