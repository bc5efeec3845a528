// A note beside the pointer, and the same words for those who cannot see it.

import { element } from "./dom";

export interface Note {
  show(words: string, left: number, top: number): void;
  hide(): void;
  /** Says something to screen readers alone. */
  say(words: string): void;
}

/** Adds a note to a figure; places are counted from the figure's corner. */
export function addNote(figure: HTMLElement): Note {
  const shown = element("p", { class: "chart-note", "aria-hidden": "true" });
  const said = element("p", { class: "visually-hidden", "aria-live": "polite" });
  shown.hidden = true;
  figure.append(shown, said);
  return {
    show(words, left, top) {
      shown.textContent = words;
      shown.hidden = false;
      shown.style.left = `${Math.max(0, Math.min(left + 12, figure.clientWidth - shown.offsetWidth - 4))}px`;
      shown.style.top = `${top + 14}px`;
    },
    hide() {
      shown.hidden = true;
    },
    say(words) {
      said.textContent = words;
    },
  };
}
