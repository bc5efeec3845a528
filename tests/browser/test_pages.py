"""Pages in a real browser: looks, table, formulas, charts, discussion; phone and desktop, light and dark."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from lenslab.library.models import Work
from lenslab.records import Record
from tests.browser.conftest import Open

PASSWORD = "a-long-and-odd-password-7"
MARKS = ("current", "citing", "referenced")
CONTRAST = """([front, back]) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    canvas.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data]
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low, high] = [luminance(front), luminance(back)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""


def widths(page: Page) -> tuple[int, int]:
    return page.evaluate("document.documentElement.scrollWidth"), page.evaluate("window.innerWidth")


@pytest.mark.crossed
@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("address", ["/paper/1806.02891", "/", "/cookies", "/sign-up", "/nothing/at/all"])
def test_a_phone_scrolls_in_one_direction_only(
    visit: Open, study: Callable[..., Record], address: str, script: bool
) -> None:
    study()
    if address.startswith("/nothing"):
        Work.objects.create(key="wide", title="W" * 300, abstract="x" * 400, year=2020)
        address = "/work/wide"
    page = visit(address, viewport={"width": 390, "height": 844}, java_script_enabled=script)
    width, room = widths(page)
    assert width <= room


@pytest.mark.thorough
def test_the_desktop_page_fits_too(visit: Open, study: Callable[..., Record]) -> None:
    study()
    width, room = widths(visit())
    assert width <= room


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_stand_out_in_both_themes(visit: Open, scheme: str) -> None:
    page = visit("/", color_scheme=scheme)
    for name in ("ink", "ink-soft", "link", "accent", "good", "bad", "open"):
        for ground in ("paper", "surface"):
            assert page.evaluate(CONTRAST, [name, ground]) >= 4.5, (name, ground)
    for name in ("good", "bad", "open"):
        assert page.evaluate(CONTRAST, [name, f"{name}-ground"]) >= 4.5
    for name in MARKS:
        assert page.evaluate(CONTRAST, [name, "surface"]) >= 3, name


def test_the_system_s_dark_scheme_is_followed_and_the_switch_overrules_it(visit: Open) -> None:
    page = visit("/", color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Switch to the light theme").click()
    light = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == light
    page.get_by_role("button", name="Switch to the dark theme").click()
    assert page.evaluate(ground) == dark


def test_the_table_sorts_by_what_is_clicked(visit: Open) -> None:
    page = visit()
    titles = page.locator("#works tbody tr:visible td.title > a")
    page.get_by_role("button", name="Title").click()
    first = titles.first.inner_text()
    assert first == sorted(titles.all_inner_texts(), key=lambda title: re.sub(r"^\W+", "", title).lower())[0]
    expect(page.locator("th[data-sorts=title]")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Title").click()
    assert titles.last.inner_text() == first
    page.get_by_role("button", name="Year").click()
    years = [int(year) for year in page.locator("#works td.number").all_inner_texts() if year.isdigit()]
    assert years == sorted(years, reverse=True)


def test_the_table_filters_by_words_and_direction_and_the_network_follows(visit: Open) -> None:
    page = visit()
    rows = page.locator("#works tbody tr:visible")
    total = rows.count()
    page.get_by_label("Filter", exact=True).fill("leavitt selectivity")
    expect(page.locator("#works-filter output")).to_have_text(re.compile(rf"^\d of {total} works$"))
    assert 0 < rows.count() < 5
    assert all("Leavitt" in text for text in rows.all_inner_texts())
    assert dimmed(page) == total - rows.count()
    page.get_by_label("Filter", exact=True).fill("")
    page.get_by_label("referenced", exact=True).check()
    assert set(page.locator("#works tbody tr:visible span.direction").all_inner_texts()) == {"referenced"}


def test_a_filter_that_was_there_before_the_network_counts_too(visit: Open) -> None:
    page = visit()
    held: list[Route] = []
    page.route("**/network-*.js", lambda route: held.append(route))
    page.reload()
    rows = page.locator("#works tbody tr:visible")
    total = rows.count()
    page.get_by_label("Filter", exact=True).fill("leavitt")
    expect(page.locator("#works-filter output")).to_have_text(re.compile(rf"^\d+ of {total} works$"))
    assert held
    for route in held:
        route.continue_()
    assert dimmed(page) == total - rows.count() > 0


def dimmed(page: Page) -> int:
    """How many works the network fades."""
    stage = page.locator("#network .network-stage[data-ready]").element_handle()
    return int(page.evaluate("stage => stage._cyreg.cy.nodes('.dimmed').length", stage))


def test_rows_without_authors_stand_last_and_folded_evidence_is_not_searched(visit: Open) -> None:
    page = visit()
    authors = page.locator("#works tbody td.authors")
    for _ in range(2):
        page.get_by_role("button", name="Authors").click()
        said = authors.all_inner_texts()
        assert said[-1] == "not recorded"
        named = [names for names in said if names != "not recorded"]
        assert said[: len(named)] == named
    page.get_by_label("Filter", exact=True).fill("recorded")
    expect(page.locator("#works-filter output")).to_have_text(re.compile(r"^0 of \d+ works$"))
    page.get_by_label("Filter", exact=True).fill("punctuation")
    expect(page.locator("#works-filter output")).to_have_text(re.compile(r"^0 of \d+ works$"))


@pytest.mark.parametrize("script", [True, pytest.param(False, marks=pytest.mark.thorough)])
def test_a_key_term_says_why_it_is_one_by_keyboard(visit: Open, script: bool) -> None:
    page = visit(java_script_enabled=script)
    reason = page.get_by_text("12 times here")
    expect(reason).to_be_hidden()
    page.locator(".terms summary").first.focus()
    page.keyboard.press("Enter")
    expect(reason).to_be_visible()
    width, room = widths(page) if script else (0, 0)
    assert width <= room
    page.keyboard.press("Enter")
    expect(reason).to_be_hidden()


def test_formulas_are_set_by_katex_and_bombs_stay_small(visit: Open) -> None:
    bomb = r"\def\a{xxxxxxxxxx}\def\b{\a\a\a\a\a\a\a\a\a\a}\def\c{\b\b\b\b\b\b\b\b\b\b}\c\c\c\c"
    Work.objects.create(
        key="formulas",
        title=r"On $\ell_1$ norms",
        abstract=rf"Let $x^2$ be. ${bomb}$ and $\href{{javascript:alert(1)}}{{x}}$ and $\rule{{9999em}}{{9999em}}$",
        year=2020,
    )
    page = visit("/work/formulas")
    expect(page.locator("h1 .katex")).to_be_visible()
    expect(page.locator(".abstract .katex").first).to_be_visible()
    expect(page.locator(".abstract")).to_contain_text(r"\def\a")
    assert page.locator(".abstract a[href^=javascript]").count() == 0
    width, room = widths(page)
    assert width <= room
    fonts = page.evaluate("document.fonts.ready.then(() => [...document.fonts].some(f => f.status === 'loaded'))")
    assert fonts


def test_charts_become_interactive_and_keep_the_theme(visit: Open, study: Callable[..., Record]) -> None:
    study()
    page = visit(color_scheme="dark")
    figure = page.locator("figure.chart").first
    figure.scroll_into_view_if_needed()
    expect(figure).to_have_class(re.compile("interactive"))
    expect(figure.locator("svg").first).to_be_visible()
    expect(figure.locator("img")).to_be_hidden()
    bar = figure.locator("svg path[aria-roledescription=bar]").nth(5)
    bar.hover()
    expect(figure.locator(".chart-note")).to_contain_text("drop")
    page.locator("#theme-switch").click()
    expect(figure.locator("svg").first).to_be_visible()


def test_charts_are_pictures_without_javascript(visit: Open, study: Callable[..., Record]) -> None:
    study()
    page = visit(java_script_enabled=False)
    picture = page.locator("figure.chart img").first
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()


def test_a_hostile_record_runs_nothing(visit: Open, study: Callable[..., Record]) -> None:
    record = study()
    charts = record.directory / "charts"
    script = "<script>document.title = 'owned'</script>"
    (charts / "claim-a.light.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=\'owned\'" viewBox="0 0 9 9">{script}'
        '<image href="https://example.org/a.png" width="9" height="9"/></svg>'
    )
    specification = json.loads((charts / "claim-a.vl.json").read_text())
    specification["params"] = [{"name": "x", "expr": "window.document.title = 'owned'"}]
    specification["title"] = script
    (charts / "claim-a.vl.json").write_text(json.dumps(specification))
    page = visit()
    page.locator("figure.chart").first.scroll_into_view_if_needed()
    page.locator("figure.chart").last.scroll_into_view_if_needed()
    expect(page.locator("figure.chart").last).to_have_class(re.compile("interactive"))
    assert page.title() != "owned"


def test_a_hostile_picture_opened_by_itself_runs_and_asks_for_nothing(
    browser: Browser, live_server: Any, study: Callable[..., Record]
) -> None:
    record = study()
    (record.directory / "charts" / "claim-a.light.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>mine</title>'
        "<script>document.querySelector('title').textContent = 'owned'</script>"
        '<image href="https://example.org/a.png" width="9" height="9"/></svg>'
    )
    page = browser.new_page()
    refused: list[str | None] = []
    page.on("requestfailed", lambda request: refused.append(request.failure))
    page.goto(f"{live_server.url}/results/first/charts/claim-a.light.svg")
    assert page.evaluate("document.querySelector('title').textContent") == "mine"
    assert refused == ["csp"]
    page.close()


@pytest.mark.parametrize("script", [True, pytest.param(False, marks=pytest.mark.thorough)])
def test_a_reader_signs_up_comments_and_signs_out_with_and_without_javascript(visit: Open, script: bool) -> None:
    page = visit(java_script_enabled=script)
    page.get_by_role("link", name="sign up", exact=True).click()
    page.get_by_label("Username").fill(f"ada-{script}")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/paper/1806.02891*")
    page.get_by_label("Your comment").fill("Does it hold for **transformers**?")
    page.get_by_role("button", name="Post").click()
    expect(page.locator(".comment-text strong").last).to_have_text("transformers")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Your comment").fill("Never mind.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".comment-text").last).to_have_text("Never mind.")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def test_the_notice_goes_away_without_javascript(visit: Open) -> None:
    page = visit(java_script_enabled=False)
    page.get_by_role("link", name="Got it").click()
    page.wait_for_url("**/paper/1806.02891")
    expect(page.get_by_role("link", name="Got it")).to_have_count(0)


def test_the_citation_can_be_copied(visit: Open) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy BibTeX").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("@misc{zhou2018revisiting")


def test_the_keyboard_can_skip_to_the_content_and_focus_is_seen(visit: Open) -> None:
    page = visit("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    box = skip.bounding_box()
    assert box is not None
    assert box["x"] >= 0


@pytest.mark.thorough
@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_that_a_reader_comes_to_is_whole(
    visit: Open, study: Callable[..., Record], width: int, script: bool
) -> None:
    study()
    page = visit("/", viewport={"width": width, "height": 900}, java_script_enabled=script)
    root, waiting, seen = page.url.rstrip("/"), ["/"], {"/"}
    while waiting:
        address = waiting.pop()
        answer = page.goto(root + address)
        assert answer is not None
        assert answer.status == 200, address
        scrolled, room = widths(page)
        assert scrolled <= room, address
        links = page.locator("a[href^='/']").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        found = {
            link
            for link in (re.sub("[?#].*", "", link) for link in links)
            if not link.startswith(("/results/", "/cookies/", "/static/"))
        } - seen
        seen |= found
        waiting += sorted(found)
    assert sum(address.startswith("/work/") for address in seen) > 100
