// Sorting and filtering of the table of citations and references, which the server has sent whole.

export const FILTERED = "lenslab:filtered";

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export function startTable(): void {
  const table = document.querySelector<HTMLTableElement>("#works");
  const controls = document.querySelector<HTMLFormElement>("#works-filter");
  const body = table?.tBodies[0];
  if (!table || !controls || !body) return;
  startSorting(table, body);
  startFiltering(controls, [...body.rows]);
}

function startSorting(table: HTMLTableElement, body: HTMLTableSectionElement): void {
  const heads = [...table.querySelectorAll<HTMLTableCellElement>("th[data-sorts]")];
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const descending = head.ariaSort === "ascending" || (head.ariaSort === "none" && head.dataset["sorts"] === "year");
      for (const other of heads) other.ariaSort = "none";
      head.ariaSort = descending ? "descending" : "ascending";
      sort(body, head.dataset["sorts"] ?? "title", descending);
    });
  }
}

function sort(body: HTMLTableSectionElement, name: string, descending: boolean): void {
  const value = (row: HTMLTableRowElement): string => row.dataset[name] ?? written(row, name);
  const rows = [...body.rows].sort((first, second) => {
    // What is missing stands last, whichever way the rest is sorted.
    if (value(first) === "" || value(second) === "") return Number(value(first) === "") - Number(value(second) === "");
    const order = collator.compare(value(first), value(second));
    return descending ? -order : order;
  });
  body.append(...rows);
}

function startFiltering(controls: HTMLFormElement, rows: HTMLTableRowElement[]): void {
  const count = controls.querySelector<HTMLElement>("output");
  const texts = new Map(rows.map((row) => [row, fold(`${written(row, "title")} ${written(row, "authors")} ${row.dataset["year"]}`)]));
  const apply = (): void => {
    const chosen = new FormData(controls);
    const words = fold(String(chosen.get("words") ?? "")).split(/\s+/);
    const direction = String(chosen.get("direction") ?? "");
    let shown = 0;
    for (const row of rows) {
      const fits =
        (direction === "" || row.dataset["direction"] === direction) &&
        words.every((word) => texts.get(row)?.includes(word));
      row.hidden = !fits;
      shown += Number(fits);
    }
    const all = `${rows.length} work${rows.length === 1 ? "" : "s"}`;
    if (count) count.textContent = shown === rows.length ? all : `${shown} of ${all}`;
    document.dispatchEvent(new CustomEvent(FILTERED));
  };
  controls.addEventListener("input", apply);
  controls.addEventListener("submit", (event) => event.preventDefault());
  apply();
}

/** The works whose rows the filter leaves. */
export function shownWorks(): string[] {
  const rows = document.querySelectorAll<HTMLTableRowElement>("#works tbody tr:not([hidden])");
  return Array.from(rows, (row) => row.dataset["work"] ?? "");
}

/** What a cell says: the title without what is folded away below it; nothing where it says that nothing is recorded. */
function written(row: HTMLTableRowElement, name: string): string {
  const cell = row.querySelector<HTMLElement>(`td.${name}`);
  const words = name === "title" ? cell?.querySelector("a") : cell?.querySelector(":scope > .note") ? null : cell;
  return words?.textContent?.trim() ?? "";
}

/** Drops case and accents, so that "koenig" is asked as typed and "konig" finds "König". */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
