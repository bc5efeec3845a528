// A site's units in the order of their estimated drops, each with its interval.

import type { Spec } from "vega";
import { chart, type Chart } from "./chart";
import { choice, element, whenNear } from "./dom";
import { addNote } from "./note";
import { intervalOf } from "./top-units";
import { address, type Units } from "./units";
import { count, interval, isolated, points } from "./words";

const HEIGHT = 300;

export function intervals(units: Units): HTMLElement {
  const state = { site: units.sites[0]! };
  let drawn: Chart | undefined;
  const place = element("div", { class: "plot", role: "img" });
  const figure = element("figure", { class: "chart" }, place);
  const note = addNote(figure);
  const said = element("p", { class: "finding", "aria-live": "polite" });
  const section = element(
    "section",
    { id: "intervals", class: "part", "aria-labelledby": "intervals-title" },
    element("h2", { id: "intervals-title" }, "A site’s units, as estimated"),
    element("div", { class: "controls" }, choice("Site", units.sites.map((site) => [site.name, site.name] as const), state.site.name, (name) => change(name))),
    said,
    figure,
    element("p", { class: "note hint" }, "Lines are 95 % intervals about the drop that an exact run on the same images would find. Click a unit to open it; the table below has the figures."),
  );
  whenNear(section, () => {
    say();
    drawn = chart(place, units.data, note, specification, (row) => (location.hash = address(units, row)));
  });
  return section;

  function change(name: string): void {
    state.site = units.sites.find((site) => site.name === name)!;
    say();
    drawn?.draw();
  }

  function dots(): { row: number; rank: number; estimate: number; low: number; high: number; note: string }[] {
    const found = state.site.rows.map((row) => ({ row, ...intervalOf(units, "accuracy_drop", row) }));
    found.sort((first, second) => second.estimate - first.estimate || first.row - second.row);
    return found.map(({ row, estimate, low, high }, rank) => ({
      row,
      rank,
      estimate: 100 * estimate,
      low: 100 * low,
      high: 100 * high,
      note: `${isolated(state.site.name)}, unit ${units.unit(row)}\nestimated: ${points(estimate)} points\n95 % interval: ${interval(low, high)}`,
    }));
  }

  function say(): void {
    const shown = dots();
    const sure = shown.filter((dot) => dot.low > 0).length;
    said.textContent = `${count(shown.length, "unit")} of ${isolated(state.site.name)}; of ${sure} the whole interval lies above 0.`;
    place.setAttribute("aria-label", `Estimated accuracy drops of ${count(shown.length, "unit")} of ${isolated(state.site.name)} with 95 % intervals`);
  }

  function specification(width: number): Spec {
    const shown = dots();
    const size = Math.max(10, Math.min(60, 3000 / shown.length));
    return {
      width,
      height: HEIGHT,
      autosize: { type: "fit", contains: "padding" },
      data: [{ name: "dots", values: shown }],
      scales: [
        { name: "x", type: "linear", domain: [-1, shown.length], range: "width" },
        { name: "y", type: "linear", domain: { data: "dots", fields: ["low", "high"] }, range: "height", nice: true, zero: true },
      ],
      axes: [
        { orient: "left", scale: "y", title: "estimated drop (points)", grid: true, tickCount: 6, domain: false },
        { orient: "bottom", scale: "x", title: "units, the most costly first", grid: false, labels: false, ticks: false },
      ],
      marks: [
        { type: "rule", style: "zero", encode: { enter: { x: { value: 0 }, x2: { signal: "width" }, y: { scale: "y", value: 0 } } } },
        {
          type: "rule",
          style: "bound",
          from: { data: "dots" },
          encode: { enter: { x: { scale: "x", field: "rank" }, y: { scale: "y", field: "low" }, y2: { scale: "y", field: "high" } } },
        },
        {
          type: "symbol",
          style: "unit",
          from: { data: "dots" },
          encode: {
            enter: {
              x: { scale: "x", field: "rank" },
              y: { scale: "y", field: "estimate" },
              size: { value: size },
              fillOpacity: { value: 1 },
              cursor: { value: "pointer" },
              tooltip: { field: "note" },
            },
          },
        },
      ],
    } as Spec;
  }
}
