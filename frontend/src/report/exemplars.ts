// The images that activate a unit most, with the unit's map over each.

import { element, named } from "./dom";
import type { Units } from "./units";
import { isolated, plain } from "./words";

let overlaid = true;
const STRENGTH = 0.66;
/** The overlay's colour, which stands out on photographs and on grey digits, light or dark. */
const INK = [255, 94, 0] as const;

export class Exemplars {
  private readonly table;
  private readonly pictures;
  private readonly maps;
  private readonly starts: Int32Array;

  constructor(private readonly units: Units) {
    this.table = units.data.table("exemplars");
    this.pictures = units.data.table("pictures");
    this.maps = units.data.table("maps").columns.get("bytes");
    this.starts = this.table.starts(units.count);
  }

  /** The section of a unit's page; null where the record has no pictures at all. */
  section(row: number): HTMLElement | null {
    if (!this.units.data.pictured) return null;
    const section = element(
      "section",
      { class: "part", "aria-labelledby": "exemplars-title" },
      element("h2", { id: "exemplars-title" }, "Images that activate it most"),
    );
    const [first, last] = [this.starts[row]!, this.starts[row + 1]!];
    if (first === last) {
      const left = this.units.data.kept.left_out > 0 && !this.units.dead(row);
      section.append(element("p", {}, left ? "This report has no room for this unit’s images; the record has them." : "No image activates it."));
      return section;
    }
    const grid = element("ol", { class: "exemplars" });
    for (let place = first; place < last; place++) grid.append(this.exemplar(place));
    const box = element("input", { type: "checkbox", id: "overlay" });
    box.checked = overlaid;
    grid.classList.toggle("overlaid", overlaid);
    box.addEventListener("change", () => {
      overlaid = box.checked;
      grid.classList.toggle("overlaid", overlaid);
    });
    section.append(
      element("p", { class: "controls" }, element("label", { class: "choice" }, box, " Show where the unit is active")),
      grid,
      element("p", { class: "note" }, "The strongest first. The colour is the unit’s map, stretched over the whole picture; full colour is its largest value on these images."),
    );
    return section;
  }

  private exemplar(place: number): HTMLElement {
    const at = (column: string): number => this.table.at(column, place);
    const picture = at("picture");
    const label = this.pictures.at("label", picture);
    const prediction = this.pictures.at("prediction", picture);
    const image = this.pictures.at("image", picture);
    const name = this.units.className(label);
    const wrong = prediction >= 0 && prediction !== label;
    const shown = element("img", {
      src: this.units.data.thumbnail(picture),
      alt: `Image ${image}, ${isolated(name)}${wrong ? `, taken for ${isolated(this.units.className(prediction))}` : ""}; largest activation ${plain(at("activation"))}`,
      decoding: "async",
    });
    shown.addEventListener("load", () => shown.classList.toggle("coarse", shown.naturalWidth <= 48));
    const caption = element("figcaption", {}, named(name));
    if (wrong) caption.append(element("span", { class: "wrong" }, " taken for ", named(this.units.className(prediction))));
    caption.append(element("span", { class: "note" }, `${plain(at("activation"))} on image ${image}`));
    return element("li", {}, element("figure", {}, element("div", { class: "picture" }, shown, this.overlay(at("offset"), at("height"), at("width"))), caption));
  }

  private overlay(offset: number, height: number, width: number): HTMLCanvasElement {
    const canvas = element("canvas", { class: "overlay", "aria-hidden": "true" });
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext("2d");
    const picture = pen?.createImageData(width, height);
    if (!pen || !picture) return canvas;
    for (let cell = 0; cell < height * width; cell++) {
      picture.data.set([...INK, STRENGTH * (this.maps?.[offset + cell] ?? 0)], 4 * cell);
    }
    pen.putImageData(picture, 0, 0);
    return canvas;
  }
}
