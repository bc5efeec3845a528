// The scatter plot: an attribute of a site's live units against what silencing them costs.

import type { Spec } from "vega";
import { chart, type Chart } from "./chart";
import type { Column, Columns } from "./columns";
import { csvButton } from "./csv";
import { choice, element, whenNear } from "./dom";
import { addNote } from "./note";
import { address, type Site, type Units } from "./units";
import { count, hundredths, isolated, UNKNOWN } from "./words";

const HEIGHT = 320;

interface Dot {
  row: number;
  x: number;
  y: number;
  note: string;
}

export function scatter(units: Units, columns: Columns): HTMLElement {
  const { attributes, measures } = columns;
  const section = element(
    "section",
    { id: "scatter", class: "part", "aria-labelledby": "scatter-title" },
    element("h2", { id: "scatter-title" }, "Does an attribute say what a unit costs?"),
  );
  const first = attributes[0];
  const cost = measures.find((measure) => measure.name === "heldout_max_class_drop") ?? measures[0];
  if (!first || !cost) {
    section.append(element("p", {}, "The record holds no attributes of what was silenced."));
    return section;
  }
  const state = { site: units.sites.at(-1)!, x: first, y: cost, at: -1 };
  let dots: Dot[] = [];
  let drawn: Chart | undefined;

  const place = element("div", {
    class: "plot",
    tabindex: "0",
    role: "group",
    "aria-roledescription": "scatter plot",
    "aria-describedby": "scatter-help",
  });
  const figure = element("figure", { class: "chart" }, place);
  const note = addNote(figure);
  const words = element("p", { class: "finding", "aria-live": "polite" });
  const option = (column: Column): readonly [string, string] => [column.name, column.words];
  const pick = (list: Column[], name: string): Column => list.find((column) => column.name === name)!;
  const controls = element(
    "div",
    { class: "controls" },
    choice("Site", units.sites.map((site) => [site.name, site.name] as const), state.site.name, (name) =>
      change({ site: units.sites.find((site) => site.name === name)! }),
    ),
    choice("Across", attributes.map(option), state.x.name, (name) => change({ x: pick(attributes, name) })),
    choice("Up", measures.map(option), state.y.name, (name) => change({ y: pick(measures, name) })),
    csvButton("CSV of this plot", `${units.data.network}-scatter`, () => ({
      header: ["site", "unit", state.x.name, state.y.name],
      rows: dots.map((dot) => [state.site.name, units.unit(dot.row), units.table.at(state.x.name, dot.row), units.table.at(state.y.name, dot.row)]),
    })),
  );
  const help = element("p", { class: "note hint", id: "scatter-help" }, "Click a dot to open its unit. With the keyboard: left and right walk from dot to dot, Enter opens.");
  section.append(controls, words, figure, help);
  place.addEventListener("keydown", walk);
  place.addEventListener("blur", () => {
    note.hide();
    drawn?.signal("chosen", -1);
  });
  whenNear(section, () => {
    change({});
    drawn = chart(place, units.data, note, specification, open);
  });
  return section;

  function change(part: Partial<typeof state>): void {
    Object.assign(state, part, { at: -1 });
    dots = gathered(units, columns, state.site, state.x, state.y);
    words.replaceChildren(...finding(units, state.site, state.x, state.y, dots.length));
    place.setAttribute("aria-label", `${state.y.words} against ${state.x.words}, ${count(dots.length, "live unit")} of ${isolated(state.site.name)}`);
    drawn?.draw();
  }

  function open(row: number): void {
    location.hash = address(units, row);
  }

  function walk(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
    const step = steps[event.key];
    const current = dots[state.at];
    if (event.key === "Enter" && current) open(current.row);
    if (step === undefined || dots.length === 0) return;
    event.preventDefault();
    state.at = state.at < 0 ? (step > 0 ? 0 : dots.length - 1) : Math.min(Math.max(state.at + step, 0), dots.length - 1);
    const dot = dots[state.at]!;
    drawn?.signal("chosen", dot.row);
    note.say(dot.note);
    note.show(dot.note, 56, 0);
  }

  function specification(width: number): Spec {
    return {
      width,
      height: HEIGHT,
      autosize: { type: "fit", contains: "padding" },
      signals: [{ name: "chosen", value: -1 }],
      data: [{ name: "dots", values: dots }],
      scales: [
        { name: "x", type: "linear", domain: { data: "dots", field: "x" }, range: "width", nice: true, zero: false },
        { name: "y", type: "linear", domain: { data: "dots", field: "y" }, range: "height", nice: true, zero: true },
      ],
      axes: [
        { orient: "left", scale: "y", title: titled(state.y), grid: true, tickCount: 6, domain: false },
        { orient: "bottom", scale: "x", title: titled(state.x), grid: false, tickCount: Math.max(3, Math.min(8, width / 90)) },
      ],
      marks: [
        { type: "rule", style: "zero", encode: { enter: { x: { value: 0 }, x2: { signal: "width" }, y: { scale: "y", value: 0 } } } },
        {
          type: "symbol",
          style: "unit",
          from: { data: "dots" },
          encode: {
            enter: { x: { scale: "x", field: "x" }, y: { scale: "y", field: "y" }, cursor: { value: "pointer" }, tooltip: { field: "note" } },
            update: {
              size: [{ test: "datum.row === chosen", value: 220 }, { value: Math.min(60, Math.max(14, 6000 / dots.length)) }],
              fillOpacity: { value: 0.7 },
            },
            hover: { fillOpacity: { value: 1 }, size: { value: 160 } },
          },
        },
      ],
    } as Spec;
  }
}

function titled(column: Column): string {
  return column.kind === "drop" ? `${column.words} (points)` : column.words;
}

function gathered(units: Units, columns: Columns, site: Site, x: Column, y: Column): Dot[] {
  const scale = (column: Column): number => (column.kind === "drop" ? 100 : 1);
  const dots: Dot[] = [];
  for (const row of site.rows) {
    const [across, up] = [units.table.at(x.name, row), units.table.at(y.name, row)];
    if (units.dead(row) || !Number.isFinite(across) || !Number.isFinite(up)) continue;
    const note = [
      `${isolated(site.name)}, unit ${units.unit(row)}`,
      `${x.words}: ${columns.words(x, row)}`,
      `${y.words}: ${columns.words(y, row)}${y.kind === "drop" ? " points" : ""}`,
    ];
    dots.push({ row, x: scale(x) * across, y: scale(y) * up, note: note.join("\n") });
  }
  return dots.sort((first, second) => first.x - second.x || first.row - second.row);
}

/** What the record says of the two: Spearman's rho with its interval, over how many units, how many left out. */
function finding(units: Units, site: Site, x: Column, y: Column, shown: number): (string | HTMLElement)[] {
  const table = units.data.table("correlations");
  const dead = site.rows.filter((row) => units.dead(row)).length;
  const without = site.rows.length - dead - shown;
  const left = [
    dead > 0 && `${count(dead, "dead unit")} left out`,
    without > 0 && `${count(without, "unit")} without a value left out`,
  ].filter(Boolean);
  const over = `${count(shown, "live unit")} of ${isolated(site.name)}${left.length > 0 ? `; ${left.join(", ")}` : ""}`;
  const asked: Record<string, string> = { site: site.name, attribute: x.name, measure: y.name };
  const rows = Array.from({ length: table.rows }, (_, row) => row).filter((row) =>
    Object.entries(asked).every(([name, text]) => table.text(name, row) === text),
  );
  const written = (row: number): string => {
    const [low, high] = [hundredths(table.at("low", row)), hundredths(table.at("high", row))];
    return `${hundredths(table.at("estimate", row))}${low === UNKNOWN ? "" : `, 95 % interval ${low} to ${high}`}`;
  };
  const first = rows.find((row) => table.text("method", row) === "spearman" && table.text("given", row) === "");
  if (first === undefined) return [`The record holds no correlation of these two. ${over}.`];
  if (!Number.isFinite(table.at("estimate", first))) return [`No correlation: one side is the same for every unit. ${over}.`];
  const others = rows.filter((row) => row !== first && Number.isFinite(table.at("estimate", row))).map((row) => {
    const given = table.text("given", row);
    const sign = SIGNS[table.text("method", row)] ?? table.text("method", row);
    return `${sign}${given === "" ? "" : ` given ${given.replaceAll("_", " ")}`} = ${written(row)}`;
  });
  const more = others.length === 0 ? [] : [element("small", { class: "note" }, `${others.join("; ")}.`)];
  return [element("strong", {}, `Spearman’s ρ = ${hundredths(table.at("estimate", first))}`), `${written(first).replace(/^[^,]*/, "")}, over ${over}. `, ...more];
}

const SIGNS: Record<string, string> = { spearman: "Spearman’s ρ", pearson: "Pearson’s r", kendall: "Kendall’s τ" };
