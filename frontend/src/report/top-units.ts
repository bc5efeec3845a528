// The units with the largest estimated drops, and how likely an exact run would name the same ones.

import { choice, element, named } from "./dom";
import { intervalBar, type Interval } from "./interval-bar";
import { address, type Units } from "./units";
import { interval, points, probability } from "./words";

const ORDERS = [
  ["accuracy_drop", "estimated accuracy drop"],
  ["heldout_max_class_drop", "estimated held-out class drop"],
] as const;

const QUANTILE = 1.96;

/** Makes the part; the probabilities were worked out when the page was written. */
export function topUnits(units: Units): HTMLElement {
  const tops = units.data.table("tops");
  const rows = Array.from({ length: tops.rows }, (_, row) => row);
  const orders = ORDERS.filter(([by]) => rows.some((row) => tops.text("by", row) === by));
  const sizes = [...new Set(rows.map((row) => tops.at("many", row)))];
  const state = { by: orders[0]?.[0] as string, many: sizes.includes(10) ? 10 : sizes.at(-1)! };
  const said = element("p", { class: "finding", "aria-live": "polite" });
  const body = element("tbody");
  const change = (part: Partial<typeof state>): void => {
    Object.assign(state, part);
    draw();
  };
  const section = element(
    "section",
    { id: "top", class: "part", "aria-labelledby": "top-title" },
    element("h2", { id: "top-title" }, "Most costly units, as estimated"),
    element(
      "div",
      { class: "controls" },
      choice("How many", sizes.map((many) => [String(many), String(many)] as const), String(state.many), (many) => change({ many: Number(many) })),
      choice("By", orders, state.by, (by) => change({ by })),
    ),
    said,
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Most costly units" },
      element(
        "table",
        { class: "plain tops" },
        element("thead", {}, element("tr", {}, ...["site", "unit", "points", "95 % interval", "drawn"].map((words, at) =>
          element("th", { scope: "col", class: [1, 2].includes(at) ? "number" : undefined }, words)))),
        body,
      ),
    ),
  );
  draw();
  return section;

  function draw(): void {
    const chance = rows.find((row) => tops.text("by", row) === state.by && tops.at("many", row) === state.many)!;
    said.replaceChildren(
      "An exact run would name the same ",
      element("strong", {}, state.many === 1 ? "unit" : `${state.many} units`),
      " with probability ",
      element("strong", {}, probability(tops.at("probability", chance))),
      ".",
    );
    const held = (row: number): number => units.table.at(`${state.by}_estimate`, row);
    const order = Array.from({ length: units.count }, (_, row) => row).filter((row) => Number.isFinite(held(row)));
    const listed = order.sort((first, second) => held(second) - held(first)).slice(0, state.many);
    const intervals = listed.map((row) => intervalOf(units, state.by, row));
    body.replaceChildren(
      ...listed.map((row, at) => {
        const { estimate, low, high } = intervals[at]!;
        return element(
          "tr",
          {},
          element("td", { class: "site" }, named(units.site(row))),
          element("th", { scope: "row", class: "number" }, element("a", { href: address(units, row) }, String(units.unit(row)))),
          element("td", { class: "number" }, points(estimate)),
          element("td", {}, interval(low, high)),
          element("td", {}, intervalBar(intervals[at]!, intervals)),
        );
      }),
    );
  }
}

/** The interval of a unit's drop: the record's own, or the one that the standard error gives. */
export function intervalOf(units: Units, drop: string, row: number): Interval {
  const at = (end: string): number => units.table.at(`${drop}_${end}`, row);
  const estimate = at("estimate");
  const reach = QUANTILE * at("standard_error");
  const own = units.table.has(`${drop}_low`);
  return { estimate, low: own ? at("low") : estimate - reach, high: own ? at("high") : estimate + reach };
}
