// What a node says of itself, and where it leads.

import type { NodeSingular } from "cytoscape";

/** Goes to a work's page; the work whose page this is stays where it is. */
export function open(node: NodeSingular): void {
  if (node.data("role") !== "current") location.assign(String(node.data("address")));
}

/** Writes a work's title, authors and year beside its node, inside the stage. */
export function showNote(note: HTMLElement, stage: HTMLElement, node: NodeSingular): void {
  const [title, byline] = note.children;
  if (title) title.textContent = String(node.data("title"));
  if (byline) byline.textContent = [node.data("place"), node.data("byline")].filter(Boolean).join(" · ");
  note.hidden = false;
  const { x, y } = node.renderedPosition();
  const gap = node.renderedOuterHeight() / 2 + 8;
  const below = y + gap + note.offsetHeight < stage.clientHeight;
  const left = Math.max(4, Math.min(x - note.offsetWidth / 2, stage.clientWidth - note.offsetWidth - 4));
  note.style.left = `${left}px`;
  note.style.top = `${below ? y + gap : Math.max(4, y - gap - note.offsetHeight)}px`;
}
