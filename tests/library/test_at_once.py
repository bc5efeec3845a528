"""Several processes at once: what they write is what they would have written one after the other; readers read on."""

import json
import time

import pytest
from django.db import connection

from tests.library.intake.test_file_import import line

PORTIONS = "from lenslab.library.intake import file_import; file_import._BATCH = 10; "
IMPORT = f"""
import sys
from pathlib import Path
import django; django.setup()
{PORTIONS}
for name in sys.argv[1:]:
    done = file_import.import_file(Path(name), rejects=Path(name + ".rejects"))
    assert not done.rejected
"""
OPEN = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
CITE = """
import sys
import django; django.setup()
from lenslab.library.intake import record_intake
from tests.library.intake.test_record_intake import PAPER, NOW, citing
from lenslab.papers.description import Assertion
for start in range(0, 40, 5):
    told = [citing(n, sys.argv[1], doi=f"10.1/c{n}") for n in range(start, start + 10)]
    record_intake.add_citations([Assertion(citing=one, cited=PAPER, source=sys.argv[1]) for one in told], now=NOW)
"""
COUNT = (
    "import django; django.setup(); from lenslab.library import vocabulary; [vocabulary.count_new() for _ in range(8)]"
)
READ = """
import sys, time
import django; django.setup()
from pathlib import Path
from lenslab.library import exports, works
from lenslab.library.models import SourceRecord, Work
from lenslab.library.graph.neighbourhood import neighbourhood
seen = []
while not Path("done").exists():
    records = SourceRecord.objects.count()
    for work in Work.objects.order_by("-pk")[:3]:
        assert work.source_records.exists(), work.key
        works.relations(work)
        neighbourhood(work)
    assert records >= (seen or [0])[-1]
    seen.append(records)
    Path("reading").touch()
    time.sleep(0.03)
print(len(seen), len(set(seen)))
"""
TELL = """
import json
import django; django.setup()
from lenslab.library import vocabulary
from lenslab.library.models import *
from tests.library.intake.test_field_resolution import assert_index_is_whole, found
from tests.library.test_vocabulary import counted_at_once, counts
assert_index_is_whole()
vocabulary.count_new()
assert counts() == counted_at_once()
print(json.dumps({
    "works": sorted(Work.objects.values_list("key", "title", "year", "citation_count", "reference_count", "facets")),
    "records": sorted(SourceRecord.objects.values_list("source", "locator", "work__key")),
    "identifiers": sorted(Identifier.objects.values_list("record__source", "record__locator", "name")),
    "citations": sorted(Citation.objects.values_list("citing__key", "cited__key", "influential", "lot")),
    "assertions": sorted(Assertion.objects.values_list(
        "source", "citing_record__locator", "cited_record__locator", "citation__citing__key")),
    "found": len(found("units")),
    "waiting": FileImport.objects.count(),
}))
"""


def write(path, numbers, **changes):
    path.write_bytes(b"".join(line(number, **changes) + b"\n" for number in numbers))
    return path


def tell(elsewhere):
    (said,) = elsewhere.wait(elsewhere(TELL))
    return json.loads(said)


@pytest.fixture
def files(tmp_path):
    """Two snapshots that overlap by half, in opposite orders, the second of them newer where they do."""
    return write(tmp_path / "one.json", range(1, 101)), write(tmp_path / "two.json", range(150, 50, -1))


def test_two_imports_at_once_give_the_library_of_one_after_the_other(elsewhere, files, tmp_path):
    one, two = files
    elsewhere.wait(elsewhere(OPEN))
    reader = elsewhere(READ)
    while not (tmp_path / "reading").exists():
        assert reader.poll() is None, reader.stderr.read()
        time.sleep(0.02)
    elsewhere.wait(elsewhere(IMPORT, one), elsewhere(IMPORT, two))
    (tmp_path / "done").touch()
    (read,) = elsewhere.wait(reader)
    assert int(read.split()[1]) > 1, "the reader saw the library grow"
    said = tell(elsewhere)
    assert len(said["works"]) == len(said["records"]) == said["found"] == 150
    assert len({key for key, *_ in said["works"]}) == 150
    assert said["waiting"] == 0
    (again,) = elsewhere.wait(elsewhere(IMPORT + TELL, one, two))
    assert json.loads(again) == said


@pytest.mark.thorough
def test_two_imports_of_one_file_at_once_take_it_once(elsewhere, files):
    one, _ = files
    elsewhere.wait(elsewhere(OPEN))
    elsewhere.wait(elsewhere(IMPORT, one), elsewhere(IMPORT, one))
    said = tell(elsewhere)
    assert (len(said["works"]), len(said["records"]), said["waiting"]) == (100, 100, 0)


# SQLite lets one process write at a time, and the imports above show what the others do meanwhile.
@(pytest.mark.thorough if connection.vendor == "sqlite" else pytest.mark.slow)
def test_citations_of_two_sources_at_once_are_one_view_with_right_counts(elsewhere, files):
    one, _ = files
    elsewhere.wait(elsewhere(OPEN))
    elsewhere.wait(
        elsewhere(CITE, "s"), elsewhere(CITE, "o"), elsewhere(IMPORT, one), elsewhere(COUNT), elsewhere(COUNT)
    )
    said = tell(elsewhere)
    paper = next(row for row in said["works"] if row[0] == "1806.02891")
    assert paper[3] == len(said["citations"]) == 45
    assert len(said["assertions"]) == 90
    assert all(row[4] == 1 for row in said["works"] if row[0].startswith("citing-"))
    assert len(said["records"]) == 2 * 45 + 1 + 100
