/** What a program says of a step: the name of the backend that took it, or what was wrong. */
export interface StepResult {
  readonly backend?: string;
  readonly problem?: string;
}

/** Results by column of the table. */
export type StepResults = Readonly<Partial<Record<Column, StepResult>>>;

export const columns = ["cpu-js", "wasm", "threads", "webgpu", "auto"] as const;
export type Column = (typeof columns)[number];
