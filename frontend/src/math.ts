// Formulas: the server sends their TeX as text, KaTeX sets it, with nothing that a formula could reach out with.

import katex from "katex";
import "katex/dist/katex.min.css";

export function typeset(formulas: Iterable<HTMLElement>): void {
  for (const formula of formulas) {
    const set = document.createElement("span");
    try {
      katex.render(formula.dataset["tex"] ?? "", set, { throwOnError: true, trust: false, maxExpand: 200, maxSize: 10, strict: "ignore" });
    } catch {
      // What KaTeX cannot set, or will not expand any further, stays as the TeX that the server sent.
      continue;
    }
    formula.replaceChildren(set);
  }
}
