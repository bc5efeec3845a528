// Units, sites and classes: the record's rows under the names that readers know them by.

import type { Data, Table } from "./data";

export interface Site {
  name: string;
  /** The rows of its units, in the table of units, by unit. */
  rows: number[];
}

/** What silencing one unit costs one class. */
export interface ClassDrop {
  label: number;
  images: number;
  drop: number;
  low: number;
  high: number;
  losses: number;
  gains: number;
  q: number;
}

export class Units {
  readonly table: Table;
  readonly sites: Site[];
  /** The classes that have images, by label. */
  readonly labels: number[];
  readonly count: number;
  private readonly classes: Table;
  private readonly classStarts: Int32Array;
  private readonly unchanged = new Map<number, ClassDrop>();
  private readonly twice: Set<string>;
  private readonly rowOf = new Map<string, number>();

  constructor(readonly data: Data) {
    this.table = data.table("units");
    this.count = this.table.rows;
    const sites = new Map<string, Site>();
    for (let row = 0; row < this.count; row++) {
      const name = this.site(row);
      const site = sites.get(name) ?? { name, rows: [] };
      if (site.rows.length === 0) sites.set(name, site);
      site.rows.push(row);
      this.rowOf.set(`${this.unit(row)}@${name}`, row);
    }
    this.sites = [...sites.values()];
    this.classes = data.table("classes");
    this.classStarts = this.classes.starts(this.count);
    const labels = new Set<number>();
    const unchanged = data.table("unchanged");
    for (let row = 0; row < unchanged.rows; row++) {
      const drop = dropAt(unchanged, row);
      this.unchanged.set(drop.label, drop);
      labels.add(drop.label);
    }
    for (let row = 0; row < this.classes.rows; row++) labels.add(this.classes.at("label", row));
    this.labels = [...labels].sort((first, second) => first - second);
    const seen = new Set<string>();
    this.twice = new Set((data.class_names ?? []).filter((name) => seen.size === seen.add(name).size));
  }

  site(row: number): string {
    return this.table.text("site", row);
  }

  unit(row: number): number {
    return this.table.at("unit", row);
  }

  dead(row: number): boolean {
    return this.table.at("dead", row) === 1;
  }

  find(site: string, unit: number): number | undefined {
    return this.rowOf.get(`${unit}@${site}`);
  }

  siteOf(row: number): Site {
    const name = this.site(row);
    return this.sites.find((site) => site.name === name)!;
  }

  /** The name of a class; with its label behind it where another class has the same name. */
  className(label: number): string {
    const name = this.data.class_names?.[label];
    if (name === undefined || name.trim() === "") return label < 0 || Number.isNaN(label) ? "none" : `class ${label}`;
    return this.twice.has(name) ? `${name} (class ${label})` : name;
  }

  /** What the unit costs each class of which that is known, by label. */
  classDrops(row: number): ClassDrop[] {
    const drops = new Map<number, ClassDrop>(this.data.kept.classes === null ? this.unchanged : []);
    for (let place = this.classStarts[row]!; place < this.classStarts[row + 1]!; place++) {
      const drop = dropAt(this.classes, place);
      drops.set(drop.label, drop);
    }
    return [...drops.values()].sort((first, second) => first.label - second.label);
  }
}

function dropAt(table: Table, row: number): ClassDrop {
  const at = (column: string): number => table.at(column, row);
  return {
    label: at("label"),
    images: at("images"),
    drop: at("drop"),
    low: at("low"),
    high: at("high"),
    losses: at("losses"),
    gains: at("gains"),
    q: at("q_value"),
  };
}

/** The address of a unit's page within the report. */
export function address(units: Units, row: number): string {
  return `#/${encodeURIComponent(units.site(row))}/${units.unit(row)}`;
}

/** How many of a hundred of the site's live units have a smaller value, counting equal ones half; NaN where unknown. */
export function percentile(units: Units, column: string, row: number): number {
  const value = units.table.at(column, row);
  if (!Number.isFinite(value) || units.dead(row)) return NaN;
  let below = 0;
  let equal = 0;
  let all = 0;
  for (const other of units.siteOf(row).rows) {
    const held = units.table.at(column, other);
    if (units.dead(other) || !Number.isFinite(held)) continue;
    all += 1;
    if (held < value) below += 1;
    if (held === value) equal += 1;
  }
  return (100 * (below + equal / 2)) / all;
}
