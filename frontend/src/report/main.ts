// A report, of a run or of a screening: the data are in the page, nothing is fetched. The theme is set before anything is drawn.

import "../theme";
import "../../../src/lenslab/web/static/lenslab/style.css";
import "./report.css";
import { startSwitch } from "../switch";
import { Columns } from "./columns";
import { readData } from "./data";
import { Exemplars } from "./exemplars";
import { heat } from "./heat";
import { intervals } from "./intervals";
import { scatter } from "./scatter";
import { ScreenedUnit } from "./screened-unit";
import { topUnits } from "./top-units";
import { UnitPage } from "./unit-page";
import type { UnitView } from "./unit-view";
import { Units } from "./units";
import { unitsTable } from "./units-table";

document.addEventListener("DOMContentLoaded", start);

function start(): void {
  startSwitch();
  const [overview, place, parts] = ["overview", "unit", "parts"].map((id) => document.getElementById(id)!) as [HTMLElement, HTMLElement, HTMLElement];
  const units = new Units(readData());
  const columns = new Columns(units);
  const screened = units.data.kind === "screening";
  const page: UnitView = screened ? new ScreenedUnit(place, units, columns) : new UnitPage(place, units, columns, new Exemplars(units));
  if (screened) parts.append(topUnits(units), intervals(units), unitsTable(units, columns));
  else parts.append(unitsTable(units, columns), scatter(units, columns), heat(units));
  const title = document.title;
  let height = 0;
  let from: number | undefined;

  const route = (): void => {
    const row = asked(units);
    if (row === undefined) return back();
    if (from === undefined) height = scrollY;
    from = row;
    overview.hidden = true;
    place.hidden = false;
    page.show(row);
    document.title = `${units.site(row)}, unit ${units.unit(row)} · ${title}`;
    scrollTo({ top: 0, behavior: "instant" });
    document.getElementById("unit-title")?.focus({ preventScroll: true });
  };
  /** Shows the overview where the reader had left it, or the part that the address names. */
  const back = (): void => {
    const left = from;
    from = undefined;
    page.hide();
    place.hidden = true;
    overview.hidden = false;
    document.title = title;
    const named = location.hash.startsWith("#/") ? null : document.getElementById(location.hash.slice(1));
    if (named) named.scrollIntoView({ behavior: "instant" });
    else if (left !== undefined) scrollTo({ top: height, behavior: "instant" });
  };
  addEventListener("hashchange", route);
  if (location.hash !== "") route();
  performance.mark("lenslab:ready");
}

/** The unit that the address names as ``#/site/unit``, where there is one. */
function asked(units: Units): number | undefined {
  const [, site, unit] = /^#\/([^/]+)\/(\d+)$/.exec(location.hash) ?? [];
  if (site === undefined) return undefined;
  try {
    return units.find(decodeURIComponent(site), Number(unit));
  } catch {
    return undefined; // an address that was cut in the middle of a letter
  }
}
