"""A run's report in a real browser, from the disk: tables, charts, units, files, phones, paper, hostile names."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from lenslab import report
from lenslab.records import Record
from tests.report.changing import changed
from tests.report.conftest import run

__all__ = ["run"]

Show = Callable[..., Page]
HOSTILE = "</script><img src=x onerror=\"document.title='broken'\">\u202ekrow\u202c & <b>bold</b>"


@pytest.fixture
def show(browser: Browser, tmp_path: Path, run: Record) -> Iterator[Show]:
    """Opens reports; afterwards, nothing may have been asked of any place and no page may have complained."""
    contexts: list[BrowserContext] = []
    asked: list[str] = []
    complaints: list[str] = []
    shown: set[str] = set()

    def written(record: Record, path: Path) -> Path:
        if record.directory != run.directory:
            return report.write(record, path)
        shared = run.directory.with_suffix(".html")
        return shared if shared.exists() else report.write(record, shared)

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def opened(record: Record, address: str = "", **options: Any) -> Page:
        path = written(record, tmp_path / f"report-{len(contexts)}.html")
        shown.add(path.as_uri())
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri() + address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert {address.partition("#")[0] for address in asked if not address.startswith(("data:", "blob:"))} == shown
    assert complaints == []


def units_of(record: Record) -> pd.DataFrame:
    return record.table("units")


def rows_of(page: Page) -> list[tuple[str, int]]:
    cells = page.locator("#units tbody tr").evaluate_all(
        "rows => rows.map(row => [row.cells[0].textContent, Number(row.cells[1].textContent)])"
    )
    return [(site, unit) for site, unit in cells]


def head_of(page: Page, name: str) -> Locator:
    return page.locator(f"#units th[data-column='{name}']")


def saved(page: Page, button: Locator, place: Path) -> pd.DataFrame:
    with page.expect_download() as download:
        button.click()
    download.value.save_as(place)
    with place.open(encoding="utf-8", newline="") as stream:
        head, *rows = csv.reader(stream)
    return pd.DataFrame({name: _figures(column) for name, column in zip(head, zip(*rows, strict=True), strict=True)})


def _figures(column: tuple[str, ...]) -> list[Any]:
    try:
        return [float(text) if text else np.nan for text in column]
    except ValueError:
        return list(column)


def in_points(fraction: float) -> str:
    words = f"{100 * fraction:.2f}"
    return words.removeprefix("-") if float(words) == 0 else words.replace("-", "−")


def test_the_head_says_what_was_measured_even_without_javascript(show: Show, run: Record) -> None:
    page = show(run, java_script_enabled=False)
    expect(page.locator("h1")).to_have_text("small on digits")
    expect(page.locator(".report-facts")).to_contain_text(f"{100 * run.record.document['accuracy']:.2f} %")
    expect(page.locator(".lead")).to_contain_text("A drop is before − after")
    expect(page.get_by_text("need JavaScript")).to_be_visible()


def test_the_table_sorts_by_every_figure_and_says_so(show: Show, run: Record) -> None:
    page, units = show(run), units_of(run)
    expect(head_of(page, "accuracy_drop")).to_have_attribute("aria-sort", "descending")
    for name in ("accuracy_drop", "heldout_max_class_drop", "class_selectivity", "l1_norm"):
        if name != "accuracy_drop":
            head_of(page, name).get_by_role("button").click()
        expect(head_of(page, name)).to_have_attribute("aria-sort", "descending")
        ordered = units.assign(place=units.index).sort_values([name, "place"], ascending=[False, True]).head(50)
        assert rows_of(page) == list(zip(ordered["site"], ordered["unit"], strict=True))
    head_of(page, "l1_norm").get_by_role("button").press("Enter")
    expect(head_of(page, "l1_norm")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("#units th[aria-sort='none']")).to_have_count(7)
    smallest = units.loc[units["l1_norm"].idxmin()]
    assert rows_of(page)[0] == (smallest["site"], smallest["unit"])


def test_what_is_unknown_stands_last_whichever_way_it_is_sorted(show: Show, run: Record, tmp_path: Path) -> None:
    units = units_of(run)
    units.loc[units.index[:3], "class_selectivity"] = np.nan
    page = show(changed(run, tmp_path / "record", units=units))
    page.get_by_label("Rows").select_option("500")
    for _ in range(2):
        head_of(page, "class_selectivity").get_by_role("button").click()
        assert rows_of(page)[-3:] == [("relu1", 0), ("relu1", 1), ("relu1", 2)]


def test_pages_hold_every_unit_once(show: Show, run: Record) -> None:
    page, units = show(run), units_of(run)
    seen = rows_of(page)
    while page.get_by_role("button", name="Next page of units").is_enabled():
        page.get_by_role("button", name="Next page of units").click()
        seen += rows_of(page)
    assert len(seen) == len(units)
    assert set(seen) == set(zip(units["site"], units["unit"], strict=True))
    expect(page.locator(".pager")).to_contain_text(f"151 to {len(units)} of {len(units)}")


def test_searching_finds_sites_numbers_and_classes(show: Show, run: Record, tmp_path: Path) -> None:
    document = json.loads(json.dumps(run.record.document))
    document["images"]["class_names"] = ["Zéro", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    page, units = show(changed(run, tmp_path / "record", document=document)), units_of(run)
    page.get_by_label("Rows").select_option("500")
    search, count = page.get_by_label("Find"), page.locator("#units output")
    for words, fitting in {
        "RELU2": units["site"] == "relu2",
        "7": units["unit"] == 7,
        "relu3 7": (units["site"] == "relu3") & (units["unit"] == 7),
        "zero": units["max_class"] == 0,
        "nothing of the kind": units["unit"] < 0,
    }.items():
        search.fill(words)
        assert set(rows_of(page)) == set(zip(units["site"][fitting], units["unit"][fitting], strict=True)), words
        expect(count).to_have_text(f"{fitting.sum()} of {len(units)} units")
    search.fill("")
    page.locator("#units").get_by_label("Site").select_option("relu1")
    expect(count).to_have_text(f"{(units['site'] == 'relu1').sum()} of {len(units)} units")


def test_figures_stand_in_points_with_intervals_and_classes(show: Show, run: Record) -> None:
    page, units = show(run), units_of(run)
    worst = units.sort_values("accuracy_drop", ascending=False, kind="stable").iloc[0]
    row = page.locator("#units tbody tr").first
    bounds = f"{in_points(worst['accuracy_drop_low'])} to {in_points(worst['accuracy_drop_high'])}"
    expect(row.locator("td").nth(1)).to_have_text(f"{in_points(worst['accuracy_drop'])} {bounds}")
    expect(row.locator("td").nth(2)).to_have_text(f"{in_points(worst['max_class_drop'])} {worst['max_class']}")


def test_the_reader_chooses_the_columns(show: Show, run: Record) -> None:
    page = show(run)
    expect(head_of(page, "apoz")).to_have_count(0)
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="APoZ").check()
    page.get_by_role("checkbox", name="L1 norm", exact=True).uncheck()
    expect(head_of(page, "apoz")).to_have_count(1)
    expect(head_of(page, "l1_norm")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("input[value='apoz']")).to_be_hidden()
    head_of(page, "apoz").get_by_role("button").click()
    largest = units_of(run)["apoz"].idxmax()
    assert rows_of(page)[0] == tuple(units_of(run).loc[largest, ["site", "unit"]])


def test_the_tables_file_holds_what_is_shown_with_the_records_figures(show: Show, run: Record, tmp_path: Path) -> None:
    page, units = show(run), units_of(run)
    page.get_by_label("Find").fill("relu2")
    table = saved(page, page.get_by_role("button", name="CSV of these units"), tmp_path / "units.csv")
    expected = units[units["site"] == "relu2"].sort_values("accuracy_drop", ascending=False, kind="stable")
    assert list(table.columns[:6]) == [
        *("site", "unit", "accuracy_drop", "accuracy_drop_low", "accuracy_drop_high", "max_class_drop"),
    ]
    for name in table.columns:
        assert table[name].tolist() == expected[name].tolist(), name


def dots(page: Page) -> Locator:
    page.locator("#scatter").scroll_into_view_if_needed()
    return page.locator("#scatter svg .mark-symbol path")


def test_the_scatter_plot_shows_live_units_and_the_records_correlation(show: Show, run: Record, tmp_path: Path) -> None:
    units = units_of(run)
    units["dead"] = (units["site"] == "relu2") & (units["unit"] < 5)
    correlations = run.table("correlations")
    page = show(changed(run, tmp_path / "record", units=units))
    expect(dots(page)).to_have_count(64)
    page.locator("#scatter").get_by_label("Site").select_option("relu2")
    page.locator("#scatter").get_by_label("Across").select_option("l1_norm")
    page.locator("#scatter").get_by_label("Up").select_option("accuracy_drop")
    expect(dots(page)).to_have_count(59)
    chosen = correlations.query("site == 'relu2' and attribute == 'l1_norm' and measure == 'accuracy_drop'").iloc[0]
    rho, low, high = (f"{chosen[name]:.2f}".replace("-", "−") for name in ("estimate", "low", "high"))
    expect(page.locator("#scatter .finding")).to_contain_text(
        f"Spearman’s ρ = {rho}, 95 % interval {low} to {high}, over 59 live units of relu2; 5 dead units left out."
    )
    expect(page.locator("#scatter .finding")).to_contain_text("Kendall’s τ = ")
    expect(page.locator("#scatter .finding")).to_contain_text("Spearman’s ρ given class selectivity = ")
    page.locator("#scatter").get_by_label("Across").select_option("maximum_informedness_threshold")
    expect(page.locator("#scatter .finding")).to_contain_text("The record holds no correlation of these two.")
    page.locator("#scatter").get_by_label("Across").select_option("apoz")
    table = saved(page, page.get_by_role("button", name="CSV of this plot"), tmp_path / "scatter.csv")
    live = units[(units["site"] == "relu2") & ~units["dead"]].set_index("unit")
    assert dict(zip(table["unit"], table["apoz"], strict=True)) == live["apoz"].to_dict()
    assert dict(zip(table["unit"], table["accuracy_drop"], strict=True)) == live["accuracy_drop"].to_dict()


def test_a_dot_says_its_values_and_opens_its_unit(show: Show, run: Record) -> None:
    page, units = show(run), units_of(run)
    ours = units[units["site"] == "relu3"]
    dearest = ours.loc[ours["heldout_max_class_drop"].idxmax()]
    expect(dots(page)).to_have_count(64)
    top = min(dots(page).all(), key=lambda dot: (dot.bounding_box() or {"y": 1e9})["y"])
    top.hover()
    note = page.locator("#scatter .chart-note")
    expect(note).to_contain_text(f"relu3, unit {dearest['unit']}")
    expect(note).to_contain_text(f"held-out class drop: {in_points(dearest['heldout_max_class_drop'])} points")
    expect(note).to_contain_text(f"class selectivity: {dearest['class_selectivity']:.4g}"[:25])
    top.click()
    expect(page.locator("h1#unit-title")).to_have_text(f"Unit {dearest['unit']}")
    assert page.url.endswith(f"#/relu3/{dearest['unit']}")


def test_the_keyboard_walks_from_dot_to_dot(show: Show, run: Record) -> None:
    page = show(run)
    expect(dots(page)).to_have_count(64)
    page.locator("#scatter .plot").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    ours = units_of(run).query("site == 'relu3'").sort_values("class_selectivity", kind="stable")
    unit = int(ours["unit"].iloc[1])
    expect(page.locator("#scatter [aria-live='polite'].visually-hidden")).to_contain_text(f"relu3, unit {unit}")
    page.keyboard.press("Enter")
    expect(page.locator("h1#unit-title")).to_have_text(f"Unit {unit}")


def cell(page: Page, column: int, line: int, columns: int, lines: int) -> dict[str, float]:
    canvas = page.locator("#heat canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    return {"x": (column + 0.5) * box["width"] / columns, "y": (line + 0.5) * box["height"] / lines}


def test_the_heat_map_says_and_colours_what_each_unit_costs_each_class(show: Show, run: Record) -> None:
    page, classes = show(run), run.table("classes")
    page.locator("#heat").scroll_into_view_if_needed()
    page.locator("#heat").get_by_label("Units by").select_option("unit")
    ours = classes[classes["site"] == "relu3"]
    worst = ours.loc[ours["drop"].idxmax()]
    still = ours[ours["drop"] == 0].iloc[0]
    page.locator("#heat canvas").hover(position=cell(page, worst["unit"], worst["label"], 64, 10))
    note = page.locator("#heat .chart-note")
    expect(note).to_contain_text(
        f"relu3, unit {worst['unit']}\n{worst['label']}\ndrop: {in_points(worst['drop'])} points"
    )
    expect(note).to_contain_text(f"lost {worst['losses']}, gained {worst['gains']} of {worst['images']} images")
    drawn = page.evaluate(
        "[...document.querySelector('#heat canvas').getContext('2d').getImageData(0, 0, 64, 10).data]"
    )
    picture = np.array(drawn).reshape(10, 64, 4)
    colours = [picture[row["label"], row["unit"]].tolist() for row in (worst, still)]
    assert colours == [[0xB8, 0x4A, 0x00, 255], [255, 255, 255, 255]]
    page.locator("#heat canvas").click(position=cell(page, worst["unit"], worst["label"], 64, 10))
    expect(page.locator("h1#unit-title")).to_have_text(f"Unit {worst['unit']}")


def test_the_heat_maps_units_stand_in_the_order_that_was_asked_for(show: Show, run: Record, tmp_path: Path) -> None:
    page, units = show(run), units_of(run)
    page.locator("#heat").scroll_into_view_if_needed()
    page.locator("#heat").get_by_label("Units by").select_option("drop")
    table = saved(page, page.get_by_role("button", name="CSV of this map"), tmp_path / "map.csv")
    ours = units[units["site"] == "relu3"].sort_values("accuracy_drop", ascending=False, kind="stable")
    assert table["unit"].drop_duplicates().tolist() == ours["unit"].tolist()
    expected = run.table("classes").query("site == 'relu3'").set_index(["unit", "label"])
    for name in ("images", "drop", "low", "high", "losses", "gains", "q_value"):
        shown = dict(zip(zip(table["unit"], table["label"], strict=True), table[name], strict=True))
        assert shown == expected[name].to_dict(), name
    page.locator("#heat canvas").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#heat [aria-live]")).to_contain_text(f"relu3, unit {ours['unit'].iloc[1]}\n1\n")
    page.keyboard.press("Enter")
    expect(page.locator("h1#unit-title")).to_have_text(f"Unit {ours['unit'].iloc[1]}")


def dearest(run: Record) -> tuple[str, int]:
    units = units_of(run)
    worst = units.loc[units["accuracy_drop"].idxmax()]
    return str(worst["site"]), int(worst["unit"])


def test_a_units_page_shows_its_images_with_its_map_over_them_or_not(show: Show, run: Record) -> None:
    site, unit = dearest(run)
    page = show(run, f"#/{site}/{unit}")
    exemplars = run.table("exemplars").query("site == @site and unit == @unit").sort_values("rank")
    labels = run.table("images").set_index("image")["label"]
    images = page.locator(".exemplars img")
    expect(images).to_have_count(len(exemplars))
    for shown, fact in zip(images.all(), exemplars.to_dict("records"), strict=True):
        expect(shown).to_have_attribute("alt", _starting(f"Image {fact['image']}, {labels[fact['image']]}"))
        assert shown.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [
            28,
            28,
        ]
    first = exemplars.iloc[0]
    drawn = page.locator(".overlay").first.evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
    )
    opacity = np.array(drawn).reshape(first["height"], first["width"], 4)[:, :, 3]
    held = np.frombuffer(first["map"], np.uint8).reshape(first["height"], first["width"])
    assert held.max() == 255
    assert np.abs(opacity - 0.66 * held).max() <= 1
    expect(page.locator(".overlay").first).to_be_visible()
    page.get_by_label("Show where the unit is active").uncheck()
    expect(page.locator(".overlay").first).to_be_hidden()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_label("Show where the unit is active")).not_to_be_checked()
    expect(page.locator(".overlay").first).to_be_hidden()


def _starting(words: str) -> Any:
    return re.compile("^" + re.escape(words))


def test_a_units_page_says_whom_it_costs_and_what_it_changes(show: Show, run: Record, tmp_path: Path) -> None:
    site, unit = dearest(run)
    page = show(run, f"#/{site}/{unit}")
    classes = run.table("classes").query("site == @site and unit == @unit")
    flips = run.table("flips").query("site == @site and unit == @unit")
    expect(page.locator(".class-chart .mark-symbol path")).to_have_count(len(classes))
    worst = classes.loc[classes["drop"].idxmax()]
    line = page.get_by_role("table", name="Class drops").locator("tbody tr").first
    bounds = f"{in_points(worst['low'])} to {in_points(worst['high'])}"
    cells = [str(worst["label"]), in_points(worst["drop"]), bounds, *(str(worst[name]) for name in ("losses", "gains"))]
    assert line.locator("th, td").all_text_contents()[:5] == cells
    table = saved(page, page.get_by_role("button", name="CSV of these drops"), tmp_path / "drops.csv")
    for name in ("label", "images", "drop", "low", "high", "losses", "gains", "q_value"):
        assert table[name].tolist() == classes[name].tolist(), name
    changes = saved(page, page.get_by_role("button", name="CSV of these changes"), tmp_path / "changes.csv")
    counted = flips.groupby(["before", "after"]).size()
    shown = {(before, after): n for before, after, n in changes[["before", "after", "predictions"]].to_numpy().tolist()}
    assert shown == counted.to_dict()
    assert changes["lost"].sum() == (flips["before"] == flips["label"]).sum()
    frequent = page.get_by_role("table", name="Changed predictions").locator("tbody tr").first
    expect(frequent.locator("td").first).to_have_text(str(counted.max()))


def test_attributes_have_their_place_among_the_sites_live_units(show: Show, run: Record, tmp_path: Path) -> None:
    site, unit = dearest(run)
    page = show(run, f"#/{site}/{unit}")
    table = saved(page, page.get_by_role("button", name="CSV of these attributes"), tmp_path / "attributes.csv")
    units = units_of(run)
    live = units[(units["site"] == site) & ~units["dead"]].set_index("unit")
    assert len(table) > 10
    for attribute, value, percentile in table[["attribute", "value", "percentile"]].to_numpy().tolist():
        column = live[attribute].dropna()
        assert value == column[unit]
        below, equal = (column < value).sum(), (column == value).sum()
        assert percentile == pytest.approx(100 * (below + equal / 2) / len(column))


def test_the_way_leads_from_the_table_through_units_and_back(show: Show, run: Record) -> None:
    page = show(run)
    page.get_by_role("button", name="Next page of units").scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    page.locator("#units tbody a").last.click()
    title = page.locator("h1#unit-title")
    expect(title).to_be_focused()
    first = title.text_content()
    page.get_by_role("link", name="Next").click()
    expect(title).not_to_have_text(str(first))
    page.get_by_role("link", name="Previous").click()
    expect(title).to_have_text(str(first))
    page.get_by_role("link", name="All units").click()
    expect(page.locator("#units table")).to_be_visible()
    assert abs(page.evaluate("scrollY") - before) < 5
    page.go_back()
    expect(title).to_be_visible()
    page.get_by_role("link", name="Classes").click()
    expect(page.locator("#heat h2")).to_be_in_viewport()


FURTHER = [pytest.param(address, marks=pytest.mark.thorough) for address in ("#/nowhere/0", "#/", "#nothing")]


@pytest.mark.parametrize("address", ["#/relu1/9999", "#/%E0%A4%A/1", *FURTHER])
def test_an_address_of_no_unit_shows_the_whole(show: Show, run: Record, address: str) -> None:
    page = show(run, address)
    expect(page.locator("#units table")).to_be_visible()
    expect(page.locator("#unit")).to_be_hidden()


@pytest.mark.crossed
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window_and_colours_follow_the_system(
    show: Show, run: Record, width: int, scheme: str
) -> None:
    page = show(run, viewport={"width": width, "height": 844}, color_scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) < 200) == (scheme == "dark")
    expect(dots(page)).to_have_count(64)
    page.locator("#heat").scroll_into_view_if_needed()
    page.locator(".chooser summary").click()
    page.get_by_text("What each site cost").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    site, unit = dearest(run)
    page.evaluate("address => { location.hash = address; }", f"#/{site}/{unit}")
    expect(page.locator(".class-chart svg")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_switch_changes_page_and_charts_and_is_remembered(show: Show, run: Record) -> None:
    page = show(run, color_scheme="light")
    light = dots(page).first.get_attribute("fill")
    page.get_by_role("button", name="Switch to the dark theme").click()
    expect(dots(page).first).not_to_have_attribute("fill", str(light))
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert dots(page).first.get_attribute("fill") == "#56b4e9"


def test_paper_is_white_without_controls_and_with_every_chart(show: Show, run: Record) -> None:
    page = show(run, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
    for hidden in ("#units .controls", ".pager", ".site-head", ".hint"):
        expect(page.locator(hidden).first).to_be_hidden()
    assert page.locator("#scatter svg .mark-symbol path").first.get_attribute("fill") == "#0072b2"
    assert page.locator("#heat canvas").evaluate("canvas => canvas.width") == 64
    expect(page.locator("#units tbody tr").last).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('#units .scroll')).overflowX") == "visible"


def test_hostile_names_stay_text_everywhere(show: Show, run: Record, tmp_path: Path) -> None:
    document = json.loads(json.dumps(run.record.document))
    document["network"]["name"] = document["images"]["name"] = HOSTILE
    document["warnings"] = [HOSTILE]
    document["images"]["class_names"] = [*(f"{HOSTILE}{label}" for label in range(9)), "=SUM(A1)"]
    tables = {name: run.table(name) for name in ("units", "classes", "flips", "correlations", "exemplars")}
    renamed = {name: table.assign(site=HOSTILE + table["site"]) for name, table in tables.items()}
    hostile = changed(run, tmp_path / "record", document=document, attribute_classes=None, **renamed)
    page = show(hostile, viewport={"width": 390, "height": 844})
    expect(page.locator("h1")).to_contain_text("<img src=x")
    expect(page.locator("#units td.site").first).to_contain_text(HOSTILE)
    expect(dots(page)).to_have_count(64)
    dots(page).first.hover()
    expect(page.locator("#scatter .chart-note")).to_contain_text(f"\u2068{HOSTILE}relu3\u2069")
    table = saved(page, page.get_by_role("button", name="CSV of this map"), tmp_path / "map.csv")
    assert set(table["site"]) == {f"{HOSTILE}relu3"}
    assert set(table["class"]) == {*(f"{HOSTILE}{label}" for label in range(9)), "'=SUM(A1)"}
    page.locator("#units tbody a").first.click()
    expect(page.locator("#unit .kicker")).to_contain_text(HOSTILE)
    expect(page.locator(".exemplars img")).to_have_count(9)
    expect(page.locator(".class-chart svg")).to_be_visible()
    assert page.locator("img:not(.exemplars img)").count() == 0
    assert page.locator("b").count() == 0
    assert "broken" not in page.title()[:10]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_record_of_the_first_version_shows_what_it_has(show: Show, run: Record, tmp_path: Path) -> None:
    columns = [
        *("site", "unit", "images", "accuracy_drop", "accuracy_drop_low", "accuracy_drop_high", "losses", "gains"),
        *("p_value", "q_value", "max_class_drop", "max_class", "heldout_max_class_drop"),
    ]
    document = json.loads(json.dumps(run.record.document))
    document["images"]["class_names"] = None
    gone = dict.fromkeys(["attribute_classes", "exemplars", "thumbnails", "correlations"])
    older = changed(run, tmp_path / "record", document=document, units=units_of(run)[columns], **gone)
    page = show(older)
    expect(page.locator("#units tbody tr")).to_have_count(50)
    expect(page.locator("#units tbody tr").first).to_contain_text("class ")
    expect(page.locator("#scatter")).to_contain_text("The record holds no attributes")
    page.locator("#units tbody a").first.click()
    expect(page.locator(".class-chart svg")).to_be_visible()
    expect(page.get_by_text("Images that activate it most")).to_have_count(0)
    expect(page.get_by_text("Its attributes")).to_have_count(0)


def test_a_network_of_dead_units_that_change_nothing_has_a_report(show: Show, run: Record, tmp_path: Path) -> None:
    still = {"losses": np.int32(0), "gains": np.int32(0)}
    units = units_of(run).assign(dead=True, accuracy_drop=0.0, max_class_drop=0.0, max_class=np.int32(0), **still)
    classes = run.table("classes").assign(drop=0.0, low=-0.1, high=0.1, q_value=1.0, **still)
    nothing = {name: run.table(name).iloc[:0] for name in ("flips", "exemplars", "thumbnails")}
    page = show(changed(run, tmp_path / "record", units=units, classes=classes, **nothing))
    expect(page.locator("#units tbody tr.dead")).to_have_count(50)
    page.locator("#scatter").scroll_into_view_if_needed()
    expect(page.locator("#scatter .finding")).to_contain_text("64 dead units left out")
    page.locator("#heat").scroll_into_view_if_needed()
    page.locator("#units tbody a").first.click()
    expect(page.get_by_text("dead: never active on these images")).to_be_visible()
    expect(page.get_by_text("No image activates it.")).to_be_visible()
    expect(page.get_by_text("None: without it every image is classified as before.")).to_be_visible()


def test_hundreds_of_sites_and_a_thousand_classes_stay_readable(show: Show, run: Record, tmp_path: Path) -> None:
    count = 300
    first = units_of(run).head(10)
    units = pd.concat([first.assign(site=f"block{number}.relu") for number in range(count)], ignore_index=True)
    units["max_class"] = (np.arange(len(units)) % 1000).astype(np.int32)
    fact = {
        "images": 50,
        "losses": 0,
        "gains": 0,
        "drop": 0.0,
        "low": -0.07,
        "high": 0.07,
        "p_value": 1.0,
        "q_value": 1.0,
    }
    labels = np.arange(1000, dtype=np.int32)
    still = pd.DataFrame({"site": "block0.relu", "unit": np.int32(0), "label": labels, **fact})
    hit = pd.DataFrame({"site": units["site"], "unit": units["unit"], "label": units["max_class"], **fact})[1:]
    hit = hit.assign(losses=5, drop=0.1, low=0.03, high=0.2)
    document = json.loads(json.dumps(run.record.document))
    document["images"] |= {"classes": 1000, "class_names": [f"kind {label}" for label in labels]}
    gone = dict.fromkeys(["attribute_classes", "exemplars", "thumbnails", "correlations"])
    flips = run.table("flips").iloc[:0]
    tables = {"units": units, "classes": pd.concat([still, hit]), "flips": flips}
    page = show(changed(run, tmp_path / "record", document=document, **tables, **gone))
    expect(page.locator("#units output")).to_have_text("3,000 units")
    page.get_by_label("Find").fill("block299 3")
    expect(page.locator("#units tbody tr")).to_have_count(1)
    page.locator("#heat").scroll_into_view_if_needed()
    canvas = page.locator("#heat canvas")
    expect(canvas).to_have_js_property("width", 10)  # it is drawn once it is seen
    expect(canvas).to_have_js_property("height", 1000)
    assert page.evaluate("document.querySelector('.heat').clientHeight < innerHeight")
    page.locator("#units tbody a").click()
    expect(page.get_by_text("The 24 classes that change most, of 1,000.")).to_be_visible()
    expect(page.locator(".class-chart .mark-symbol path")).to_have_count(24)
    expect(page.get_by_role("table", name="Class drops").locator("tbody tr")).to_have_count(1)
    expect(page.get_by_text("999 other classes have no answer that changed.")).to_be_visible()
