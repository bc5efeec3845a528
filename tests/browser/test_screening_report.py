"""A screening's report in a real browser, from the disk: estimates with intervals, lists, classes, phones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lenslab import report
from lenslab.runs import Screening


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Screening:
    from lenslab.units import screen

    out = tmp_path_factory.mktemp("screened") / "one"
    return screen("small", "digits", sites=["relu1", "relu2"], limit=80, precision=4.0, out=out)


@pytest.fixture(params=[1280, 390])
def page(browser: Browser, tmp_path: Path, found: Screening, request: pytest.FixtureRequest) -> Iterator[Page]:
    path = report.write(found, tmp_path / "report.html")
    context = browser.new_context(viewport={"width": request.param, "height": 844}, reduced_motion="reduce")
    shown, asked, complaints = context.new_page(), [], []
    shown.on("console", lambda message: complaints.append(message.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.on("request", lambda asking: asked.append(asking.url))
    shown.goto(path.as_uri())
    yield shown
    context.close()
    assert complaints == []
    assert {address.partition("#")[0] for address in asked if not address.startswith("data:")} == {path.as_uri()}


def test_it_shows_estimates_as_such_and_nothing_wider_than_the_window(page: Page, found: Screening) -> None:
    expect(page.locator(".kicker.screened")).to_have_text("Screened: estimates, not counts")
    expect(page.locator("main")).to_contain_text(f"{found.share:.2%} of the pairs")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    heads = page.locator("#units thead th").all_inner_texts()
    assert any("estimated accuracy drop" in head for head in heads)
    assert not any(head.startswith("accuracy drop") for head in heads)


def test_the_lists_name_the_records_top_units_with_their_probability(page: Page, found: Screening) -> None:
    page.locator("#top select").first.select_option("5")
    for by in ("accuracy_drop", "heldout_max_class_drop"):
        page.locator("#top select").last.select_option(by)
        rows, probability = found.top_units(5, by)
        shown = page.locator("#top tbody th").all_inner_texts()
        assert [int(unit) for unit in shown] == rows["unit"].tolist()
        rounded = f"{probability:.2f}" if probability == 0 or probability >= 0.1 else f"{probability:#.2g}"
        chance = rounded.replace("e-0", "e-")  # as JavaScript writes it
        expect(page.locator("#top .finding")).to_contain_text(f"with probability {chance}")
        expect(page.locator("#top svg.interval-bar")).to_have_count(5)


def test_the_table_filters_and_sorts_and_a_units_page_has_its_classes(page: Page, found: Screening) -> None:
    here = found.units[found.units["site"] == "relu2"]
    page.locator("#units select").first.select_option("relu2")
    expect(page.locator("#units")).to_contain_text(f"{len(here)} of {len(found.units)} units")
    page.locator("#units th[data-column='heldout_max_class_drop_estimate'] button").click()
    first = here.sort_values("heldout_max_class_drop_estimate", ascending=False, kind="stable").iloc[0]
    link = page.locator("#units tbody th a").first
    expect(link).to_have_text(str(first["unit"]))
    link.click()
    expect(page.locator("#unit-title")).to_have_text(f"Unit {first['unit']}")
    expect(page.locator("#unit .badge")).to_contain_text("screened: estimates from")
    expect(page.locator("#unit #classes tbody tr")).to_have_count(10)


def test_the_figure_draws_every_unit_of_a_site_with_its_interval(page: Page, found: Screening) -> None:
    page.locator("#intervals").scroll_into_view_if_needed()
    page.locator("#intervals select").select_option("relu2")
    expect(page.locator("#intervals svg .mark-symbol path")).to_have_count(int((found.units["site"] == "relu2").sum()))
