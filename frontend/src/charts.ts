// Charts from a record: the picture that the server sent becomes interactive. No evaluation of text as code, no fetching.

import type { Item, Loader, TooltipHandler } from "vega";
import embed, { type VisualizationSpec } from "vega-embed";
import { expressionInterpreter } from "vega-interpreter";
import { isDark, colour, THEME_CHANGED } from "./switch";

type Specification = VisualizationSpec & {
  config?: object;
  background?: unknown;
  usermeta?: { themes?: Record<string, object> };
};

/** Refuses every address: a chart's data stand in its specification. */
const loader: Loader = {
  options: {},
  load: refuse,
  sanitize: refuse,
  http: refuse,
  file: refuse,
} as unknown as Loader;

function refuse(): Promise<never> {
  return Promise.reject(new Error("a record's chart may not load anything"));
}

export function startCharts(figures: HTMLElement[]): void {
  for (const figure of figures) {
    const draw = (): void => void drawChart(figure).catch(() => figure.classList.remove("interactive"));
    document.addEventListener(THEME_CHANGED, draw);
    draw();
  }
}

async function drawChart(figure: HTMLElement): Promise<void> {
  const address = figure.dataset["specification"];
  const place = figure.querySelector<HTMLElement>(".interactive-chart");
  if (!address || !place) return;
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) return;
  const specification = (await answer.json()) as Specification;
  specification.config = specification.usermeta?.themes?.[isDark() ? "dark" : "light"] ?? themed();
  delete specification.background;
  delete specification.usermeta;
  await embed(place, specification, {
    mode: "vega-lite",
    actions: false,
    ast: true,
    expr: expressionInterpreter,
    renderer: "svg",
    defaultStyle: false,
    tooltip: showTooltip(figure),
    loader,
  });
  figure.classList.add("interactive");
}

/** The page's colours in Vega's words, for a record that brings none. */
function themed(): object {
  const ink = colour("ink");
  const soft = colour("ink-soft");
  const line = colour("line");
  const text = { labelColor: soft, titleColor: ink, labelFont: "system-ui", titleFont: "system-ui", labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500 };
  return {
    background: "transparent",
    view: { stroke: "transparent" },
    axis: { ...text, gridColor: line, domainColor: soft, tickColor: soft },
    legend: { ...text },
    header: { ...text },
    title: { color: ink, subtitleColor: soft, font: "system-ui", subtitleFont: "system-ui" },
    text: { color: ink },
    rule: { color: soft },
    range: { category: [colour("referenced"), colour("citing"), colour("accent"), soft] },
  };
}

/** Shows a mark's values as text beside the pointer. */
function showTooltip(figure: HTMLElement): TooltipHandler {
  const note = figure.querySelector<HTMLElement>(".chart-note");
  return (_handler: unknown, event: MouseEvent, _item: Item, value: unknown) => {
    if (!note) return;
    note.hidden = value === null || value === undefined || value === "";
    if (note.hidden) return;
    note.textContent =
      typeof value === "object"
        ? Object.entries(value as Record<string, unknown>).map(([name, held]) => `${name}: ${String(held)}`).join("\n")
        : String(value);
    const frame = figure.getBoundingClientRect();
    const left = Math.min(event.clientX - frame.left + 12, Math.max(0, frame.width - note.offsetWidth - 4));
    note.style.left = `${left}px`;
    note.style.top = `${event.clientY - frame.top + 12}px`;
  };
}
