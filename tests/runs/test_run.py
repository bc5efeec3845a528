"""A finished run: the same noun from a sweep, from a record and from a directory, for every question."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from lenslab import records, runs, units
from lenslab.records import BrokenRecordError, Record
from lenslab.runs import Run
from lenslab.runs.errors import NotARunError, NotOfUnitsError, UnitsError, UnknownOrderError, UnknownSiteError


def foreign() -> units.Network:
    """A network that has never seen digits and names no classes, so that much of it is wrong and flips."""
    return replace(units.load("small", weights="fashion-mnist"), class_names=None)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Units of the last site of ``small``, whose linear tail is quick."""
    network = foreign()
    return units.ablate(network, "digits", sites=["relu3"], limit=120, out=tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def directions(run: Run) -> Run:
    network = foreign()
    out = run.directory.parent / "haar"
    return units.ablate(network, "digits", sites=["relu3"], limit=120, basis="haar", out=out)


def test_a_run_a_record_and_a_directory_are_the_same_run(run: Run) -> None:
    for source in (run, run.record, run.directory, str(run.directory)):
        read = runs.read(source)
        assert (read.key, read.accuracy, read.sites) == (run.key, run.accuracy, run.sites)
        pd.testing.assert_frame_equal(read.units, run.units)
        assert run.compare(source).accuracy["difference"] == 0


@pytest.mark.parametrize("source", [None, 7, ["runs"], {"run": 1}])
def test_what_is_no_run_is_refused_in_a_sentence(run: Run, source: object) -> None:
    with pytest.raises(NotARunError, match="a run is given by its directory"):
        runs.read(source)
    with pytest.raises(NotARunError, match="a run is given by its directory"):
        run.compare(source)


def test_it_knows_what_was_measured(run: Run, directions: Run) -> None:
    assert (run.network.name, run.network.weights) == ("small", "small-fashion-mnist.safetensors")
    assert (run.dataset.name, run.dataset.classes, run.dataset.limit) == ("digits", 10, 120)
    assert [(site.name, site.units, site.default) for site in run.sites] == [("relu3", 64, True)]
    assert run.intervention.single
    assert directions.intervention.silenced == "random directions"
    assert run.dataset.class_name(8) == "8"
    assert run.label_of("8") == 8
    assert sum(run.paths["relu3"].values()) == 64 * 120


def test_directions_are_never_taken_for_units(directions: Run) -> None:
    for ask in (
        lambda: directions.units_for("8"),
        lambda: directions.compare(directions),
        lambda: directions.curve("random"),
    ):
        with pytest.raises(NotOfUnitsError, match="silenced random directions"):
            ask()
    assert len(directions.destinations()) > 0


def test_the_newest_run_of_units_is_not_a_newer_one_of_directions(run: Run, directions: Run) -> None:
    later = {**directions.record.document, "finished": "2999-01-01T00:00:00+00:00"}
    (directions.directory / "record.json").write_text(json.dumps(later), encoding="utf-8")
    assert runs.newest(run.directory.parent).key == run.key
    assert runs.newest(run.directory.parent, of=("units", "random directions")).key == directions.key


def test_a_study_stands_for_its_run(tmp_path: Path) -> None:
    study = records.Draft.open(tmp_path / "study", kind="study", request={})
    study.finish({})
    with pytest.raises(NotARunError, match="is a study without its run"):
        runs.read(tmp_path / "study")
    inner = records.Draft.open(tmp_path / "study" / "run", kind="run", request={})
    inner.finish({"accuracy": 0.5, "request": {}})
    assert runs.read(tmp_path / "study").directory == tmp_path / "study" / "run"
    assert runs.newest(tmp_path).directory == tmp_path / "study" / "run"


def test_it_says_what_each_site_cost_as_far_as_that_was_written(run: Run) -> None:
    (work,) = run.work
    assert (work.site, work.path) == ("relu3", "linear tail")
    assert work.pairs == run.paths["relu3"]
    assert work.multiply_accumulates == 64 * 120 * 10
    assert work.seconds > 0
    assert work.predicted_seconds is None, "there was one batch"
    sites = [{"name": "relu3", "units": 64}]
    first = Run(Record(Path("somewhere"), {"kind": "run", "key": "0", "sites": sites, "site_seconds": {"relu3": 3}}))
    (bare,) = first.work
    assert (bare.pairs, bare.multiply_accumulates, bare.predicted_seconds, bare.seconds) == ({}, None, None, None)


def test_what_a_damaged_document_lacks_is_named_where_it_is_needed() -> None:
    bare = Run(Record(Path("somewhere"), {"kind": "run", "key": "0", "sites": [{"units": 3}]}))
    assert (bare.network.name, bare.dataset.class_names, bare.warnings, bare.verification) == ("unnamed", None, (), {})
    for needed in ("accuracy", "seed", "sites", "class_count"):
        with pytest.raises(BrokenRecordError, match="somewhere does not say"):
            getattr(bare, needed)


@pytest.mark.parametrize(
    ("table", "column", "ask"),
    [
        ("units", "site", lambda run: run.compare(run)),
        ("units", "accuracy_drop", lambda run: run.compare(run)),
        ("classes", "label", lambda run: run.units_for("8")),
        ("flips", "before", lambda run: run.flips),
        ("correlations", "estimate", lambda run: run.correlations),
        ("images", "content", lambda run: run.compare(run)),
    ],
)
def test_a_table_that_lacks_a_column_is_named_with_it(
    run: Run, tmp_path: Path, table: str, column: str, ask: Callable[[Run], object]
) -> None:
    shutil.copytree(run.directory, tmp_path / "run")
    path = tmp_path / "run" / f"{table}.parquet"
    pd.read_parquet(path).drop(columns=column).to_parquet(path)
    with pytest.raises(BrokenRecordError, match=rf"{table}\.parquet has no column '{column}'"):
        ask(runs.read(tmp_path / "run"))


def test_a_table_of_the_first_version_is_read_with_what_it_has(run: Run, tmp_path: Path) -> None:
    first = ["site", "unit", "images", "accuracy_drop", "losses", "gains", "p_value", "q_value", "max_class_drop"]
    shutil.copytree(run.directory, tmp_path / "run")
    run.units[first].to_parquet(tmp_path / "run" / "units.parquet")
    assert runs.read(tmp_path / "run").units.columns.tolist() == first


@pytest.mark.slow
def test_the_order_of_a_curve_is_a_name_several_names_or_units(run: Run) -> None:
    given = run.curve([3, 1, 2], steps=[1, 3])
    assert given.metadata["orders"][0]["ranked_on"] == {"given": [3, 1, 2]}
    assert given.points["silenced"].tolist() == [0, 1, 3, 64]
    assert run.curve("own-drop", steps=[8]).points["order"].unique().tolist() == ["own-drop"]
    several = run.curve(["own-drop", [3, 1, 2]], steps=[8])
    assert several.points["order"].unique().tolist() == ["own-drop", "given: 3, 1, 2"]
    alone = units.ablate(foreign(), "digits", limit=120, groups={"relu3": [[3]]}).accuracy
    assert alone == run.accuracy


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([], "no order is given"),
        (7, "an order is a name or a list of units"),
        ([64], "unit 64, and the site has 0 to 63"),
        ([3, 3], "a unit twice"),
        (["own-drop", 3], "an order is a name or a list of units"),
        ("l2_norm", "did you mean 'l1_norm'"),
    ],
)
def test_an_order_that_is_none_is_refused_in_a_sentence(run: Run, order: object, message: str) -> None:
    with pytest.raises(UnknownOrderError, match=message):
        run.curve(order)


def test_an_unknown_site_is_named_with_the_nearest_one(run: Run) -> None:
    for ask in (run.site, lambda name: run.units_for("8", site=name), lambda name: run.destinations(site=name)):
        with pytest.raises(UnknownSiteError, match="has no site 'relu4'; did you mean 'relu3'\\? It has relu3"):
            ask("relu4")


@pytest.mark.slow
def test_in_a_notebook_it_shows_the_most_costly_units_and_one_chart_and_runs_nothing(run: Run) -> None:
    page = run._repr_html_()
    worst = run.units.nlargest(10, "accuracy_drop")
    assert page.count("<tr>") == 11
    assert f"accuracy {100 * run.accuracy:.2f} %" in page
    assert all(f"<td>{unit}</td>" in page for unit in worst["unit"])
    assert "<svg" in page
    assert "<script" not in page
    assert len(repr(run)) < 200
    assert "small on digits: 64 units at 1 site" in repr(run)


def test_hostile_names_are_shown_as_text(run: Run) -> None:
    document = {**run.record.document, "network": {"name": "<script>alert(1)</script>"}}
    page = Run(Record(run.directory, document))._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_charts_show_the_figures_of_the_tables(run: Run) -> None:
    table = run.units[~run.units["dead"]]
    dots = run.plot.scatter("l1_norm", "accuracy_drop").to_dict()
    (rows,) = dots["datasets"].values()
    assert sorted(row["y"] for row in rows) == pytest.approx(sorted(100 * table["accuracy_drop"]))
    assert sorted(row["x"] for row in rows) == pytest.approx(sorted(table["l1_norm"]))
    assert dots["layer"][0]["encoding"]["y"]["title"] == "accuracy drop (points)"
    drops = run.plot.drops().to_dict()
    first = next(rows for rows in drops["datasets"].values() if "rank" in rows[0])[0]
    assert first["drop"] == pytest.approx(100 * run.units["accuracy_drop"].max())
    cells = run.plot.heatmap().to_dict()
    (rows,) = cells["datasets"].values()
    worst = run.classes.nlargest(1, "drop").iloc[0]
    assert {"unit": worst["unit"], "class": str(worst["label"])}.items() <= max(
        rows, key=lambda row: row["drop"]
    ).items()


@pytest.mark.parametrize("column", ["no_such_column", "site", "concept_alignment"])
def test_a_column_that_cannot_be_plotted_is_refused(run: Run, column: str) -> None:
    with pytest.raises(UnitsError, match=f"knows no '{column}' of these units; plot one of unit, "):
        run.plot.scatter(column)
