// The citation network: the server's picture, made to be dragged, zoomed and walked through.

import cytoscape, { type Core, type ElementDefinition, type NodeSingular } from "cytoscape";
import { open, showNote } from "./network-note";
import { networkStyle } from "./network-style";
import { startWalking } from "./network-walk";
import { THEME_CHANGED } from "./switch";
import { FILTERED, shownWorks } from "./table";

export type Role = "current" | "citing" | "referenced";

/** One work as the server placed it; `place` reads "Citing paper 3 of 113". */
export interface PlacedWork {
  key: string;
  role: Role;
  title: string;
  byline: string;
  place: string;
  address: string;
  x: number;
  y: number;
  /** "retracted" or "withdrawn" where it stands no more, else empty. */
  standing: string;
}

export interface Picture {
  rings: { radius: number; label: string }[];
  works: PlacedWork[];
  edges: { source: string; target: string }[];
}

const STEP = 1.35;
const PADDING = 24;
/** A picture of few works is not blown up beyond this. */
const LARGEST_FIT = 1.5;

export function startNetwork(figure: HTMLElement): void {
  const data = document.getElementById("network-data");
  const stage = figure.querySelector<HTMLElement>(".network-stage");
  if (!data?.textContent || !stage) return;
  const picture = JSON.parse(data.textContent) as Picture;
  reserveStyleElement();
  figure.classList.add("interactive");

  const coarse = matchMedia("(pointer: coarse)").matches;
  const network = cytoscape({
    container: stage,
    elements: elements(picture),
    layout: { name: "preset", fit: false },
    style: networkStyle(stage.clientWidth, picture.works.length),
    minZoom: 0.2,
    maxZoom: 4,
    // The wheel scrolls the page; fingers may pinch.
    userZoomingEnabled: coarse,
    boxSelectionEnabled: false,
    autounselectify: true,
    selectionType: "single",
  });
  fit(network);

  const animated = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  startTooltip(figure, stage, network);
  startZooming(figure, network, animated);
  startWalking(figure, stage, network, animated);
  network.on("tap", "node.work", (event) => open(event.target as NodeSingular));
  document.addEventListener(THEME_CHANGED, () => network.style(networkStyle(stage.clientWidth, picture.works.length)));
  // A reader may have filtered before the network was there.
  const follow = (): void => dim(network, new Set(shownWorks()));
  document.addEventListener(FILTERED, follow);
  follow();
  new ResizeObserver(() => network.resize()).observe(stage);
  stage.dataset["ready"] = "true";
}

function elements(picture: Picture): ElementDefinition[] {
  const rings = picture.rings.map(({ radius, label }, index) => ({
    data: { id: `ring ${index}`, label, size: 2 * radius },
    position: { x: 0, y: 0 },
    classes: "ring",
    selectable: false,
    grabbable: false,
  }));
  const works = picture.works.map((work) => ({
    data: { ...work, id: `work ${work.key}` },
    position: { x: work.x, y: work.y },
    classes: `work ${work.role} ${work.standing}`,
  }));
  const edges = picture.edges.map(({ source, target }) => ({
    data: { id: `edge ${source} ${target}`, source: `work ${source}`, target: `work ${target}` },
    selectable: false,
  }));
  return [...rings, ...works, ...edges];
}

/** Cytoscape adds a style element, which the content security policy forbids, unless one with its name exists. */
function reserveStyleElement(): void {
  const id = "__________cytoscape_stylesheet";
  if (document.getElementById(id)) return;
  const reserved = document.createElement("meta");
  reserved.id = id;
  document.head.append(reserved);
}

function startTooltip(figure: HTMLElement, stage: HTMLElement, network: Core): void {
  const note = figure.querySelector<HTMLElement>(".network-note");
  if (!note) return;
  const hide = (): void => {
    note.hidden = true;
    stage.style.cursor = "";
  };
  network.on("mouseover", "node.work", (event) => {
    const node = event.target as NodeSingular;
    stage.style.cursor = node.data("role") === "current" ? "" : "pointer";
    node.addClass("pointed");
    showNote(note, stage, node);
  });
  network.on("mouseout", "node.work", (event) => {
    (event.target as NodeSingular).removeClass("pointed");
    hide();
  });
  network.on("pan zoom", hide);
  network.on("drag", "node.work", (event) => showNote(note, stage, event.target as NodeSingular));
}

/** Shows every work, in the middle. */
function fit(network: Core): void {
  network.stop();
  network.fit(undefined, PADDING);
  if (network.zoom() > LARGEST_FIT) {
    network.zoom(LARGEST_FIT);
    network.center();
  }
}

function startZooming(figure: HTMLElement, network: Core, animated: boolean): void {
  const zoom = (factor: number): void => {
    const level = Math.max(network.minZoom(), Math.min(network.maxZoom(), network.zoom() * factor));
    const to = { zoom: { level, renderedPosition: { x: network.width() / 2, y: network.height() / 2 } } };
    if (animated) network.animate(to, { duration: 150 });
    else network.zoom(to.zoom);
  };
  const actions: Record<string, () => void> = { in: () => zoom(STEP), out: () => zoom(1 / STEP), fit: () => fit(network) };
  for (const button of figure.querySelectorAll<HTMLButtonElement>("button[data-zoom]")) {
    button.addEventListener("click", () => actions[button.dataset["zoom"] ?? ""]?.());
  }
  figure.querySelector(".network-stage")?.addEventListener("keydown", (event) => {
    const action = { "+": "in", "=": "in", "-": "out", "0": "fit" }[(event as KeyboardEvent).key];
    if (!action) return;
    event.preventDefault();
    actions[action]?.();
  });
}

/** Fades what the table's filter hides, so that both always show the same works. */
function dim(network: Core, kept: Set<string>): void {
  network.batch(() => {
    network.nodes(".citing, .referenced").forEach((node) => {
      node.toggleClass("dimmed", !kept.has(String(node.data("key"))));
    });
    network.edges().forEach((edge) => {
      edge.toggleClass("dimmed", edge.source().hasClass("dimmed") || edge.target().hasClass("dimmed"));
    });
  });
}
