// Figures as people read them: fractions in the record, points on the page, a true minus sign, a dash for what is unknown.

export const UNKNOWN = "–";

export function points(fraction: number): string {
  return Number.isFinite(fraction) ? proper((100 * fraction).toFixed(2)) : UNKNOWN;
}

/** A number without a unit, to two decimals. */
export function hundredths(value: number): string {
  return Number.isFinite(value) ? proper(value.toFixed(2)) : UNKNOWN;
}

export function interval(low: number, high: number): string {
  return Number.isFinite(low) && Number.isFinite(high) ? `${points(low)} to ${points(high)}` : UNKNOWN;
}

/** An interval on another scale than that of shares. */
export function plainInterval(low: number, high: number): string {
  return Number.isFinite(low) && Number.isFinite(high) ? `${plain(low)} to ${plain(high)}` : UNKNOWN;
}

/** A number without a unit, to four digits. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return proper(String(value));
  const size = Math.abs(value);
  return proper(size < 1e-3 || size >= 1e6 ? value.toExponential(2) : value.toPrecision(4));
}

/** A p-value or q-value. */
export function probability(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (value === 0 || value >= 0.1) return value.toFixed(2);
  return value < 1e-4 ? proper(value.toExponential(1)) : value.toPrecision(2);
}

export function count(value: number, one: string, more = `${one}s`): string {
  return `${whole(value)} ${value === 1 ? one : more}`;
}

export function whole(value: number): string {
  return value.toLocaleString("en");
}

/** Drops the sign of what rounds to nothing, and writes the minus sign as one. */
function proper(text: string): string {
  return (/^-0(\.0*)?$/.test(text) ? text.slice(1) : text).replace(/^-/, "−");
}

/** A name within other text: kept apart where it is written, or says that it is written, from right to left. */
export function isolated(name: string): string {
  return /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufefc]/.test(name) ? `\u2068${name}\u2069` : name;
}
