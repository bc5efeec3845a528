// A small picture of an interval: a line from its lower to its upper end, a dot at the estimate, and where 0 lies.

const WIDTH = 220;
const HEIGHT = 14;
const EDGE = 5;

export interface Interval {
  estimate: number;
  low: number;
  high: number;
}

/** Draws an interval on a scale that holds all of some intervals, and 0. */
export function intervalBar(shown: Interval, all: readonly Interval[]): SVGElement {
  const least = Math.min(0, ...all.map((each) => each.low));
  const most = Math.max(0, ...all.map((each) => each.high));
  const at = (value: number): string => (EDGE + ((WIDTH - 2 * EDGE) * (value - least)) / (most - least || 1)).toFixed(1);
  const middle = String(HEIGHT / 2);
  const picture = shape("svg", { class: "interval-bar", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: String(WIDTH), height: String(HEIGHT), "aria-hidden": "true" });
  picture.append(
    shape("line", { class: "nothing", x1: at(0), x2: at(0), y1: "0", y2: String(HEIGHT) }),
    shape("line", { class: "reach", x1: at(shown.low), x2: at(shown.high), y1: middle, y2: middle }),
    shape("circle", { cx: at(shown.estimate), cy: middle, r: "4" }),
  );
  return picture;
}

function shape(name: string, attributes: Record<string, string>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
