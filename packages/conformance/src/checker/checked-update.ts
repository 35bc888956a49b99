import { GradstepError, hasNames, show } from "@gradstep/core";
import type { Metrics, StepOptions, Tensor, Update, Values, Variant } from "@gradstep/core";
import { point, type Interval } from "../bounds/interval.js";
import type { CheckStats } from "./check-stats.js";
import type { Snapshot } from "./snapshot.js";

type ByName<T> = Readonly<Record<string, T>>;

/** One step of the backend that is checked. */
export interface CheckedStep {
  /** The backend's values before the step, by parameter. */
  readonly before: ByName<Snapshot>;
  /** What the step was given, by parameter. */
  readonly gradients: ByName<Float32Array>;
  /** The backend's values after the step, by parameter. */
  readonly after: ByName<Snapshot>;
  /** The findings are added to it. */
  readonly stats: CheckStats;
  /** What else the step was given. */
  readonly options?: StepOptions | undefined;
  /** What `optimizer.metrics()` gave after the step; metrics are not checked if left out. */
  readonly metrics?: Metrics | undefined;
  /** The possible values of gradients that the backend computes from what it was given, by parameter. */
  readonly gradientBounds?: ByName<readonly Interval[]> | undefined;
}

/** One parameter of a step: its values before and after, and those of the reference. */
export interface CheckedUpdate {
  readonly variant: Variant;
  readonly name: string;
  readonly update: Update;
  readonly before: Snapshot;
  /** 0 in rows that are not selected. */
  readonly gradient: Float32Array;
  /** Its possible values, if they are not certain. */
  readonly gradientBound: readonly Interval[] | undefined;
  readonly after: Snapshot;
  readonly expected: Snapshot;
}

/**
 * @param update of the reference, after it has run
 * @param step with the metrics of this rule alone
 */
export function checkedUpdate(
  name: string,
  variant: Variant,
  update: Update,
  { before, gradients, after, metrics, gradientBounds = {} }: CheckedStep,
): CheckedUpdate {
  return {
    variant,
    name,
    update,
    before: before[name],
    gradient: maskedGradient(update, gradients[name]),
    gradientBound: maskedBound(update, gradientBounds[name]),
    after: { ...metricsOf(name, metrics), ...after[name] },
    expected: valuesOf(variant, update),
  };
}

/** @throws {GradstepError} `INVALID_PARAMETER` where values of a parameter with a gradient are missing */
export function checkStepValues({ before, gradients, after, stats }: CheckedStep): void {
  if (!hasNames(stats)) throw invalid("stats", stats, "emptyStats()");
  if (!hasNames(gradients))
    throw invalid("gradients", gradients, "arrays by the names of parameters");
  for (const [when, values] of Object.entries({ before, after })) {
    if (!hasNames(values)) throw invalid(when, values, "what snapshot(optimizer, parameters) gave");
    const missing = Object.keys(gradients).find((name) => !isSnapshot(values[name]));
    if (missing !== undefined)
      throw invalid(
        `${when}[${show(missing)}]`,
        values[missing],
        "a snapshot of the parameter, with p and its slots",
      );
  }
}

function isSnapshot(got: unknown): boolean {
  return hasNames(got) && ArrayBuffer.isView(got["p"]);
}

function invalid(name: string, got: unknown, expected: string): GradstepError {
  return new GradstepError(`Checker.step: ${name} is ${show(got)}; expected ${expected}.`, {
    code: "INVALID_PARAMETER",
  });
}

/** `p` and the slots, by name. */
export function tensorsOf(
  { slots }: Variant,
  update: Update,
): readonly (readonly [name: string, tensor: Tensor])[] {
  return [["p", update.parameter], ...slots.map(({ name }, i) => [name, update.slots[i]] as const)];
}

/** The values in the memory of the reference, which a later run changes. */
function valuesOf(variant: Variant, update: Update): Snapshot {
  return Object.fromEntries(
    tensorsOf(variant, update).map(([name, tensor]) => [
      name,
      (tensor as unknown as { view(): Values }).view(),
    ]),
  );
}

/** As an f32 backend sees them. */
export function scalarsOf({ variant, update }: CheckedUpdate): ByName<number> {
  return Object.fromEntries(
    variant.scalars.map((name, i) => [name, Math.fround(update.scalars[i])]),
  );
}

/** Whether the mask selects the row of an element. */
export function isSelected({ parameter, mask }: Update, element: number): boolean {
  const rows = mask as Uint32Array | undefined;
  return rows === undefined || rows[Math.floor((element * rows.length) / parameter.size)] !== 0;
}

function maskedGradient(update: Update, gradient: Float32Array): Float32Array {
  if (update.mask === undefined) return gradient;
  return gradient.map((value, i) => (isSelected(update, i) ? value : 0));
}

function maskedBound(
  update: Update,
  bound: readonly Interval[] | undefined,
): readonly Interval[] | undefined {
  if (update.mask === undefined) return bound;
  return bound?.map((one, i) => (isSelected(update, i) ? one : point(0)));
}

/** The metrics of a parameter, and those that all parameters share. */
function metricsOf(parameter: string, metrics: Metrics = {}): Snapshot {
  return Object.fromEntries(
    Object.entries(metrics).flatMap(([name, values]) => {
      const value = typeof values === "number" ? values : values[parameter];
      return value === undefined ? [] : [[name, Float32Array.of(value)]];
    }),
  );
}
