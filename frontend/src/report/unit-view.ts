// What shows a unit by itself.

export interface UnitView {
  show(row: number): void;
  hide(): void;
}
