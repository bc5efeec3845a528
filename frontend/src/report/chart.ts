// A Vega chart without evaluation of text as code and without fetching, redrawn when the theme or the width changes.

import { parse, View, type Item, type Loader, type Spec } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { colour, isDark, THEME_CHANGED } from "../switch";
import type { Data, Theme } from "./data";
import type { Note } from "./note";

const refuse = (): Promise<never> => Promise.reject(new Error("a report's chart may not load anything"));
const loader = { options: {}, load: refuse, sanitize: refuse, http: refuse, file: refuse } as unknown as Loader;

export interface Chart {
  /** Draws anew, for instance after another choice. */
  draw(): void;
  signal(name: string, value: unknown): void;
  /** Takes the chart away, with everything that listens for it. */
  end(): void;
}

/** As wide as a page of A4 between its margins, in CSS pixels. */
const PAPER = 680;

let printing = false;
addEventListener("beforeprint", () => (printing = true));
addEventListener("afterprint", () => (printing = false));

/** The theme of the page as it is now: on paper, the light one. */
export function themeNow(data: Data): Theme {
  return data.themes[isDark() && !printing ? "dark" : "light"];
}

/** The colour that charts stand on: on paper, white. */
export function groundNow(): string {
  return printing ? "rgb(255, 255, 255)" : colour("surface");
}

/**
 * Draws a chart in a place, as wide as the place is.
 *
 * @param specify gives the specification for a width; marks may hold words under `note` and a unit's row under `row`.
 * @param open is told the row of a mark that was clicked.
 */
export function chart(place: HTMLElement, data: Data, note: Note, specify: (width: number) => Spec, open: (row: number) => void): Chart {
  let view: View | undefined;
  let width = 0;
  const draw = (): void => {
    width = printing && place.clientWidth > 0 ? PAPER : place.clientWidth;
    if (width === 0) return;  // hidden; it is drawn when it shows again
    view?.finalize();
    view = new View(parse(specify(width), configured(themeNow(data)), { ast: true }), {
      renderer: "svg",
      container: place,
      hover: true,
      loader,
      expr: expressionInterpreter,
      tooltip: (_: unknown, event: MouseEvent, item: Item | null | undefined) => {
        const words = (item?.datum as { note?: string } | undefined)?.note;
        const frame = place.parentElement!.getBoundingClientRect();
        if (words) note.show(words, event.clientX - frame.left, event.clientY - frame.top);
        else note.hide();
      },
    } as ConstructorParameters<typeof View>[1]);
    view.addEventListener("click", (_, item) => {
      const row = (item?.datum as { row?: number } | undefined)?.row;
      if (row !== undefined) open(row);
    });
    view.run();
    const picture = place.querySelector("svg");
    picture?.setAttribute("aria-hidden", "true");
    picture?.setAttribute("focusable", "false");
  };
  const resized = new ResizeObserver(() => !printing && Math.abs(place.clientWidth - width) > 1 && draw());
  resized.observe(place);
  place.addEventListener("pointerleave", note.hide);
  const events = ["beforeprint", "afterprint"] as const;
  for (const event of events) addEventListener(event, draw);
  document.addEventListener(THEME_CHANGED, draw);
  draw();
  return {
    draw,
    signal: (name, value) => void view?.signal(name, value).run(),
    end() {
      resized.disconnect();
      for (const event of events) removeEventListener(event, draw);
      document.removeEventListener(THEME_CHANGED, draw);
      view?.finalize();
    },
  };
}

/** A theme in Vega's words; the record's themes are in Vega-Lite's, which has one word for every font. */
function configured({ font, view: _view, header: _header, axis, legend, ...rest }: Theme): object {
  const fonts = { labelFont: font, titleFont: font };
  return { ...rest, axis: { ...axis, ...fonts }, legend: { ...(legend as object), ...fonts }, text: { font } };
}
