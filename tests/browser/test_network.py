"""The citation network in a real browser: hover, click through, drag, zoom, keyboard, touch, no JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from lenslab.library.models import Citation, Work
from tests.browser.conftest import Open

STAGE = "#network .network-stage"
PLACE = """([stage, chosen]) => {
  const network = stage._cyreg.cy;
  const node = network.nodes(chosen)[0];
  const frame = stage.getBoundingClientRect();
  const { x, y } = node.renderedPosition();
  return { x: frame.left + x, y: frame.top + y, title: node.data("title"), address: node.data("address") };
}"""


def network_of(page: Page) -> Any:
    stage = page.locator(f"{STAGE}[data-ready]")
    stage.scroll_into_view_if_needed()
    expect(stage).to_be_visible()
    return stage.element_handle()


def place(page: Page, chosen: str) -> dict[str, Any]:
    return dict(page.evaluate(PLACE, [network_of(page), chosen]))


def zoom_of(page: Page) -> float:
    return float(page.evaluate("stage => stage._cyreg.cy.zoom()", network_of(page)))


def test_hovering_over_a_node_shows_its_title(visit: Open) -> None:
    page = visit()
    node = place(page, ".citing")
    note = page.locator(".network-note")
    expect(note).to_be_hidden()
    page.mouse.move(node["x"], node["y"])
    expect(note).to_be_visible()
    expect(note).to_contain_text(node["title"])
    expect(note).to_contain_text("Citing paper")
    page.mouse.move(node["x"] + 17, node["y"] + 17)
    expect(note).to_be_hidden()


def test_clicking_a_node_opens_its_paper(visit: Open) -> None:
    page = visit()
    node = place(page, ".referenced")
    page.mouse.click(node["x"], node["y"])
    page.wait_for_url(f"**{node['address']}")
    expect(page.locator("h1")).to_contain_text(node["title"][:20])
    # From there the way leads back: this work is cited by the paper we came from.
    back = place(page, ".citing")
    assert back["address"] == "/paper/1806.02891"
    page.mouse.click(back["x"], back["y"])
    page.wait_for_url("**/paper/1806.02891")


def test_dragging_moves_a_node_and_opens_nothing(visit: Open) -> None:
    page = visit()
    before = place(page, ".citing")
    page.mouse.move(before["x"], before["y"])
    page.mouse.down()
    page.mouse.move(before["x"] + 30, before["y"] + 20, steps=4)
    page.mouse.move(before["x"] + 60, before["y"] + 40, steps=4)
    page.mouse.up()
    after = place(page, ".citing")
    assert abs(after["x"] - before["x"] - 60) < 3
    assert abs(after["y"] - before["y"] - 40) < 3
    assert page.url.endswith("/paper/1806.02891")


def test_zoom_buttons_at_the_bottom_right_zoom(visit: Open) -> None:
    page = visit()
    first = zoom_of(page)
    page.get_by_role("button", name="Zoom in").click()
    larger = zoom_of(page)
    assert larger > first * 1.2
    page.get_by_role("button", name="Zoom out").click()
    page.get_by_role("button", name="Zoom out").click()
    assert zoom_of(page) < first
    page.get_by_role("button", name="Show everything").click()
    assert abs(zoom_of(page) - first) < 0.02
    stage, button = page.locator(STAGE).bounding_box(), page.get_by_role("button", name="Zoom in").bounding_box()
    assert stage is not None
    assert button is not None
    assert button["x"] > stage["x"] + 0.9 * stage["width"]
    assert button["y"] > stage["y"] + 0.7 * stage["height"]
    assert min(button["width"], button["height"]) >= 24


@pytest.mark.thorough
def test_zooming_is_animated_for_those_who_like_it(visit: Open) -> None:
    page = visit(reduced_motion="no-preference")
    first = zoom_of(page)
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("([stage, first]) => stage._cyreg.cy.zoom() > first * 1.2", arg=[network_of(page), first])
    assert zoom_of(page) > first * 1.2


def test_shapes_and_colours_tell_the_directions_apart(visit: Open) -> None:
    page = visit()
    shown = page.evaluate(
        """stage => Object.fromEntries(["current", "citing", "referenced"].map((role) => {
          const node = stage._cyreg.cy.nodes("." + role)[0];
          return [role, [node.style("shape"), node.style("shape-polygon-points"), node.style("background-color")]];
        }))""",
        network_of(page),
    )
    assert shown["current"][0] == "ellipse"
    assert shown["citing"][0] == shown["referenced"][0] == "polygon"
    assert shown["citing"][1] != shown["referenced"][1]
    assert len({colour for _, _, colour in shown.values()}) == 3


def test_the_server_s_places_are_the_browser_s(visit: Open) -> None:
    page = visit()
    drawn = page.evaluate(
        "stage => stage._cyreg.cy.nodes('.work').map(n => [n.data('address'), n.position('x'), n.position('y')])",
        network_of(page),
    )
    plain = visit(java_script_enabled=False)
    sent = plain.locator("svg.network-picture a").evaluate_all(
        "links => links.map(a => [a.getAttribute('href'), ...a.querySelector('path').getAttribute('transform')"
        ".match(/-?[\\d.]+/g).map(Number)])"
    )
    assert len(sent) > 100
    assert {(address, round(x, 1), round(y, 1)) for address, x, y in sent} == {
        (address, round(x, 1), round(y, 1)) for address, x, y in drawn if (x, y) != (0, 0)
    }


def test_the_keyboard_walks_through_the_network(visit: Open) -> None:
    page = visit()
    network_of(page)
    page.locator(STAGE).focus()
    live = page.locator(".network-live")
    page.keyboard.press("ArrowRight")
    expect(live).to_contain_text("This paper: Revisiting the Importance")
    page.keyboard.press("ArrowRight")
    total = Citation.objects.filter(cited__key="1806.02891").count()
    expect(live).to_contain_text(f"Citing paper 1 of {total}: ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(live).to_contain_text(f"Citing paper 3 of {total}: ")
    page.keyboard.press("ArrowLeft")
    expect(live).to_contain_text(f"Citing paper 2 of {total}: ")
    page.keyboard.press("End")
    expect(live).to_contain_text("Referenced paper")
    zoom = zoom_of(page)
    page.keyboard.press("+")
    page.wait_for_function("([stage, zoom]) => stage._cyreg.cy.zoom() > zoom", arg=[network_of(page), zoom])
    title = (live.text_content() or "").split(": ", 1)[1]
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: not address.endswith("/paper/1806.02891"))
    assert title.startswith(page.locator("h1").inner_text()[:15])


def test_the_network_is_one_tab_stop_and_escape_leaves_it(visit: Open) -> None:
    page = visit()
    network_of(page)
    page.locator(STAGE).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator(".network-note")).to_be_hidden()
    page.locator(STAGE).focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Zoom in")).to_be_focused()


def test_a_touch_opens_a_paper(visit: Open) -> None:
    page = visit(has_touch=True, viewport={"width": 390, "height": 844})
    node = place(page, ".citing")
    page.touchscreen.tap(node["x"], node["y"])
    expect(page).to_have_url(re.compile(re.escape(node["address"]) + "$"))


def test_without_javascript_the_picture_is_there_with_links(visit: Open) -> None:
    page = visit(java_script_enabled=False)
    picture = page.locator("svg.network-picture")
    expect(picture).to_be_visible()
    expect(page.locator(STAGE)).to_be_hidden()
    edges = Citation.objects.count()
    expect(picture.locator("a")).to_have_count(edges)
    expect(page.locator("#works tbody tr")).to_have_count(edges)
    link = picture.locator("a").first
    address = link.get_attribute("href")
    link.click()
    assert page.url.endswith(str(address))


def test_a_work_that_nothing_cites_and_that_cites_nothing_says_so(visit: Open) -> None:
    Work.objects.create(key="alone", title="Alone", year=2020)
    page = visit("/work/alone")
    expect(page.locator("#citation-network")).to_contain_text("name no work that cites this one")
