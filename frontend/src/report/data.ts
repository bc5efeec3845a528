// The report's data: columns of numbers, unpacked once from the text that the page carries. See report/packing.py.

import { gunzipSync } from "fflate";

type Numbers = Float64Array | Float32Array | Int32Array | Uint8Array;

interface Place {
  type: "f8" | "f4" | "i4" | "u1";
  offset: number;
  length: number;
  values?: string[];
}

interface Header {
  kind: "run" | "screening";
  tables: Record<string, { rows: number; columns: Record<string, Place> }>;
  key: string;
  network: string;
  accuracy: number | null;
  classes: number;
  class_names: string[] | null;
  kept: { classes: number | null; flips: number | null; left_out: number };
  pictured: boolean;
  themes: Record<"light" | "dark", Theme>;
}

export interface Theme {
  font: string;
  axis: Record<string, unknown>;
  style: Record<string, Record<string, string | number>>;
  [part: string]: unknown;
}

/** A table of the record; a missing table has no rows and no columns. */
export class Table {
  constructor(
    readonly rows: number,
    readonly columns: ReadonlyMap<string, Numbers>,
    private readonly values: ReadonlyMap<string, string[]>,
  ) {}

  has(column: string): boolean {
    return this.columns.has(column);
  }

  isText(column: string): boolean {
    return this.values.has(column);
  }

  /** The number in a cell; NaN where the table has no such column. */
  at(column: string, row: number): number {
    return this.columns.get(column)?.[row] ?? NaN;
  }

  text(column: string, row: number): string {
    return this.values.get(column)?.[this.at(column, row)] ?? "";
  }

  /** Where each unit's rows begin, for a table that is ordered by its column ``row``; one more entry for the end. */
  starts(units: number): Int32Array {
    const starts = new Int32Array(units + 1);
    for (let row = 0; row < this.rows; row++) starts[this.at("row", row) + 1]! += 1;
    for (let unit = 0; unit < units; unit++) starts[unit + 1]! += starts[unit]!;
    return starts;
  }
}

export interface Data extends Header {
  table(name: string): Table;
  thumbnail(picture: number): string;
}

const TYPES = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };

export function readData(): Data {
  const packed = gunzipSync(bytesOf(document.getElementById("data")?.textContent ?? ""));
  const end = 4 + new DataView(packed.buffer, packed.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(packed.subarray(4, end))) as Header;
  // Views need the buffer to begin where their alignment does.
  const content = packed.slice(end).buffer;
  const tables = new Map<string, Table>();
  for (const [name, { rows, columns }] of Object.entries(header.tables)) {
    const numbers = new Map<string, Numbers>();
    const values = new Map<string, string[]>();
    for (const [column, place] of Object.entries(columns)) {
      numbers.set(column, new TYPES[place.type](content, place.offset, place.length));
      if (place.values) values.set(column, place.values);
    }
    tables.set(name, new Table(rows, numbers, values));
  }
  const nothing = new Table(0, new Map(), new Map());
  let thumbnails: string[] | undefined;
  return {
    ...header,
    table: (name) => tables.get(name) ?? nothing,
    thumbnail: (picture) => {
      thumbnails ??= (document.getElementById("thumbnails")?.textContent ?? "").split("\n");
      return `data:image/png;base64,${thumbnails[picture] ?? ""}`;
    },
  };
}

function bytesOf(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
  return bytes;
}
