// Columns of the table of units: what each is called, how it is written, and what it means.

import type { Units } from "./units";
import { interval, plain, plainInterval, points, probability, UNKNOWN, whole } from "./words";

/** A drop is a share of images; a measure is a cost on another scale; a bound belongs to a drop and is none itself. */
export type Kind = "drop" | "measure" | "bound" | "class" | "probability" | "count" | "flag" | "attribute";

export interface Column {
  name: string;
  words: string;
  kind: Kind;
  about: string;
  /** The columns of its interval. */
  bounds?: readonly [low: string, high: string];
  /** The column that names the class which a drop belongs to. */
  label?: string;
}

type Known = readonly [name: string, words: string, kind: Kind, about: string, more?: Partial<Column>];

const KNOWN: readonly Known[] = [
  ["accuracy_drop", "accuracy drop", "drop", "Accuracy before minus after, over all images", { bounds: ["accuracy_drop_low", "accuracy_drop_high"] }],
  ["accuracy_drop_estimate", "estimated accuracy drop", "drop", "Accuracy before minus after, over all images: an estimate, with its 95 % interval", { bounds: ["accuracy_drop_low", "accuracy_drop_high"] }],
  ["accuracy_drop_standard_error", "standard error", "bound", "Standard error of the estimated accuracy drop"],
  ["heldout_max_class_drop_estimate", "estimated held-out class drop", "drop", "The class is chosen on one half of the images and its drop read on the other, both ways, averaged: an estimate"],
  ["heldout_max_class_drop_standard_error", "standard error, held-out", "bound", "Standard error of the estimated held-out class drop, of the classes that were chosen"],
  ["pairs_run", "images run", "count", "On so many images the unit was silenced and the answer decided exactly"],
  ["balanced_accuracy_drop", "balanced accuracy drop", "drop", "Recall before minus after, averaged over the classes", { bounds: ["balanced_accuracy_drop_low", "balanced_accuracy_drop_high"] }],
  ["top_drop", "top-k drop", "drop", "How much less often the true class is among the k largest logits", { bounds: ["top_drop_low", "top_drop_high"] }],
  ["max_class_drop", "largest class drop", "drop", "Recall before minus after of the class hit hardest; a maximum over noisy classes, so biased upward", { label: "max_class" }],
  ["heldout_max_class_drop", "held-out class drop", "drop", "The class is chosen on one half of the images and its drop read on the other, both ways, averaged"],
  ["heldout_a_to_b", "held-out, A to B", "drop", "The class chosen on half A, its drop read on half B"],
  ["heldout_b_to_a", "held-out, B to A", "drop", "The class chosen on half B, its drop read on half A"],
  ["q_value", "q", "probability", "Benjamini-Hochberg over the units of the site, of exact McNemar tests of the accuracy drop"],
  ["p_value", "p", "probability", "Exact two-sided McNemar test of the accuracy drop"],
  ["heldout_p_value", "held-out p", "probability", "Exact one-sided McNemar test of the class chosen on one half, on the other half; both ways together"],
  ["heldout_q_value", "held-out q", "probability", "Benjamini-Hochberg of the held-out p over the live units of the site"],
  ["accuracy_drop_simultaneous_low", "lower bound, all units", "bound", "Lower bounds of the accuracy drop that hold for all live units of the site together, at 95 %"],
  ["accuracy_drop_simultaneous_high", "upper bound, all units", "bound", "Upper bounds of the accuracy drop that hold for all live units of the site together, at 95 %"],
  ["draws_sd", "sd over draws", "bound", "Standard deviation of the accuracy drop over the draws of the replacement"],
  ["loss_rise", "loss rise", "measure", "Mean cross-entropy after minus before, in nats", { bounds: ["loss_rise_low", "loss_rise_high"] }],
  ["logit_drop", "true-logit drop", "measure", "Mean logit of the true class, before minus after", { bounds: ["logit_drop_low", "logit_drop_high"] }],
  ["margin_drop", "margin drop", "measure", "Mean margin of the true class before the best other one, before minus after", { bounds: ["margin_drop_low", "margin_drop_high"] }],
  ["top_losses", "lost from the top k", "count", "Images whose true class left the k largest logits"],
  ["top_gains", "gained in the top k", "count", "Images whose true class entered the k largest logits"],
  ["losses", "lost", "count", "Images that were right before and wrong after"],
  ["gains", "gained", "count", "Images that were wrong before and right after"],
  ["images", "images", "count", "Images that were classified"],
  ["max_class", "class hit hardest", "class", "The class of the largest class drop"],
  ["dead", "dead", "flag", "Whether the unit is never active on these images"],
  ["class_selectivity", "class selectivity", "attribute", "(largest class mean − mean of the others) / their sum, of the activation (Morcos et al. 2018)"],
  ["l1_norm", "L1 norm", "attribute", "Sum of the absolute weights of the unit's filter"],
  ["l1_norm_folded", "L1 norm, folded", "attribute", "The same with the batch norm behind it folded in"],
  ["class_correlation", "class correlation", "attribute", "Largest correlation of the activation with a class's predicted probability"],
  ["class_correlation_class", "class of the correlation", "class", "The class of the class correlation"],
  ["mutual_information", "mutual information", "attribute", "Between the binned activation and the class, in bits"],
  ["apoz", "APoZ", "attribute", "Average share of positions that are zero"],
  ["mean_activation", "mean activation", "attribute", "Mean of the unit's spatial means"],
  ["max_activation", "max activation", "attribute", "Largest value of the unit's maps"],
  ["precision", "precision", "attribute", "Largest share of one class among the images that activate it most"],
  ["ccmas", "CCMAS", "attribute", "Class-conditional mean activation selectivity"],
  ["localist_selectivity", "localist selectivity", "attribute", "How far the values of one class lie from those of all others"],
  ["maximum_informedness", "maximum informedness", "attribute", "Best true positive rate minus false positive rate of a threshold for a class"],
  ["maximum_informedness_threshold", "informedness threshold", "attribute", "The activation at the maximum informedness"],
  ["maximum_informedness_class", "class of the informedness", "class", "The class of the maximum informedness"],
  ["feature_map_rank", "feature-map rank", "attribute", "Mean rank of the unit's maps"],
  ["gradient_activation", "gradient × activation", "attribute", "First-order forecast of the loss's rise"],
  ["taylor", "Taylor score", "attribute", "Mean absolute gradient times activation (Molchanov et al. 2017)"],
  ["concept_alignment", "concept alignment", "attribute", "Intersection over union with the best concept"],
];

const HIDDEN = new Set(["site", "unit"]);
const INITIAL = ["accuracy_drop", "accuracy_drop_estimate", "heldout_max_class_drop_estimate", "heldout_max_class_drop_standard_error", "pairs_run", "max_class_drop", "heldout_max_class_drop", "q_value", "class_selectivity", "l1_norm"];

export class Columns {
  /** Those that the record has and that say something, in the order of the chooser. */
  readonly all: Column[];
  readonly initial: string[];

  constructor(private readonly units: Units) {
    const held = new Set(units.table.columns.keys());
    const known: Column[] = KNOWN.map(([name, words, kind, about, more]) => ({ name, words, kind, about, ...more }));
    const bounds = new Set(known.flatMap((column) => [...(column.bounds ?? [])]));
    const rest = [...held].filter((name) => !known.some((column) => column.name === name) && !bounds.has(name));
    const unknown: Column[] = rest.map((name) => ({ name, words: name.replaceAll("_", " "), kind: name.endsWith("_class") ? "class" : "attribute", about: `The record's column ${name}` }));
    this.all = [...known, ...unknown].filter((column) => held.has(column.name) && !HIDDEN.has(column.name) && this.says(column));
    this.initial = INITIAL.filter((name) => this.all.some((column) => column.name === name));
  }

  get(name: string): Column | undefined {
    return this.all.find((column) => column.name === name);
  }

  /** What may be plotted as a cost. */
  get measures(): Column[] {
    return this.all.filter((column) => column.kind === "drop" || column.kind === "measure");
  }

  /** What may be plotted as an attribute. */
  get attributes(): Column[] {
    return this.all.filter((column) => column.kind === "attribute" && !this.units.table.isText(column.name));
  }

  /** The words of a cell, as people read it. */
  words(column: Column, row: number): string {
    const { table } = this.units;
    if (table.isText(column.name)) return table.text(column.name, row);
    const value = table.at(column.name, row);
    switch (column.kind) {
      case "drop":
      case "bound":
        return points(value);
      case "class":
        return this.units.className(value);
      case "probability":
        return probability(value);
      case "count":
        return Number.isFinite(value) ? whole(value) : UNKNOWN;
      case "flag":
        return value === 1 ? "yes" : "no";
      case "measure":
      case "attribute":
        return plain(value);
    }
  }

  /** What stands small beside a cell: the interval, or the class that a drop belongs to. */
  aside(column: Column, row: number): string {
    const { table } = this.units;
    if (column.bounds && table.has(column.bounds[0])) {
      const words = column.kind === "drop" ? interval : plainInterval;
      return words(table.at(column.bounds[0], row), table.at(column.bounds[1], row));
    }
    if (column.label && table.has(column.label) && table.at(column.name, row) > 0) return this.units.className(table.at(column.label, row));
    return "";
  }

  /** The record's columns behind a column, for a file of them. */
  sources(column: Column): string[] {
    const more = [...(column.bounds ?? []), ...(column.label ? [column.label] : [])];
    return [column.name, ...more.filter((name) => this.units.table.has(name))];
  }

  private says(column: Column): boolean {
    const values = this.units.table.columns.get(column.name)!;
    return column.kind === "flag" || column.kind === "drop" || values.length === 0 || values.some((value) => Number.isFinite(value));
  }
}
