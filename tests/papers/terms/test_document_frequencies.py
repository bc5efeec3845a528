import gzip
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from lenslab.papers.errors import FrequenciesError
from lenslab.papers.terms.document_frequencies import SEED_VOCABULARY, Frequencies, count, shipped_frequencies

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared" / "data"


def record(identifier, abstract, categories="cs.CV", updated="2025-01-01"):
    return {
        "id": identifier,
        "title": "On things",
        "abstract": abstract,
        "categories": categories,
        "update_date": updated,
    }


def test_the_shipped_file_is_small_and_says_where_it_comes_from():
    content = (files("lenslab.papers") / "data" / "document-frequencies.json.gz").read_bytes()
    shipped = shipped_frequencies()
    assert len(content) < 1_000_000
    assert shipped.provenance["records"] == shipped.groups["all"] == 17_000
    assert "CC0" in shipped.provenance["license"]
    assert shipped.provenance["updated"] == ["2007-05-23", shipped.provenance["updated"][1]]
    assert len(shipped.seed_terms) == SEED_VOCABULARY


def test_frequencies_count_papers_and_not_mentions():
    counted = count([record("1", "units units units"), record("2", "unit"), record("3", "units")], {})
    assert counted.terms["unit"] == [3]


def test_rare_terms_are_left_out():
    counted = count([record(str(n), "unit" if n else "walrus unit") for n in range(5)], {})
    assert "walrus" not in counted.terms
    assert counted.document_frequency("walrus", "all") == 0


def test_groups_are_categories_and_archives_with_enough_papers():
    records = [record(str(n), "units of classes", "cs.CV" if n < 1000 else "math.AG") for n in range(1100)]
    counted = count(records, {})
    assert counted.groups == {"all": 1100, "cs": 1000, "cs.CV": 1000}
    assert counted.document_frequency("unit", "cs.CV") == 1000
    assert counted.group_of("cs.LG") == "cs"
    assert counted.group_of("math.AG") == counted.group_of(None) == "all"


def test_of_records_with_one_id_the_first_counts_and_those_without_abstract_do_not():
    counted = count([record("1", "units"), record("1", "classes"), record("2", None)], {"source": "a test"})
    assert counted.provenance["records"] == 1
    assert counted.provenance["source"] == "a test"


def test_american_dates_are_understood():
    counted = count([record("1", "units", updated="11/26/2008"), record("2", "units", updated="2007-05-23")], {})
    assert counted.provenance["updated"] == ["2007-05-23", "2008-11-26"]


def test_nothing_to_count_is_refused_with_the_next_step():
    with pytest.raises(FrequenciesError, match="Kaggle"):
        count([record("1", "")], {})
    with pytest.raises(FrequenciesError, match="no words"):
        count([record("1", "the 3")], {})


def test_what_is_written_is_read_again_and_is_the_same_bytes_every_time():
    counted = count([record(str(n), "deep units of classes") for n in range(6)], {"source": "a test"})
    assert Frequencies.from_bytes(counted.to_bytes()) == counted
    assert counted.to_bytes() == counted.to_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no gzip",
        gzip.compress(b"no json", mtime=0),
        gzip.compress(b'{"schema": 1}', mtime=0),
        gzip.compress(b"[]", mtime=0),
        b"\x1f\x8b\x08",
    ],
)
def test_a_damaged_file_is_refused_with_the_next_step(content):
    with pytest.raises(FrequenciesError, match="document_frequencies"):
        Frequencies.from_bytes(content)


def test_another_schema_is_refused_by_its_number():
    with pytest.raises(FrequenciesError, match="schema 7"):
        Frequencies.from_bytes(gzip.compress(json.dumps({"schema": 7}).encode()))


@pytest.mark.slow
def test_the_script_reads_plain_and_gzipped_files(tmp_path):
    plain, zipped, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz", tmp_path / "out.json.gz"
    plain.write_text("\n".join(json.dumps(record(str(n), "deep units")) for n in range(4)) + "\n\n")
    zipped.write_bytes(gzip.compress(json.dumps(record("9", "deep units")).encode()))
    script = ROOT / "scripts" / "document_frequencies.py"
    done = subprocess.run(
        [sys.executable, script, plain, zipped, "--out", out], capture_output=True, text=True, check=True
    )
    assert "5 records" in done.stdout
    made = Frequencies.from_bytes(out.read_bytes())
    assert made.terms["deep unit"] == [5]
    assert made.provenance["files"] == ["a.jsonl", "b.jsonl.gz"]


@pytest.mark.thorough
@pytest.mark.skipif(not SHARED.is_dir(), reason="the 17,000 abstracts are not beside this checkout")
def test_the_seed_vocabulary_is_the_one_that_scikit_learn_keeps():
    from sklearn.feature_extraction.text import TfidfVectorizer

    abstracts = []
    for name in ("arxiv-kaggle-0704", "arxiv-2025-sample"):
        with gzip.open(SHARED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            abstracts += [json.loads(line)["abstract"] for line in lines]
    vectorizer = TfidfVectorizer(stop_words="english", max_features=SEED_VOCABULARY).fit(abstracts)
    assert sorted(shipped_frequencies().seed_terms) == list(vectorizer.get_feature_names_out())
