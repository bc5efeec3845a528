// The table of all units: sorted, searched, filtered by site, with the columns that the reader chooses, a page at a time.

import { fold } from "../table";
import type { Column, Columns } from "./columns";
import { csvButton, type Csv } from "./csv";
import { button, choice, element, named } from "./dom";
import { address, type Units } from "./units";
import { count, whole } from "./words";

const SIZES = [25, 50, 100, 500];

interface Head {
  name: string;
  words: string;
  about: string;
  ascending: boolean;
}

export function unitsTable(units: Units, columns: Columns): HTMLElement {
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const siteOrder = new Map(units.sites.map((site, place) => [site.name, place]));
  const state = { sort: columns.initial[0] ?? "unit", descending: true, words: "", site: "", page: 0, size: 50, shown: new Set(columns.initial) };
  let texts: string[] | undefined;
  let order: number[] = [];

  const caption = element("caption", { class: "visually-hidden" }, "Units, one per row; the buttons in the head sort them");
  const heads = element("tr");
  const body = element("tbody");
  const table = element("table", { class: "units" }, caption, element("thead", {}, heads), body);
  const found = element("output", { "aria-live": "polite" });
  const place = element("span", { class: "number" });
  const back = button("Previous", () => turn(-1), { "aria-label": "Previous page of units" });
  const on = button("Next", () => turn(1), { "aria-label": "Next page of units" });
  const search = element("input", { type: "search", placeholder: "site, unit number or class", autocomplete: "off", spellcheck: "false" });
  search.addEventListener("input", () => change({ words: search.value }));
  const sites = [["", "all sites"] as const, ...units.sites.map((site) => [site.name, site.name] as const)];
  const rowsOnPage = choice("Rows", SIZES.map((size) => [String(size), String(size)] as const), String(state.size), (size) => change({ size: Number(size) }));

  const controls = element(
    "div",
    { class: "controls" },
    element("label", { class: "choice" }, "Find ", search),
    choice("Site", sites, "", (site) => change({ site })),
    chooser(),
    csvButton("CSV of these units", `${units.data.network}-units`, csv),
  );
  const pager = element("div", { class: "pager" }, back, place, on, rowsOnPage);
  search_();
  drawHeads();
  draw();
  return element(
    "section",
    { id: "units", class: "part", "aria-labelledby": "units-title" },
    element("h2", { id: "units-title" }, "Units"),
    controls,
    element("p", { class: "note" }, found),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of units" }, table),
    pager,
  );

  function change(part: Partial<typeof state>): void {
    Object.assign(state, part, { page: 0 });
    search_();
    draw();
  }

  function turn(pages: number): void {
    state.page += pages;
    draw();
    table.scrollIntoView({ block: "nearest" });
  }

  /** Finds and orders the rows that the reader asks for. */
  function search_(): void {
    const words = fold(state.words).split(/\s+/).filter((word) => word !== "");
    const rows: number[] = [];
    for (let row = 0; row < units.count; row++) if (fits(row, words)) rows.push(row);
    order = rows.sort(comparison());
  }

  function fits(row: number, words: string[]): boolean {
    if (state.site !== "" && units.site(row) !== state.site) return false;
    if (words.length === 0) return true;
    texts ??= Array.from({ length: units.count }, (_, each) => fold(`${units.site(each)} ${favourite(each)}`));
    // A bare number names a unit, or a class that is called so; it is not sought within other numbers.
    return words.every((word) =>
      /^\d+$/.test(word) ? units.unit(row) === Number(word) || fold(favourite(row)) === word : texts![row]!.includes(word),
    );
  }

  function favourite(row: number): string {
    return units.table.has("max_class") ? units.className(units.table.at("max_class", row)) : "";
  }

  function comparison(): (first: number, second: number) => number {
    const bySite = (first: number, second: number): number =>
      siteOrder.get(units.site(first))! - siteOrder.get(units.site(second))! || units.unit(first) - units.unit(second);
    const way = state.descending ? -1 : 1;
    if (state.sort === "site") return (first, second) => way * bySite(first, second);
    if (state.sort === "unit") return (first, second) => way * (units.unit(first) - units.unit(second)) || bySite(first, second);
    const column = columns.get(state.sort);
    if (column && (column.kind === "class" || units.table.isText(column.name))) {
      return (first, second) => way * collator.compare(columns.words(column, first), columns.words(column, second)) || bySite(first, second);
    }
    return (first, second) => {
      const one = units.table.at(state.sort, first);
      const two = units.table.at(state.sort, second);
      // What is unknown stands last, whichever way the rest is sorted.
      if (Number.isNaN(one) || Number.isNaN(two)) return Number(Number.isNaN(one)) - Number(Number.isNaN(two)) || bySite(first, second);
      return way * (one - two) || bySite(first, second);
    };
  }

  function shown(): Column[] {
    return columns.all.filter((column) => state.shown.has(column.name));
  }

  function drawHeads(): void {
    const all: Head[] = [
      { name: "site", words: "site", about: "In the order in which the network runs", ascending: true },
      { name: "unit", words: "unit", about: "The unit's number at its site", ascending: true },
      ...shown().map((column) => ({
        name: column.name,
        words: column.kind === "drop" ? `${column.words} (points)` : column.words,
        about: column.about,
        ascending: ["probability", "class"].includes(column.kind),
      })),
    ];
    heads.replaceChildren(
      ...all.map((head) => {
        const sorts = element("button", { type: "button", title: head.about }, head.words);
        const cell = element("th", { scope: "col", "data-column": head.name, class: head.name === "site" ? "" : "number" }, sorts);
        cell.ariaSort = sorting(head.name);
        sorts.addEventListener("click", () => {
          const descending = state.sort === head.name ? !state.descending : !head.ascending;
          change({ sort: head.name, descending });
          for (const other of heads.cells) other.ariaSort = sorting(other.dataset["column"]!);
        });
        return cell;
      }),
    );
  }

  function sorting(name: string): string {
    if (name !== state.sort) return "none";
    return state.descending ? "descending" : "ascending";
  }

  function draw(): void {
    const pages = Math.max(1, Math.ceil(order.length / state.size));
    state.page = Math.min(Math.max(state.page, 0), pages - 1);
    const first = state.page * state.size;
    const rows = order.slice(first, first + state.size);
    const cells = shown();
    table.ariaRowCount = String(order.length + 1);
    body.replaceChildren(...rows.map((row, at) => drawRow(row, cells, first + at + 2)));
    found.textContent =
      order.length === units.count ? count(units.count, "unit") : `${whole(order.length)} of ${count(units.count, "unit")}`;
    place.textContent = order.length === 0 ? "none" : `${whole(first + 1)} to ${whole(first + rows.length)} of ${whole(order.length)}`;
    back.disabled = state.page === 0;
    on.disabled = state.page >= pages - 1;
  }

  function drawRow(row: number, cells: Column[], index: number): HTMLTableRowElement {
    const to = address(units, row);
    const line = element(
      "tr",
      { class: units.dead(row) ? "dead" : undefined, "aria-rowindex": String(index) },
      element("td", { class: "site" }, named(units.site(row))),
      element("th", { scope: "row", class: "number" }, element("a", { href: to }, String(units.unit(row)))),
    );
    for (const column of cells) {
      const aside = columns.aside(column, row);
      const words = columns.words(column, row);
      const cell = element("td", { class: "number" }, column.kind === "class" ? named(words) : words);
      if (aside !== "") cell.append(" ", element("span", { class: "aside" }, column.label ? named(aside) : aside));
      line.append(cell);
    }
    return line;
  }

  function chooser(): HTMLElement {
    const boxes = columns.all.map((column) => {
      const box = element("input", { type: "checkbox", value: column.name });
      box.checked = state.shown.has(column.name);
      box.addEventListener("change", () => {
        if (box.checked) state.shown.add(column.name);
        else state.shown.delete(column.name);
        drawHeads();
        draw();
      });
      return element("label", { title: column.about }, box, ` ${column.words}`);
    });
    const list = element("fieldset", {}, element("legend", { class: "visually-hidden" }, "Columns to show"), ...boxes);
    const fold_ = element("details", { class: "chooser" }, element("summary", {}, "Columns"), list);
    fold_.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      fold_.open = false;
      fold_.querySelector("summary")?.focus();
    });
    document.addEventListener("click", (event) => {
      if (!fold_.contains(event.target as Node)) fold_.open = false;
    });
    return fold_;
  }

  function csv(): Csv {
    const names = [...new Set(shown().flatMap((column) => columns.sources(column)))];
    const cell = (name: string, row: number): string | number =>
      units.table.isText(name) ? units.table.text(name, row) : units.table.at(name, row);
    return {
      header: ["site", "unit", ...names],
      rows: order.map((row) => [units.site(row), units.unit(row), ...names.map((name) => cell(name, row))]),
    };
  }
}
