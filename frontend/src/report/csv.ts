// Figures as CSV files (RFC 4180): the record's own column names, fractions, every digit.

import { button } from "./dom";

export type Cell = string | number;

export interface Csv {
  header: readonly string[];
  rows: Iterable<readonly Cell[]>;
}

/** A button that saves what is shown at the moment it is pressed. */
export function csvButton(words: string, name: string, content: () => Csv): HTMLButtonElement {
  return button(words, () => save(`${name.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 80)}.csv`, csvText(content())), { class: "small csv" });
}

export function csvText({ header, rows }: Csv): string {
  const lines = [header.map(written).join(",")];
  for (const row of rows) lines.push(row.map(written).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

function written(cell: Cell): string {
  if (typeof cell === "number") return Number.isNaN(cell) ? "" : String(cell);
  // A spreadsheet takes text that begins like this for a formula; names of classes are anybody's.
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
