// Makes a complete page lively: each part loads only where the page has something for it.

import { startCopying } from "./copy";
import { startSwitch } from "./switch";
import { startTable } from "./table";

startSwitch();
startCopying();
startTable();

const formulas = document.querySelectorAll<HTMLElement>(".math");
if (formulas.length > 0) void import("./math").then(({ typeset }) => typeset(formulas));

const figure = document.querySelector<HTMLElement>("#network");
if (figure) void import("./network").then(({ startNetwork }) => startNetwork(figure));

whenSeen(document.querySelectorAll<HTMLElement>("figure[data-specification]"), (charts) => {
  void import("./charts").then(({ startCharts }) => startCharts(charts));
});

/** Waits until the reader comes near one of the elements; charts are heavy and far down. */
function whenSeen(elements: NodeListOf<HTMLElement>, then: (elements: HTMLElement[]) => void): void {
  const observer = new IntersectionObserver(
    (entries) => {
      const seen = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target as HTMLElement);
      for (const element of seen) observer.unobserve(element);
      if (seen.length > 0) then(seen);
    },
    { rootMargin: "200px" },
  );
  for (const element of elements) observer.observe(element);
}
