// How the network is drawn: a shape and a colour for each direction, in the page's theme.

import type { StylesheetJson } from "cytoscape";
import { colour } from "./switch";

/** A triangle on its tip, for works that cite; its counterpart on its base is Cytoscape's own. */
const DOWNWARD = "-1 -0.8 1 -0.8 0 1";
const UPWARD = "-1 0.8 1 0.8 0 -1";

/** The style sheet for a stage; where many works shrink to a narrow one, marks and words are drawn larger. */
export function networkStyle(width: number, works: number): StylesheetJson {
  const narrow = width < 600 && works > 40;
  const mark = narrow ? 30 : 20;
  return [
    {
      selector: "node.work",
      style: { width: mark, height: mark, "border-width": 1.5, "border-color": colour("surface"), "overlay-opacity": 0, "z-index-compare": "manual", "z-index": 2 },
    },
    {
      selector: "node.current",
      style: {
        shape: "ellipse",
        width: 34,
        height: 34,
        "background-color": colour("current"),
        "border-color": colour("current-edge"),
        "border-width": 3,
      },
    },
    {
      selector: "node.citing",
      style: { shape: "polygon", "shape-polygon-points": DOWNWARD, "background-color": colour("citing") },
    },
    {
      selector: "node.referenced",
      style: { shape: "polygon", "shape-polygon-points": UPWARD, "background-color": colour("referenced") },
    },
    {
      selector: "node.retracted, node.withdrawn",
      style: { "background-color": colour("surface"), "border-color": colour("bad"), "border-width": 2.5 },
    },
    {
      selector: "edge",
      style: {
        width: 1,
        "line-color": colour("edge"),
        "target-arrow-shape": "triangle",
        "target-arrow-color": colour("edge"),
        "arrow-scale": 0.6,
        "curve-style": "straight",
        events: "no",
      },
    },
    {
      selector: "node.ring",
      style: {
        shape: "ellipse",
        width: "data(size)",
        height: "data(size)",
        "background-opacity": 0,
        "border-width": 1,
        "border-color": colour("line"),
        label: "data(label)",
        "text-valign": "top",
        // From above the ring to inside of it, clear of its nodes, as in the server's picture.
        "text-margin-y": narrow ? 34 : 26,
        "font-size": narrow ? 22 : 13,
        "font-family": "system-ui, sans-serif",
        color: colour("ink-soft"),
        "text-background-color": colour("surface"),
        "text-background-opacity": 1,
        "text-background-padding": "2px",
        // A ring has no ground, so it may lie above the edges, which its label has to interrupt, and under the works.
        "z-index-compare": "manual",
        "z-index": 1,
        events: "no",
      },
    },
    { selector: "node.pointed", style: { "border-color": colour("accent"), "border-width": 3, width: mark + 6, height: mark + 6 } },
    { selector: "node.current.pointed", style: { width: 36, height: 36 } },
    { selector: ".dimmed", style: { opacity: 0.15 } },
  ];
}
