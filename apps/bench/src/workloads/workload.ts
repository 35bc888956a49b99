/** Tensors to update in one step. */
export interface Workload {
  /** As `--workload` takes it. */
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  /** Skipped by `--quick`. */
  readonly long?: boolean;
}

/** The number of values of a shape. */
export function valuesIn(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** The number of parameters of a workload. */
export function parametersIn({ shapes }: Workload): number {
  return shapes.reduce((size, shape) => size + valuesIn(shape), 0);
}
