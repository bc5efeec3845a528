// A screened unit's page: its estimated drops, and what it is estimated to cost each class.

import type { Columns } from "./columns";
import { csvButton } from "./csv";
import { element, named } from "./dom";
import { intervalBar } from "./interval-bar";
import { unitHead } from "./unit-head";
import type { UnitView } from "./unit-view";
import type { ClassDrop, Units } from "./units";
import { count, interval, points, whole } from "./words";

export class ScreenedUnit implements UnitView {
  constructor(
    private readonly place: HTMLElement,
    private readonly units: Units,
    private readonly columns: Columns,
  ) {}

  show(row: number): void {
    this.place.replaceChildren(this.head(row), this.figures(row), this.classes(row));
  }

  hide(): void {
    this.place.replaceChildren();
  }

  private head(row: number): HTMLElement {
    const { table } = this.units;
    return unitHead(this.units, row, `screened: estimates from ${count(table.at("pairs_run", row), "image")} of ${whole(table.at("images", row))}`);
  }

  private figures(row: number): HTMLElement {
    const shown = this.columns.all.filter((column) => column.kind === "drop" || column.kind === "count");
    return element(
      "dl",
      { class: "figures" },
      ...shown.map((column) => {
        const aside = this.columns.aside(column, row);
        return element(
          "div",
          { title: column.about },
          element("dt", {}, column.words),
          element("dd", {}, element("strong", {}, this.columns.words(column, row)), column.kind === "drop" ? " points" : "", aside !== "" && element("span", { class: "note" }, aside)),
        );
      }),
    );
  }

  private classes(row: number): HTMLElement {
    const drops = this.units.classDrops(row).sort((first, second) => second.drop - first.drop);
    const shown = drops.map(({ drop, low, high }) => ({ estimate: drop, low, high }));
    const line = (drop: ClassDrop, at: number): HTMLElement =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, named(this.units.className(drop.label))),
        element("td", { class: "number" }, points(drop.drop)),
        element("td", {}, interval(drop.low, drop.high)),
        element("td", {}, intervalBar(shown[at]!, shown)),
        element("td", { class: "number" }, whole(drop.images)),
      );
    const heads = ["class", "estimated drop (points)", "95 % interval", "drawn", "of images"];
    return element(
      "section",
      { id: "classes", class: "part", "aria-labelledby": "classes-title" },
      element("h2", { id: "classes-title" }, "What it is estimated to cost each class"),
      this.units.data.kept.classes !== null && element("p", { class: "note" }, `The ${whole(drops.length)} classes that cost or gain most; the record has all.`),
      element("p", { class: "controls" }, csvButton("CSV of these estimates", `${this.units.data.network}-${this.units.site(row)}-${this.units.unit(row)}-classes`, () => ({
        header: ["site", "unit", "label", "class", "images", "drop_estimate", "drop_low", "drop_high"],
        rows: drops.map((drop) => [this.units.site(row), this.units.unit(row), drop.label, this.units.className(drop.label), drop.images, drop.drop, drop.low, drop.high]),
      }))),
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Estimated class drops" },
        element(
          "table",
          { class: "plain" },
          element("thead", {}, element("tr", {}, ...heads.map((words, at) =>
            element("th", { scope: "col", class: [1, 4].includes(at) ? "number" : undefined }, words)))),
          element("tbody", {}, ...drops.map(line)),
        ),
      ),
    );
  }
}
