// A unit's page: what it costs, whom, what it fires for, and how it compares with the live units of its site.

import type { Spec } from "vega";
import { chart, type Chart } from "./chart";
import type { Columns } from "./columns";
import { csvButton } from "./csv";
import { element, named } from "./dom";
import type { Exemplars } from "./exemplars";
import { addNote } from "./note";
import { unitHead } from "./unit-head";
import type { UnitView } from "./unit-view";
import { percentile, type ClassDrop, type Units } from "./units";
import { count, interval, isolated, plain, points, probability, UNKNOWN, whole } from "./words";

const CHARTED = 24;
const STEP = 22;
const FLIPS = 12;

export class UnitPage implements UnitView {
  private drawn: Chart | undefined;
  private readonly flipStarts: Int32Array;
  private readonly attributeStarts: Int32Array;

  constructor(
    private readonly place: HTMLElement,
    private readonly units: Units,
    private readonly columns: Columns,
    private readonly exemplars: Exemplars,
  ) {
    this.flipStarts = units.data.table("flips").starts(units.count);
    this.attributeStarts = units.data.table("class_attributes").starts(units.count);
  }

  show(row: number): void {
    this.hide();
    const drops = this.units.classDrops(row);
    const beside = element("div", { class: "beside" }, this.flips(row), this.attributes(row));
    const parts = [unitHead(this.units, row, this.units.dead(row) && "dead: never active on these images"), this.figures(row), this.exemplars.section(row), this.classes(row, drops), beside];
    this.place.replaceChildren(...parts.filter((part) => part !== null));
    const figure = this.place.querySelector<HTMLElement>("figure.class-chart");
    const plot = figure?.querySelector<HTMLElement>(".plot");
    if (figure && plot) this.drawn = chart(plot, this.units.data, addNote(figure), this.chartOf(drops), () => undefined);
  }

  hide(): void {
    this.drawn?.end();
    this.drawn = undefined;
    this.place.replaceChildren();
  }

  private name(row: number): string {
    return `${this.units.data.network}-${this.units.site(row)}-${this.units.unit(row)}`;
  }

  private figures(row: number): HTMLElement {
    const { columns } = this;
    const names = [
      ...["accuracy_drop", "max_class_drop", "heldout_max_class_drop", "q_value", "losses", "gains"],
      ...["balanced_accuracy_drop", "top_drop", "loss_rise", "margin_drop"],
    ];
    const shown = names.map((name) => columns.get(name)).filter((column) => column !== undefined);
    return element(
      "dl",
      { class: "figures" },
      ...shown.map((column) => {
        const aside = columns.aside(column, row);
        const unit = column.kind === "drop" ? " points" : "";
        return element(
          "div",
          { title: column.about },
          element("dt", {}, column.words),
          element("dd", {}, element("strong", {}, columns.words(column, row)), unit, aside !== "" && element("span", { class: "note" }, named(aside))),
        );
      }),
    );
  }

  private classes(row: number, drops: ClassDrop[]): HTMLElement {
    const section = part("classes", "What it costs each class");
    if (drops.length === 0) {
      section.append(element("p", {}, "The record holds no class drops of this unit."));
      return section;
    }
    const changed = drops.filter((drop) => drop.losses > 0 || drop.gains > 0);
    const means = this.means(row);
    section.append(
      element("p", { class: "note" }, charted(drops).length < drops.length
        ? `The ${CHARTED} classes that change most, of ${whole(drops.length)}. Lines are 95 % intervals of each class by itself.`
        : "Lines are 95 % intervals of each class by itself."),
      element("figure", { class: "chart class-chart" }, element("div", { class: "plot", role: "img", "aria-label": `Class drops of unit ${this.units.unit(row)}; the table below has the figures` })),
      element("p", { class: "controls" }, csvButton("CSV of these drops", `${this.name(row)}-classes`, () => ({
        header: ["site", "unit", "label", "class", "images", "drop", "low", "high", "losses", "gains", "q_value"],
        rows: drops.map((drop) => [this.units.site(row), this.units.unit(row), drop.label, this.units.className(drop.label), drop.images, drop.drop, drop.low, drop.high, drop.losses, drop.gains, drop.q]),
      }))),
    );
    const heads = ["class", "drop (points)", "95 % interval", "lost", "gained", "of images", "q", ...(means ? ["mean activation"] : [])];
    const listed = [...(changed.length > 0 ? changed : drops)].sort((first, second) => second.drop - first.drop).slice(0, 200);
    const lines = listed.map((drop) => [
      named(this.units.className(drop.label)),
      points(drop.drop),
      interval(drop.low, drop.high),
      whole(drop.losses),
      whole(drop.gains),
      whole(drop.images),
      probability(drop.q),
      ...(means ? [plain(means.get(drop.label) ?? NaN)] : []),
    ]);
    section.append(tableOf("Class drops", heads, lines));
    const rest = drops.length - listed.length;
    if (rest > 0) section.append(element("p", { class: "note" }, changed.length > 0 && changed.length <= 200 ? `${count(rest, "other class has", "other classes have")} no answer that changed.` : `${count(rest, "other class is", "other classes are")} in the CSV.`));
    return section;
  }

  /** The unit's mean activation on each class, where the record has it. */
  private means(row: number): Map<number, number> | undefined {
    const table = this.units.data.table("class_attributes");
    if (!table.has("mean_activation")) return undefined;
    const means = new Map<number, number>();
    for (let place = this.attributeStarts[row]!; place < this.attributeStarts[row + 1]!; place++) {
      means.set(table.at("label", place), table.at("mean_activation", place));
    }
    return means;
  }

  private flips(row: number): HTMLElement {
    const table = this.units.data.table("flips");
    const places: number[] = [];
    for (let place = this.flipStarts[row]!; place < this.flipStarts[row + 1]!; place++) places.push(place);
    const section = part("flips", "Which predictions it changes");
    if (places.length === 0) {
      section.append(element("p", {}, "None: without it every image is classified as before."));
      return section;
    }
    const all = places.reduce((sum, place) => sum + table.at("pairs", place), 0);
    const of = (label: number): string => this.units.className(label);
    const body = (from: number[]): (string | HTMLElement)[][] =>
      from.map((place) => [
        element("span", {}, named(of(table.at("before", place))), " → ", named(of(table.at("after", place)))),
        whole(table.at("pairs", place)),
        whole(table.at("lost", place)),
        whole(table.at("gained", place)),
      ]);
    const heads = ["before → after", "predictions", "lost", "gained"];
    section.append(
      element("p", {}, `${count(all, "prediction")} ${all === 1 ? "changes" : "change"}. Lost were right before, gained are right after; the others go from one wrong class to another.`),
      element("p", { class: "controls" }, csvButton("CSV of these changes", `${this.name(row)}-changes`, () => ({
        header: ["site", "unit", "before", "before_class", "after", "after_class", "predictions", "lost", "gained"],
        rows: places.map((place) => {
          const [before, after] = [table.at("before", place), table.at("after", place)];
          return [this.units.site(row), this.units.unit(row), before, of(before), after, of(after), table.at("pairs", place), table.at("lost", place), table.at("gained", place)];
        }),
      }))),
      tableOf("Changed predictions", heads, body(places.slice(0, FLIPS))),
    );
    if (places.length > FLIPS) {
      const rest = places.slice(FLIPS);
      section.append(element("details", {}, element("summary", {}, `${count(rest.length, "rarer change")}`), tableOf("Rarer changes", heads, body(rest.slice(0, 500)))));
    }
    if (this.units.data.kept.flips !== null) section.append(element("p", { class: "note" }, `Only the ${count(this.units.data.kept.flips, "most frequent change")} of each unit are in this report.`));
    return section;
  }

  private attributes(row: number): HTMLElement | null {
    const { attributes } = this.columns;
    const named_ = this.columns.all.filter((column) => column.kind === "class" && column.name !== "max_class");
    if (attributes.length === 0) return null;
    const section = part("attributes", "Its attributes");
    const live = this.units.siteOf(row).rows.filter((other) => !this.units.dead(other)).length;
    const lines = attributes.map((column) => {
      const place = percentile(this.units, column.name, row);
      const meter = element("span", { class: "meter", "aria-hidden": "true" }, element("span"));
      (meter.firstChild as HTMLElement).style.width = `${Number.isFinite(place) ? place : 0}%`;
      const of = named_.find((other) => other.name === `${column.name}_class`);
      const aside = of && this.units.table.at(of.name, row) >= 0 ? this.columns.words(of, row) : "";
      return [
        element("span", { title: column.about }, column.words, aside !== "" && element("span", { class: "aside" }, " ", named(aside))),
        this.columns.words(column, row),
        element("span", { class: "place" }, meter, element("span", { class: "number" }, Number.isFinite(place) ? place.toFixed(0) : UNKNOWN)),
      ];
    });
    const words = this.units.dead(row)
      ? "A dead unit has no place among the live ones."
      : `The percentile is its place among the ${count(live, "live unit")} of its site.`;
    section.append(
      element("p", { class: "note" }, words),
      element("p", { class: "controls" }, csvButton("CSV of these attributes", `${this.name(row)}-attributes`, () => ({
        header: ["site", "unit", "attribute", "value", "percentile"],
        rows: attributes.map((column) => [this.units.site(row), this.units.unit(row), column.name, this.units.table.at(column.name, row), percentile(this.units, column.name, row)]),
      }))),
      tableOf("Attributes", ["attribute", "value", "percentile"], lines),
    );
    return section;
  }

  private chartOf(drops: ClassDrop[]): (width: number) => Spec {
    const values = charted(drops).map((drop) => ({
      key: String(drop.label),
      name: isolated(this.units.className(drop.label)),
      drop: 100 * drop.drop,
      low: 100 * drop.low,
      high: 100 * drop.high,
      note: `${isolated(this.units.className(drop.label))}\ndrop: ${points(drop.drop)} points (${interval(drop.low, drop.high)})\nlost ${drop.losses}, gained ${drop.gains} of ${drop.images} images`,
    }));
    const names = Object.fromEntries(values.map((value) => [value.key, value.name]));
    const y = { scale: "y", field: "key", band: 0.5 };
    return (width) =>
      ({
        width,
        height: STEP * values.length + 42,
        autosize: { type: "fit", contains: "padding" },
        signals: [{ name: "names", value: names }],
        data: [{ name: "drops", values }],
        scales: [
          { name: "x", type: "linear", range: "width", nice: true, zero: true, domain: { data: "drops", fields: ["low", "high"] } },
          { name: "y", type: "band", range: "height", domain: values.map((value) => value.key) },
        ],
        axes: [
          { orient: "bottom", scale: "x", title: "class drop (points)", grid: true, tickCount: Math.max(3, Math.min(9, width / 80)), domain: false },
          {
            orient: "left",
            scale: "y",
            ticks: false,
            domain: false,
            labelLimit: Math.min(220, width / 3),
            encode: { labels: { update: { text: { signal: "names[datum.value]" } } } },
          },
        ],
        marks: [
          { type: "rule", style: "zero", encode: { enter: { x: { scale: "x", value: 0 }, y: { value: 0 }, y2: { signal: "height" } } } },
          { type: "rule", style: "bound", from: { data: "drops" }, encode: { enter: { x: { scale: "x", field: "low" }, x2: { scale: "x", field: "high" }, y, strokeWidth: { value: 2 }, tooltip: { field: "note" } } } },
          { type: "symbol", style: "unit", from: { data: "drops" }, encode: { enter: { x: { scale: "x", field: "drop" }, y, size: { value: 60 }, tooltip: { field: "note" } } } },
        ],
      }) as Spec;
  }
}

/** The classes that a chart has room for: those that change most, by label. */
function charted(drops: ClassDrop[]): ClassDrop[] {
  if (drops.length <= CHARTED) return drops;
  const most = [...drops].sort((first, second) => Math.abs(second.drop) - Math.abs(first.drop)).slice(0, CHARTED);
  return most.sort((first, second) => second.drop - first.drop || first.label - second.label);
}

function part(id: string, title: string): HTMLElement {
  return element("section", { class: "part", "aria-labelledby": `${id}-title` }, element("h2", { id: `${id}-title` }, title));
}

function tableOf(caption: string, heads: string[], lines: (string | HTMLElement)[][]): HTMLElement {
  const cells = (line: (string | HTMLElement)[]): HTMLElement[] =>
    line.map((cell, place) => (place === 0 ? element("th", { scope: "row" }, cell) : element("td", { class: "number" }, cell)));
  const head = element("tr", {}, ...heads.map((words, place) => element("th", { scope: "col", class: place === 0 ? "" : "number" }, words)));
  return element(
    "div",
    { class: "scroll" },
    element("table", { class: "plain" }, element("caption", { class: "visually-hidden" }, caption), element("thead", {}, head), element("tbody", {}, ...lines.map((line) => element("tr", {}, ...cells(line))))),
  );
}
