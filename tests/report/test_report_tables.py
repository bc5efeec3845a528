import numpy as np
import pandas as pd
import pytest

from lenslab.records import BrokenRecordError, RecordNotFoundError
from lenslab.report.report_tables import report_tables
from lenslab.report.strongest_rows import StrongestRows
from tests.report.changing import changed


def test_no_figure_of_any_class_is_lost_by_keeping_unchanged_ones_once(run):
    seen, every = report_tables(run), run.table("classes")
    keys = {(site, unit): row for row, (site, unit) in enumerate(seen.units[["site", "unit"]].to_numpy().tolist())}
    assert 0 < len(seen.classes) < len(every) / 2
    kept = seen.classes.set_index(["row", "label"])
    common = seen.unchanged.set_index("label")
    assert len(common) == every["label"].nunique()
    for fact in every.to_dict("records"):
        key = keys[fact["site"], fact["unit"]], fact["label"]
        shown = kept.loc[key] if key in kept.index else common.loc[fact["label"]]
        for name in ("images", "drop", "low", "high", "losses", "gains", "q_value"):
            assert shown[name] == fact[name]


def test_transitions_count_the_flips_and_judge_them(run):
    seen, flips = report_tables(run), run.table("flips")
    assert len(flips) > 0
    assert seen.flips["pairs"].sum() == len(flips)
    assert seen.flips["lost"].sum() == (flips["before"] == flips["label"]).sum()
    assert seen.flips["gained"].sum() == (flips["after"] == flips["label"]).sum()
    worst = seen.flips.loc[seen.flips["pairs"].idxmax()]
    unit = seen.units.iloc[int(worst["row"])]
    ours = flips[(flips["site"] == unit["site"]) & (flips["unit"] == unit["unit"])]
    assert ((ours["before"] == worst["before"]) & (ours["after"] == worst["after"])).sum() == worst["pairs"]


def test_rows_stand_by_unit_and_frequent_changes_first(run):
    seen = report_tables(run)
    for table in (seen.classes, seen.flips, seen.class_attributes):
        assert table["row"].is_monotonic_increasing
    first = seen.flips.groupby("row")["pairs"].agg(["first", "max"])
    assert (first["first"] == first["max"]).all()


def test_where_there_are_too_many_rows_each_unit_keeps_its_largest(run):
    all_ = report_tables(run)
    few = report_tables(run, rows=len(all_.units))
    assert (all_.classes_kept, all_.flips_kept) == (None, None)
    assert all_.classes.groupby("row").size().max() > 1
    assert few.classes_kept == 1
    assert few.classes.groupby("row").size().max() == few.classes_kept
    largest = all_.classes.assign(size=all_.classes["drop"].abs()).groupby("row")["size"].max()
    kept = few.classes.assign(size=few.classes["drop"].abs()).groupby("row")["size"].max()
    assert kept.equals(largest)
    assert few.class_attributes.empty


def test_every_unit_keeps_a_row_however_little_room_there_is():
    table = pd.DataFrame({"row": np.repeat(np.arange(5), 3), "drop": np.arange(15.0)})
    kept = StrongestRows(units=5, rows=2)
    kept.add(table, table["drop"].to_numpy())
    assert kept.most == 1
    assert kept.table()["drop"].tolist() == [2.0, 5.0, 8.0, 11.0, 14.0]


@pytest.mark.parametrize("rows", [5, 40, 59, 60])
def test_the_same_rows_are_kept_however_the_units_are_cut_into_sites(rows):
    random = np.random.default_rng(0)
    table = pd.DataFrame({"row": np.repeat(np.arange(12), 5), "drop": random.integers(0, 4, 60) / 4})
    whole, parts = StrongestRows(12, rows), StrongestRows(12, rows)
    whole.add(table, table["drop"].to_numpy())
    for units in ([0, 1, 2], [3], [4, 5, 6, 7, 8, 9, 10, 11]):
        some = table[table["row"].isin(units)]
        parts.add(some, some["drop"].to_numpy())
    assert whole.most == parts.most == (None if rows == 60 else max(1, rows // 12))
    pd.testing.assert_frame_equal(whole.table(), parts.table())


def test_unchanged_classes_whose_figures_differ_are_all_kept(run, tmp_path):
    classes = run.table("classes")
    classes.loc[classes["site"] == "relu1", "images"] += 1
    seen = report_tables(changed(run, tmp_path, classes=classes))
    assert seen.unchanged.empty
    assert len(seen.classes) == len(classes)


def test_a_record_without_the_newer_tables_has_all_the_rest(run, tmp_path):
    older = changed(run, tmp_path, attribute_classes=None, correlations=None)
    seen = report_tables(older)
    assert seen.correlations.empty
    assert seen.class_attributes.empty
    assert len(seen.units) == len(run.table("units"))


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("units", lambda units: units.drop(columns="accuracy_drop_low"), "lacks accuracy_drop_low"),
        ("units", lambda units: pd.concat([units, units.head(1)]), "has a unit twice"),
        ("units", lambda units: units.iloc[1:], "tells of unit 0 of 'relu1'"),
        ("flips", lambda flips: flips.drop(columns="before"), "cannot be read as a table of changed predictions"),
        ("flips", lambda flips: flips.assign(unit=flips["unit"] + 1000), "the table flips of"),
        ("flips", lambda flips: flips.assign(site="elsewhere"), "the table flips of .* tells of a site"),
        ("classes", lambda classes: classes.replace({"site": {"relu1": "elsewhere"}}), "tells of a site"),
    ],
)
def test_tables_that_do_not_fit_are_refused_by_name(run, tmp_path, table, change, message):
    broken = changed(run, tmp_path, **{table: change(run.table(table))})
    with pytest.raises(BrokenRecordError, match=message):
        report_tables(broken)


def test_a_record_without_its_classes_is_refused(run, tmp_path):
    with pytest.raises(RecordNotFoundError, match=r"classes\.parquet"):
        report_tables(changed(run, tmp_path, classes=None))
