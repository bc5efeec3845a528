import json

import pytest

from lenslab.records import Draft, OtherRecordError, read
from lenslab.studies import study
from lenslab.studies.errors import StudiesError, UnknownStudyError
from lenslab.studies.rulebook import load_rules
from lenslab.studies.study import decided, default_directory, run
from lenslab.studies.study_result import read_study
from lenslab.units.errors import ImagesUnavailableError
from lenslab.units.images import open_images
from tests.studies.planting import make_run, wired

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return run("1806.02891", images="digits", limit=120, out=tmp_path_factory.mktemp("study") / "digits")


def test_a_study_ablates_every_default_site_and_decides_at_the_last(result):
    measured = read(result.directory / "run")
    assert measured.kind == "run"
    assert [site["name"] for site in measured.document["sites"]] == ["relu1", "relu2", "relu3"]
    assert (result.site, result.units) == ("relu3", 64)
    assert [site["site"] for site in result.record.document["sensitivity"]] == ["relu1", "relu2"]
    assert result.image_count == 120
    assert result.accuracy == measured.document["accuracy"] > 0.9


def test_the_record_says_by_which_rules_and_on_what(result):
    document = result.record.document
    assert document["rules"]["sha256"] == load_rules("1806.02891").sha256
    assert document["request"]["rules_sha256"] == document["rules"]["sha256"]
    assert document["request"]["run"] == read(result.directory / "run").key
    assert (document["study"], document["runs"]) == ("1806.02891", ["run"])
    assert document["network"]["weights_sha256"]
    assert {"versions", "machine", "started", "finished", "seconds"} <= document.keys()
    assert {"id", "verdict", "estimate", "low", "high", "scope"} <= document["claims"][0].keys()
    assert "fewer than 50 images per class" in document["claims"][0]["scope"]


def test_the_charts_that_the_record_names_are_there(result):
    charts = [claim.chart for claim in result.claims if claim.chart]
    assert "claim-a" in charts
    for chart in charts:
        assert result.record.chart(chart)["usermeta"]
        assert (result.directory / "charts" / f"{chart}.dark.svg").stat().st_size > 1000


def test_what_was_measured_already_is_only_read(result):
    before = (result.directory / "record.json").stat().st_mtime_ns
    said = []
    again = run("1806.02891", images="digits", limit=120, out=result.directory, tell=said.append)
    assert again == read_study(result.directory)
    assert said == [f"already measured: {result.directory}"]
    assert (result.directory / "record.json").stat().st_mtime_ns == before


def test_another_question_does_not_overwrite_a_study(result):
    with pytest.raises(OtherRecordError, match="holds another study"):
        run("1806.02891", images="digits", limit=119, out=result.directory)
    with pytest.raises(OtherRecordError, match="holds another study"):
        run("1806.02891", images="digits", limit=120, seed=1, out=result.directory)
    assert read_study(result.directory).image_count == 120


def test_without_fashion_mnist_the_study_runs_on_digits_and_says_so(monkeypatch, tmp_path):
    def unreachable(source):
        if source == "fashion-mnist":
            raise ImagesUnavailableError("fashion-mnist can be had from nowhere")
        return open_images(source)

    monkeypatch.setattr(study, "open_images", unreachable)
    monkeypatch.chdir(tmp_path)
    said = []
    result = run(limit=20, tell=said.append)
    assert result.images == "digits"
    assert result.accuracy > 0.8
    assert "fashion-mnist cannot be had, so the study runs on digits: fashion-mnist can be had from nowhere" in said
    assert result.warnings[0] == said[0]
    assert result.directory.parent.name == "runs"
    assert result.directory.name.startswith("1806.02891-small-")


def test_training_images_are_flagged(tmp_path):
    planted = make_run(tmp_path / "run", {"relu": wired(6, 4, 0.2)}, per_class=20, name="cifar10-train")
    draft = Draft.open(tmp_path / "study", kind="study", request={})
    document = decided(planted, load_rules("1806.02891"), draft)
    assert "training images" in document["claims"][0]["scope"]


def test_a_run_without_default_sites_decides_nothing(tmp_path):
    planted = make_run(tmp_path / "run", {"relu": wired(6, 4, 0.2)}, per_class=20)
    planted.record.document["sites"][0]["default"] = False
    draft = Draft.open(tmp_path / "study", kind="study", request={})
    with pytest.raises(StudiesError, match="has no default site"):
        decided(planted, load_rules("1806.02891"), draft)


def test_deciding_again_gives_the_same_document(tmp_path):
    planted = make_run(tmp_path / "run", {"relu": wired(12, 4, 0.2)}, per_class=40)
    rules = load_rules("1806.02891")
    drafts = [Draft.open(tmp_path / name, kind="study", request={}) for name in ("one", "two")]
    first, again = (decided(planted, rules, draft) for draft in drafts)
    assert json.dumps(first) == json.dumps(again)
    chart = "charts/claim-a.vl.json"
    assert (tmp_path / "one" / chart).read_bytes() == (tmp_path / "two" / chart).read_bytes()


def test_a_network_of_ones_own_needs_images():
    with pytest.raises(StudiesError, match="which images is resnet20 to be measured on"):
        run("1806.02891", network="resnet20")


def test_an_unknown_study_is_refused_before_anything_is_loaded():
    with pytest.raises(UnknownStudyError):
        run("1706.03762", images="no such file")


def test_the_default_directory_is_one_name_below_runs():
    assert default_directory("1806.02891", "../my.package:make net", "0" * 64).parent.as_posix() == "runs"
