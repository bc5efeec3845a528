// The map of class drops: a column per unit, a row per class, colour for what silencing the unit costs the class.

import { THEME_CHANGED } from "../switch";
import { groundNow, themeNow } from "./chart";
import { csvButton } from "./csv";
import { choice, element, named, whenNear } from "./dom";
import { addNote } from "./note";
import { address, type ClassDrop, type Site, type Units } from "./units";
import { count, interval, isolated, points } from "./words";

type Rgb = readonly [red: number, green: number, blue: number];
type Order = "unit" | "drop" | "class";

const ORDERS: readonly (readonly [Order, string])[] = [
  ["class", "class hit hardest"],
  ["drop", "accuracy drop"],
  ["unit", "number"],
];
const STEPS = 9;

export function heat(units: Units): HTMLElement {
  const state = { site: units.sites.at(-1), order: "class" as Order, column: -1, line: -1 };
  const labels = units.labels;
  let rows: number[] = [];
  let drops: Map<number, ClassDrop>[] = [];
  let largest = 0;

  const canvas = element("canvas", { tabindex: "0", role: "group", "aria-roledescription": "heat map", "aria-describedby": "heat-help" });
  const cursor = element("div", { class: "cursor" });
  cursor.hidden = true;
  const sheet = element("div", { class: "sheet" }, canvas, cursor);
  const names = element("div", { class: "names", "aria-hidden": "true" });
  const frame = element("div", { class: "heat" }, names, element("div", { class: "scroll" }, sheet));
  const legend = element("figcaption", { class: "heat-legend" });
  const figure = element("figure", { class: "chart" }, frame, legend);
  const note = addNote(figure);
  const section = element(
    "section",
    { id: "heat", class: "part", "aria-labelledby": "heat-title" },
    element("h2", { id: "heat-title" }, "Which classes need which units?"),
    element(
      "div",
      { class: "controls" },
      choice("Site", units.sites.map((site) => [site.name, site.name] as const), state.site?.name ?? "", (name) =>
        change({ site: units.sites.find((site) => site.name === name)! }),
      ),
      choice("Units by", ORDERS, state.order, (order) => change({ order: order as Order })),
      csvButton("CSV of this map", `${units.data.network}-classes`, () => ({
        header: ["site", "unit", "label", "class", "images", "drop", "low", "high", "losses", "gains", "q_value"],
        rows: rows.flatMap((row, column) =>
          [...drops[column]!.values()].map((drop) => [
            ...[units.site(row), units.unit(row), drop.label, units.className(drop.label), drop.images],
            ...[drop.drop, drop.low, drop.high, drop.losses, drop.gains, drop.q],
          ]),
        ),
      })),
    ),
    figure,
    element("p", { class: "note hint", id: "heat-help" }, "Click a cell to open its unit. With the keyboard: the arrows walk from cell to cell, Enter opens."),
  );
  if (units.data.kept.classes !== null) {
    const kept = count(units.data.kept.classes, "class", "classes");
    section.append(element("p", { class: "note" }, `Only the ${kept} that each unit changes most are in this report; the record has all, in classes.parquet.`));
  }

  canvas.addEventListener("pointermove", (event) => point(...cellAt(event), event));
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("blur", leave);
  canvas.addEventListener("click", (event) => open(cellAt(event)[0]));
  canvas.addEventListener("keydown", walk);
  whenNear(section, () => {
    change({});
    new ResizeObserver(size).observe(frame);
    document.addEventListener(THEME_CHANGED, paint);
    for (const event of ["beforeprint", "afterprint"]) addEventListener(event, paint);
  });
  return section;

  function change(part: Partial<typeof state>): void {
    Object.assign(state, part, { column: -1, line: -1 });
    if (!state.site || labels.length === 0) {
      figure.replaceChildren(element("p", {}, "The record holds no class drops."));
      return;
    }
    const found = new Map(state.site.rows.map((row) => [row, new Map(units.classDrops(row).map((drop) => [drop.label, drop]))]));
    rows = ordered(units, state.site, state.order);
    drops = rows.map((row) => found.get(row)!);
    largest = Math.max(...drops.map((held) => Math.max(0, ...[...held.values()].map((drop) => Math.abs(drop.drop)))));
    canvas.width = rows.length;
    canvas.height = labels.length;
    canvas.setAttribute("aria-label", `Class drops of ${count(rows.length, "unit")} of ${isolated(state.site.name)} and ${count(labels.length, "class", "classes")}`);
    size();
    paint();
  }

  /** Gives every cell whole pixels, and every class its name where there is room for it. */
  function size(): void {
    const height = labels.length <= 40 ? 22 : labels.length <= 150 ? 13 : 5;
    const every = Math.ceil(12 / height);
    names.replaceChildren(
      ...labels.map((label, line) => {
        const name = element("div", {}, line % every === 0 ? named(units.className(label)) : "");
        name.style.height = `${height}px`;
        return name;
      }),
    );
    const room = frame.clientWidth - names.offsetWidth - 8;
    if (room <= 0) return;
    const width = Math.min(24, Math.max(4, Math.floor(room / rows.length)));
    canvas.style.width = `${width * rows.length}px`;
    canvas.style.height = `${height * labels.length}px`;
  }

  function paint(): void {
    const pen = canvas.getContext("2d");
    if (!pen || rows.length === 0) return;
    const shades = shading(units);
    const picture = pen.createImageData(rows.length, labels.length);
    rows.forEach((_, column) =>
      labels.forEach((label, line) => {
        const drop = drops[column]!.get(label);
        if (drop) picture.data.set([...shades(drop.drop / (largest || 1)), 255], 4 * (line * rows.length + column));
      }),
    );
    pen.putImageData(picture, 0, 0);
    const steps = Array.from({ length: STEPS }, (_, step) => {
      const part = (2 * step) / (STEPS - 1) - 1;
      const value = Math.sign(part) * part * part;
      const box = element("span", { class: "shade" });
      box.style.background = `rgb(${shades(value).join(" ")})`;
      return element("li", {}, box, step % 2 === 0 ? points(value * largest) : "");
    });
    legend.replaceChildren(
      element("span", {}, "class drop (points): what silencing the unit costs the class"),
      element("ol", { class: "shades" }, ...steps),
    );
  }

  function cellAt(event: MouseEvent): [column: number, line: number] {
    const box = canvas.getBoundingClientRect();
    const within = (place: number, length: number, cells: number): number =>
      Math.min(cells - 1, Math.max(0, Math.floor((place / length) * cells)));
    return [within(event.clientX - box.left, box.width, rows.length), within(event.clientY - box.top, box.height, labels.length)];
  }

  function point(column: number, line: number, at?: MouseEvent): string {
    const [row, label] = [rows[column], labels[line]];
    if (row === undefined || label === undefined) return "";
    const [width, height] = [canvas.clientWidth / rows.length, canvas.clientHeight / labels.length];
    cursor.hidden = false;
    cursor.style.left = `${column * width}px`;
    cursor.style.top = `${line * height}px`;
    cursor.style.width = `${width}px`;
    cursor.style.height = `${height}px`;
    const drop = drops[column]!.get(label);
    const figures = drop
      ? [`drop: ${points(drop.drop)} points (${interval(drop.low, drop.high)})`, `lost ${drop.losses}, gained ${drop.gains} of ${drop.images} images`]
      : ["not in this report"];
    const words = [`${isolated(state.site!.name)}, unit ${units.unit(row)}${units.dead(row) ? " (dead)" : ""}`, isolated(units.className(label)), ...figures].join("\n");
    const [outer, inner] = [figure.getBoundingClientRect(), canvas.getBoundingClientRect()];
    const left = at ? at.clientX - outer.left : inner.left - outer.left + (column + 1) * width;
    const top = at ? at.clientY - outer.top : inner.top - outer.top + (line + 1) * height;
    note.show(words, left, top);
    return words;
  }

  function leave(): void {
    cursor.hidden = true;
    note.hide();
  }

  function open(column: number): void {
    const row = rows[column];
    if (row !== undefined) location.hash = address(units, row);
  }

  function walk(event: KeyboardEvent): void {
    const steps: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    if (event.key === "Enter") open(state.column);
    if (!step) return;
    event.preventDefault();
    state.column = Math.min(Math.max(state.column + (state.column < 0 ? 1 : step[0]), 0), rows.length - 1);
    state.line = Math.min(Math.max(state.line + (state.line < 0 ? 1 : step[1]), 0), labels.length - 1);
    note.say(point(state.column, state.line));
  }
}

function ordered(units: Units, site: Site, order: Order): number[] {
  const at = (column: string, row: number): number => units.table.at(column, row);
  const unit = (first: number, second: number): number => units.unit(first) - units.unit(second);
  const falling = (column: string) => (first: number, second: number) => at(column, second) - at(column, first) || unit(first, second);
  if (order === "unit") return [...site.rows].sort(unit);
  if (order === "drop") return [...site.rows].sort(falling("accuracy_drop"));
  // Units that cost the same class stand together, those that cost no class come last.
  const favourite = (row: number): number => (at("max_class_drop", row) > 0 ? at("max_class", row) : Infinity);
  const dearer = falling("max_class_drop");
  return [...site.rows].sort((first, second) => {
    const [one, two] = [favourite(first), favourite(second)];
    return one === two ? dearer(first, second) : one - two;
  });
}

/** Colours from -1 (gained most) over 0 to 1 (lost most); the root makes small drops visible beside large ones. */
function shading(units: Units): (part: number) => Rgb {
  const style = themeNow(units.data).style;
  const ground = rgb(groundNow());
  const cost = hex(String(style["threshold"]?.["stroke"] ?? "#b84a00"));
  const gain = hex(String(style["unit"]?.["fill"] ?? "#0072b2"));
  return (part) => {
    const end = part >= 0 ? cost : gain;
    const way = Math.sqrt(Math.min(1, Math.abs(part)));
    const mixed = (channel: 0 | 1 | 2): number => Math.round(ground[channel] + way * (end[channel] - ground[channel]));
    return [mixed(0), mixed(1), mixed(2)];
  };
}

function rgb(text: string): Rgb {
  const [red = 255, green = 255, blue = 255] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}

function hex(text: string): Rgb {
  const number = Number.parseInt(text.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}
