import base64

import numpy as np
import pytest

from lenslab.records import BrokenRecordError
from lenslab.report.exemplar_pictures import PNG, exemplar_pictures
from tests.report.changing import changed


def test_every_exemplar_keeps_its_map_its_picture_and_its_class(run):
    units, exemplars = run.table("units"), run.table("exemplars")
    shown = exemplar_pictures(run, units)
    assert len(shown.exemplars) == len(exemplars) > 100
    assert shown.left_out == 0
    files = run.table("thumbnails").set_index("image")["png"]
    images = run.table("images").set_index("image")
    first = exemplars.set_index(["site", "unit", "rank"])
    for place in shown.exemplars.to_dict("records"):
        unit, picture = units.iloc[place["row"]], shown.images.iloc[place["picture"]]
        fact = first.loc[(unit["site"], unit["unit"], place["rank"])]
        size = place["height"] * place["width"]
        assert shown.maps[place["offset"] : place["offset"] + size] == fact["map"]
        assert (picture["image"], place["activation"]) == (fact["image"], fact["activation"])
        assert base64.b64decode(shown.thumbnails[place["picture"]]) == files[fact["image"]]
        assert picture["prediction"] == images["prediction"][fact["image"]]


def test_a_picture_is_carried_once_however_many_units_it_activates(run):
    shown = exemplar_pictures(run, run.table("units"))
    assert len(shown.thumbnails) == len(shown.images) == run.table("exemplars")["image"].nunique()
    assert shown.images["image"].is_monotonic_increasing


def test_the_strongest_images_of_the_dearest_units_find_room_first(run):
    units = run.table("units")
    dearest = int(units["accuracy_drop"].idxmax())
    exemplars, files = run.table("exemplars"), run.table("thumbnails").set_index("image")["png"]
    ours = exemplars[(exemplars["site"] == units["site"][dearest]) & (exemplars["unit"] == units["unit"][dearest])]
    strongest = ours[ours["rank"] == 0].iloc[0]
    room = len(strongest["map"]) + len(files[strongest["image"]])
    shown = exemplar_pictures(run, units, room=room)
    assert dearest in shown.exemplars["row"].tolist()
    assert shown.exemplars["rank"].max() == 0
    assert len(shown.maps) + sum(len(base64.b64decode(png)) for png in shown.thumbnails) <= room
    assert shown.left_out == len(exemplars) - len(shown.exemplars)
    assert exemplar_pictures(run, units, room=0).thumbnails == ()


def test_maps_read_a_few_at_a_time_are_the_same(run, monkeypatch):
    units = run.table("units")
    whole = exemplar_pictures(run, units, room=20_000)
    monkeypatch.setattr("lenslab.report.exemplar_pictures._MAPS", 7)
    few = exemplar_pictures(run, units, room=20_000)
    assert 0 < len(whole.exemplars) < len(run.table("exemplars"))
    assert (few.maps, few.thumbnails) == (whole.maps, whole.thumbnails)
    assert few.exemplars.equals(whole.exemplars)


def test_a_record_without_exemplars_has_no_pictures(run, tmp_path):
    assert exemplar_pictures(changed(run, tmp_path, exemplars=None), run.table("units")) is None


def test_a_record_in_which_no_unit_is_active_has_no_exemplar_and_no_picture(run, tmp_path):
    nothing = {name: run.table(name).iloc[:0] for name in ("exemplars", "thumbnails")}
    shown = exemplar_pictures(changed(run, tmp_path, **nothing), run.table("units"))
    assert (len(shown.exemplars), shown.thumbnails, shown.maps, shown.left_out) == (0, (), b"", 0)


def test_an_exemplar_without_its_thumbnail_is_left_out_and_counted(run, tmp_path):
    thumbnails = run.table("thumbnails")
    gone = int(thumbnails["image"][0])
    less = changed(run, tmp_path, thumbnails=thumbnails.iloc[1:])
    shown = exemplar_pictures(less, run.table("units"))
    assert gone not in shown.images["image"].tolist()
    assert shown.left_out == (run.table("exemplars")["image"] == gone).sum() > 0


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        ("exemplars", "height", 99, "does not fit its units or its maps' sizes"),
        ("exemplars", "unit", 9999, "does not fit its units or its maps' sizes"),
        ("thumbnails", "png", b"<svg onload=alert(1)>", "is no PNG"),
    ],
)
def test_what_is_not_what_it_says_is_refused(run, tmp_path, table, column, value, message):
    held = run.table(table)
    held[column] = np.full(len(held), value, dtype=object if isinstance(value, bytes) else np.int32)
    with pytest.raises(BrokenRecordError, match=message):
        exemplar_pictures(changed(run, tmp_path, **{table: held}), run.table("units"))


def test_thumbnails_are_png_files(run):
    assert all(base64.b64decode(text).startswith(PNG) for text in exemplar_pictures(run, run.table("units")).thumbnails)
