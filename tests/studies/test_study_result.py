import copy
import json
import subprocess
import sys

import pytest

from lenslab.records import Draft, RecordNotFoundError
from lenslab.studies.errors import BrokenStudyError
from lenslab.studies.rulebook import load_rules
from lenslab.studies.study import decided
from lenslab.studies.study_result import read_study, study_results
from tests.studies.planting import make_run, wired

RULES = load_rules("1806.02891")


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    place = tmp_path_factory.mktemp("results")
    run = make_run(place / "one" / "run", {"early": wired(6, 4, 0.2), "late": wired(8, 4, 0.3)}, per_class=40)
    draft = Draft(place / "one", "study", {"asked": 1})
    document = decided(run, RULES, draft)
    return draft.finish(
        {**document, "warnings": ["a warning"], "finished": "2026-01-01T00:00:00+00:00", "runs": ["run"]}
    )


@pytest.fixture
def written(record, tmp_path):
    def written(name="one", **changes):
        place = tmp_path / name
        place.mkdir()
        document = {**copy.deepcopy(dict(record.document)), **changes}
        for key in [key for key, value in document.items() if value is ...]:
            del document[key]
        (place / "record.json").write_text(json.dumps(document), encoding="utf-8")
        return place

    return written


def test_a_study_is_read_back_as_it_was_decided(record):
    result = read_study(record.directory)
    assert (result.study, result.network, result.images) == ("1806.02891", "planted", "planted")
    assert (result.site, result.units, result.dead, result.classes, result.image_count) == ("late", 8, 0, 4, 160)
    assert result.rules_sha256 == RULES.sha256
    assert result.warnings == ("a warning",)
    assert [claim.id for claim in result.claims] == ["a", "b", "e"]
    for claim, document in zip(result.claims, record.document["claims"], strict=True):
        assert claim.verdict == document["verdict"]
        assert claim.figure.estimate == document["estimate"]
        assert (claim.chart, claim.statement) == (document["chart"], document["statement"])
    assert [part.name for part in result.claims[2].parts] == ["class selectivity", "L1 norm"]
    assert result.scope == (
        "fewer than 100 classes",
        "fewer than 256 units at the site",
        "fewer than 50 images per class",
    )
    assert result.claims[0].words.endswith("]")


def test_the_other_sites_are_kept_as_sensitivity(record):
    (early,) = record.document["sensitivity"]
    assert (early["site"], early["units"]) == ("early", 6)
    assert [claim["id"] for claim in early["claims"]] == ["a", "b", "e"]


def test_an_unknown_figure_is_read_as_none(record, written):
    claim = {**record.document["claims"][0], "estimate": None, "low": None, "high": None, "verdict": "not run"}
    (read,) = read_study(written(claims=[claim])).claims
    assert not read.figure.known
    assert read.words == "no figure"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"claims": ...}, "lacks the field 'claims'"),
        ({"claims": "all"}, "'all' as 'claims', and not a list of objects"),
        ({"claims": [1]}, "a list of objects"),
        ({"study": ["x"]}, "as 'study', and not a text"),
        ({"site": "x" * 10_000}, r"xxx\.\.\. as 'site', and not a text of at most"),
        ({"accuracy": True}, "True as 'accuracy', and not a fraction"),
        ({"accuracy": 91.5}, "91.5 as 'accuracy', and not a fraction"),
        ({"units": -1}, "-1 as 'units', and not a number of things"),
        ({"units": 1.5}, "1.5 as 'units'"),
        ({"images": None}, "None as 'images', and not an object"),
        ({"rules": {"file": "x"}}, r"\(rules\) lacks the field 'sha256'"),
        ({"warnings": [1]}, "as 'warnings', and not a list of texts"),
    ],
)
def test_a_hostile_record_is_refused_by_the_name_of_its_field(written, changes, message):
    with pytest.raises(BrokenStudyError, match=message):
        read_study(written(**changes))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verdict", "proved"),
        ("verdict", None),
        ("measure", "stars"),
        ("estimate", "0.1"),
        ("estimate", 1e300),
        ("low", [0]),
        ("chart", "../../secret"),
        ("chart", "Claim A"),
        ("id", "<b>"),
        ("scope", "training images"),
        ("parts", {"name": "x"}),
        ("rule", []),
    ],
)
def test_a_hostile_claim_is_refused_by_the_name_of_its_field(record, written, field, value):
    claims = [*record.document["claims"][:1], {**record.document["claims"][1], field: value}]
    with pytest.raises(BrokenStudyError, match=rf"claims\[1\]\) has .* as '{field}'"):
        read_study(written(claims=claims))


def test_numbers_that_json_does_not_have_are_refused(written):
    with pytest.raises(BrokenStudyError, match="nan as 'accuracy'"):
        read_study(written(accuracy=float("nan")))


def test_a_run_is_no_study(record):
    with pytest.raises(BrokenStudyError, match="holds a run and not a study"):
        read_study(record.directory / "run")


def test_an_empty_directory_holds_no_study(tmp_path):
    with pytest.raises(RecordNotFoundError):
        read_study(tmp_path)


def test_results_come_newest_first_and_broken_ones_are_reported(written, tmp_path):
    written("older", finished="2025-01-01T00:00:00+00:00")
    written("newer", finished="2026-06-01T00:00:00+00:00")
    written("broken", claims="none")
    written("other", study="1803.06959")
    results, problems = study_results(tmp_path, "1806.02891")
    assert [result.directory.name for result in results] == ["newer", "older"]
    assert len(problems) == 1
    assert "broken" in problems[0]
    assert len(study_results(tmp_path)[0]) == 3


def test_reading_results_loads_neither_torch_nor_units_nor_charts():
    program = (
        "import sys, lenslab.studies as studies\n"
        "studies.study_results('nowhere'), studies.list_studies(), studies.Verdict, studies.Claim, studies.Rule\n"
        "heavy = {'torch', 'scipy', 'altair', 'vl_convert', 'lenslab.units', 'django'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_control_characters_are_replaced_before_a_terminal_can_obey_them(written):
    result = read_study(written(site="relu\x1b[31m", warnings=["two\nlines\x9b"]))
    assert result.site == "relu\N{REPLACEMENT CHARACTER}[31m"
    assert result.warnings == ("two\nlines\N{REPLACEMENT CHARACTER}",)
