// Walking through the network with the keyboard: one tab stop, arrows to move, Enter to open.

import type { Core, NodeSingular } from "cytoscape";
import { open, showNote } from "./network-note";

export function startWalking(figure: HTMLElement, stage: HTMLElement, network: Core, animated: boolean): void {
  const live = figure.querySelector<HTMLElement>(".network-live");
  const note = figure.querySelector<HTMLElement>(".network-note");
  let at: NodeSingular | undefined;

  const leave = (): void => {
    at?.removeClass("pointed");
    at = undefined;
    if (note) note.hidden = true;
  };
  const go = (node: NodeSingular): void => {
    leave();
    at = node;
    node.addClass("pointed");
    bringIntoView(network, node, animated);
    if (note) showNote(note, stage, node);
    if (live) live.textContent = spoken(node);
  };

  stage.addEventListener("keydown", (event) => {
    const walkable = network.nodes("node.work").not(".dimmed").toArray() as NodeSingular[];
    const index = at ? walkable.findIndex((node) => node.id() === at?.id()) : -1;
    const to: Record<string, number> = {
      ArrowRight: (index + 1) % walkable.length,
      ArrowDown: (index + 1) % walkable.length,
      ArrowLeft: (Math.max(index, 0) - 1 + walkable.length) % walkable.length,
      ArrowUp: (Math.max(index, 0) - 1 + walkable.length) % walkable.length,
      Home: 0,
      End: walkable.length - 1,
    };
    const next = walkable[to[event.key] ?? -1];
    if (next) go(next);
    else if (event.key === "Enter" && at) open(at);
    else if (event.key === "Escape") {
      leave();
      stage.blur();
    } else return;
    event.preventDefault();
  });
  stage.addEventListener("blur", leave);
}

/** "Citing paper 3 of 113: title, year". */
function spoken(node: NodeSingular): string {
  const byline = String(node.data("byline") ?? "");
  return `${String(node.data("place"))}: ${String(node.data("title"))}${byline ? `, ${byline}` : ""}`;
}

function bringIntoView(network: Core, node: NodeSingular, animated: boolean): void {
  const { x, y } = node.renderedPosition();
  const margin = 30;
  const inside = x > margin && y > margin && x < network.width() - margin && y < network.height() - margin;
  if (inside) return;
  if (animated) network.animate({ center: { eles: node } }, { duration: 150 });
  else network.center(node);
}
