"""Screening against the exact run: no bias, intervals that hold, the same integers where every pair is run."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lenslab.records import OtherRecordError, RecordNotFoundError, read
from lenslab.runs import Run, Screening
from lenslab.runs import read as read_run
from lenslab.units import UnitsError, ablate, screen
from lenslab.units.engine.exact_engine import ExactEngine
from lenslab.units.screening import screening
from lenslab.units.screening.screening import Screen
from tests.units import toys

SITES = ["relu1", "relu2"]
COUNT = 200
BANDS = [0, 1, 5, 20, np.inf]


@pytest.fixture(scope="module")
def exact() -> Run:
    return ablate("small", "digits", sites=SITES, limit=COUNT, attributes=False)


@pytest.fixture(scope="module")
def seeds() -> list[Screening]:
    return [screen("small", "digits", sites=SITES, limit=COUNT, precision=2.0, seed=seed) for seed in range(8)]


def inside(found: pd.DataFrame, name: str, truth: pd.Series) -> np.ndarray:
    low, high = (found[f"{name}_{end}"].to_numpy() for end in ("low", "high"))
    return (truth.to_numpy() >= low - 1e-9) & (truth.to_numpy() <= high + 1e-9)


def files_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.glob("*.parquet"))}


def stopped_after(reports: int) -> object:
    seen: list[float] = []

    def progress(done: float, total: float) -> None:
        del total
        seen.append(done)
        if len(seen) > reports:
            raise KeyboardInterrupt

    return progress


def test_with_every_pair_run_the_drops_are_the_exact_runs_to_the_last_digit(exact: Run) -> None:
    found = screen("small", "digits", sites=SITES, limit=COUNT, precision=0)
    assert found.share == pytest.approx(1.0, abs=0.05)  # units that are silent anyway need not be run
    units, classes = found.units, found.classes
    for end in ("estimate", "low", "high"):
        assert (units[f"accuracy_drop_{end}"] == exact.units["accuracy_drop"]).all()
        assert (classes[f"drop_{end}"] == exact.classes["drop"]).all()
    assert (units["heldout_max_class_drop_estimate"] == exact.units["heldout_max_class_drop"]).all()
    assert not units["heldout_max_class_drop_standard_error"].any()
    assert not units["accuracy_drop_standard_error"].any()
    assert exact.units["accuracy_drop"].nunique() > 5


def test_a_residual_network_with_in_place_sums_gives_the_same_drops_too() -> None:
    network = toys.network(toys.trained(toys.Residual()))
    found = screen(network, toys.digits(40), precision=0)
    assert (found.units["accuracy_drop_estimate"] == ablate(network, toys.digits(40)).units["accuracy_drop"]).all()


def test_what_was_run_is_what_the_exact_engine_decides(exact: Run, seeds: list[Screening]) -> None:
    columns = ["site", "unit", "image", "before", "after"]
    pairs = seeds[0].pairs
    flipped = pairs[pairs["before"] != pairs["after"]][columns]
    assert len(flipped) > 20
    assert len(flipped.merge(exact.flips[columns])) == len(flipped)


def test_estimates_have_no_bias_over_seeds(exact: Run, seeds: list[Screening]) -> None:
    errors = np.stack([each.units["accuracy_drop_estimate"] - exact.units["accuracy_drop"] for each in seeds])
    spread = errors.std(axis=0, ddof=1).mean() / np.sqrt(errors.size)
    assert errors.std() > 0
    assert abs(errors.mean()) < 4 * spread


def test_intervals_hold_and_are_as_sharp_as_asked(exact: Run, seeds: list[Screening]) -> None:
    overall = np.concatenate([inside(each.units, "accuracy_drop", exact.units["accuracy_drop"]) for each in seeds])
    by_class = np.concatenate([inside(each.classes, "drop", exact.classes["drop"]) for each in seeds])
    assert min(overall.mean(), by_class.mean()) >= 0.93
    for each in seeds:
        assert (each.reached, each.widest <= 2.0, each.share < 0.25) == (True, True, True)
        assert each.units["accuracy_drop_standard_error"].any()


@pytest.mark.thorough
@pytest.mark.parametrize("precision", [0.5, 1.0, 3.0])
def test_coverage_holds_in_every_band_of_flip_count(precision: float) -> None:
    exact = ablate("small", "digits", attributes=False)
    flips = exact.flips.groupby(["site", "unit"]).size()
    counts = flips.reindex(pd.MultiIndex.from_frame(exact.units[["site", "unit"]]), fill_value=0).to_numpy()
    held = [
        inside(
            screen("small", "digits", precision=precision, seed=seed).units,
            "accuracy_drop",
            exact.units["accuracy_drop"],
        )
        for seed in range(100, 130)
    ]
    table = pd.DataFrame({"band": pd.cut(np.tile(counts, 30), [-1, *BANDS[1:]]), "held": np.concatenate(held)})
    assert (table.groupby("band", observed=True)["held"].mean() >= 0.93).all()


@pytest.mark.parametrize("reports", [0, 2, 3, 5])
def test_a_screening_that_was_killed_and_goes_on_gives_the_same_bytes(tmp_path: Path, reports: int) -> None:
    asked = Screen.of("small", "digits", sites=SITES, limit=60, precision=3.0, batch_size=16)
    whole = asked.run(out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        asked.run(out=tmp_path / "killed", progress=stopped_after(reports))
    assert not (tmp_path / "killed/record.json").exists()
    resumed = asked.run(out=tmp_path / "killed")
    assert files_of(resumed.directory) == files_of(whole.directory)
    told = [{**each.record.document, "started": "", "finished": "", "seconds": 0} for each in (whole, resumed)]
    assert told[0] == told[1]


def test_a_narrower_precision_goes_on_with_what_was_run_and_runs_no_pair_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, int, int]] = []
    decided = ExactEngine.decided

    def counting(self: ExactEngine, batch, site, rows, units):  # type: ignore[no-untyped-def]
        ran.extend((site, int(batch.numbers[row]), int(unit)) for row, unit in zip(rows, units, strict=True))
        return decided(self, batch, site, rows, units)

    monkeypatch.setattr(ExactEngine, "decided", counting)
    asked = {"sites": SITES, "limit": COUNT}
    first = screen("small", "digits", precision=4.0, out=tmp_path / "one", **asked)
    before = len(ran)
    second = screen("small", "digits", precision=1.0, out=tmp_path / "one", **asked)
    assert 0 < before < len(ran) == len(set(ran)) == len(second.pairs)
    direct = screen("small", "digits", precision=1.0, out=tmp_path / "direct", **asked)
    assert second.units.equals(direct.units)
    assert second.classes.equals(direct.classes)
    assert (second.key, second.widest <= 1.0 < first.widest) == (direct.key, True)


def test_a_continuation_that_is_killed_loses_neither_the_old_record_nor_the_new_pairs(tmp_path: Path) -> None:
    asked = {"sites": SITES, "limit": 60, "batch_size": 16, "out": tmp_path / "one"}
    first = screen("small", "digits", precision=4.0, **asked)
    document = first.record.document
    with pytest.raises(KeyboardInterrupt):
        screen("small", "digits", precision=0, progress=stopped_after(2), **asked)
    assert read(tmp_path / "one").document == document
    second = screen("small", "digits", precision=0, **asked)
    assert second.share > first.share
    assert not second.units["accuracy_drop_standard_error"].any()


def test_a_continuation_that_is_killed_while_it_writes_leaves_no_record_of_mixed_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"sites": SITES, "limit": 60}
    screen("small", "digits", precision=4.0, out=tmp_path / "one", **asked)
    with monkeypatch.context() as patch:
        patch.setattr(screening, "document", lambda *_: sys.exit(1))
        with pytest.raises(SystemExit):
            screen("small", "digits", precision=1.0, out=tmp_path / "one", **asked)
    with pytest.raises(RecordNotFoundError):
        read(tmp_path / "one")
    second = screen("small", "digits", precision=1.0, out=tmp_path / "one", **asked)
    assert second.units.equals(screen("small", "digits", precision=1.0, **asked).units)


def test_asked_again_it_is_only_read(tmp_path: Path) -> None:
    asked = Screen.of("small", "digits", sites=["relu2"], limit=40, precision=5.0)
    assert [asked.run(out=tmp_path / "one").reused for _ in range(2)] == [False, True]


def test_a_budget_is_kept_and_what_it_leaves_is_said() -> None:
    found = screen("small", "digits", sites=SITES, limit=COUNT, precision=0.5, budget=0.05)
    assert (found.share <= 0.05, found.reached, found.widest > 0.5) == (True, False, True)
    alone = screen("small", "digits", sites=SITES, limit=COUNT, budget=0.05)
    assert 0.04 < alone.share <= 0.05


def test_class_drops_are_as_sharp_as_asked() -> None:
    found = screen("small", "digits", sites=["relu2"], limit=COUNT, precision=5.0, class_precision=8.0)
    classes = found.classes
    assert ((classes["drop_high"] - classes["drop_low"]) / 2).max() <= 0.08 + 1e-9


def test_the_top_units_come_with_the_probability_that_they_are_right(exact: Run, seeds: list[Screening]) -> None:
    largest = exact.units.nlargest(1, "accuracy_drop").iloc[0]
    rows, probability = seeds[0].top_units(1)
    assert (rows["site"][0], rows["unit"][0]) == (largest["site"], largest["unit"])
    assert 0.5 < probability < 1
    assert seeds[0].top_units(len(exact.units))[1] == 1.0


def test_held_out_class_drops_are_near_the_exact_ones_and_rank_units(exact: Run, seeds: list[Screening]) -> None:
    name = "heldout_max_class_drop"
    truth = exact.units[name]
    for each in seeds[:3]:
        units = each.units
        assert np.corrcoef(units[f"{name}_estimate"], truth)[0, 1] > 0.9
        rows, probability = each.top_units(5, name)
        assert 0 < probability < 1
        assert rows[f"{name}_estimate"].is_monotonic_decreasing
    with pytest.raises(UnitsError, match="units are ranked by accuracy_drop or heldout_max_class_drop"):
        seeds[0].top_units(1, "drop")


def test_a_record_says_everywhere_that_it_was_screened(seeds: list[Screening]) -> None:
    document = seeds[0].record.document
    assert (document["kind"], document["engine"], document["request"]["engine"]) == ("screening", "screen", "screen")
    assert document["warnings"][0].startswith("screened: drops are estimates")
    for table in (seeds[0].units, seeds[0].classes):
        assert not {"heldout_max_class_drop", "losses", "gains", "p_value", "accuracy_drop", "drop"} & {*table.columns}
        assert any(name.endswith("_standard_error") for name in table.columns)


def test_nothing_takes_a_screening_for_a_run(exact: Run, tmp_path: Path) -> None:
    found = screen("small", "digits", sites=["relu2"], limit=40, precision=5.0, out=tmp_path / "screened")
    for refused in (lambda: read_run(found.directory), lambda: exact.compare(found.directory)):
        with pytest.raises(UnitsError, match="was screened: its drops are estimates"):
            refused()
    with pytest.raises(OtherRecordError, match="holds another screening"):
        ablate("small", "digits", sites=["relu2"], limit=40, out=found.directory)
    with pytest.raises(UnitsError, match="no screening"):
        Screening.of(
            ablate("small", "digits", sites=["relu2"], limit=20, attributes=False, out=tmp_path / "run").record
        )


def test_another_question_in_the_same_place_is_refused(tmp_path: Path) -> None:
    screen("small", "digits", sites=["relu2"], limit=40, precision=5.0, out=tmp_path / "one")
    with pytest.raises(OtherRecordError, match="seed is 0 there and 1 here"):
        screen("small", "digits", sites=["relu2"], limit=40, precision=5.0, seed=1, out=tmp_path / "one")


def test_a_screening_of_other_weights_is_not_gone_on_with(tmp_path: Path) -> None:
    found = screen("small", "digits", sites=["relu2"], limit=40, precision=5.0, out=tmp_path / "one")
    copied = tmp_path / "other"
    shutil.copytree(found.directory, copied)
    document = json.loads((copied / "record.json").read_text())
    document["request"]["weights_sha256"] = "0" * 64
    document["key"] = "0" * 64
    (copied / "record.json").write_text(json.dumps(document))
    with pytest.raises(OtherRecordError, match="weights_sha256"):
        screen("small", "digits", sites=["relu2"], limit=40, precision=2.0, out=copied)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "give a precision in points, a budget, or both"),
        ({"precision": -1}, "precision is half the width"),
        ({"precision": True}, "precision is half the width"),
        ({"budget": 0}, "budget is the share"),
        ({"budget": 1.5}, "budget is the share"),
        ({"class_precision": 3.0, "budget": 0.1}, "a class precision goes with"),
        ({"precision": 1, "replacement": "resample"}, "resampling draws several"),
    ],
)
def test_what_contradicts_itself_is_refused_with_one_sentence(asked: dict[str, object], said: str) -> None:
    with pytest.raises(UnitsError, match=said):
        screen("small", "digits", limit=20, **asked)
