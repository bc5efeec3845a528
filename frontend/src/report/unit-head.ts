// The head of a unit's page: where it is, what it is called, and the way to its neighbours.

import { element, named } from "./dom";
import { address, type Units } from "./units";

export function unitHead(units: Units, row: number, badge: string | false): HTMLElement {
  const link = (to: number, words: string, rel: string): HTMLElement | false =>
    to >= 0 && to < units.count && element("a", { href: address(units, to), rel, class: "button quiet" }, words);
  return element(
    "header",
    { class: "unit-head" },
    element(
      "nav",
      { class: "controls", "aria-label": "Units" },
      element("a", { href: "#/" }, "All units"),
      link(row - 1, "‹ Previous", "prev"),
      link(row + 1, "Next ›", "next"),
    ),
    element("p", { class: "kicker" }, named(units.site(row))),
    element("h1", { id: "unit-title", tabindex: "-1" }, `Unit ${units.unit(row)}`),
    badge && element("p", { class: "badge" }, badge),
  );
}
