import {
  createOptimizer,
  GradstepError,
  type Backend,
  type OptimizerState,
  type StepControlOptions,
  type Tensor,
} from "@gradstep/core";
import { checkOptions } from "@gradstep/core/internal";
import { oracle } from "@gradstep/core/reference";
import { roundToNearest, type ErrorModel } from "../bounds/error-model.js";
import { emptyStats } from "../checker/check-stats.js";
import { Checker } from "../checker/checker.js";
import { snapshot } from "../checker/snapshot.js";
import { describeViolation } from "../checker/violation.js";
import { checkBackendOption, checkFunction, checkModel, makeBackend } from "../option-checks.js";
import { checkGolden, type GoldenCase, type GoldenFile, type NamedValues } from "./golden-file.js";
import { goldenSpec } from "./optimizer-spec.js";
import { stateEntries } from "./library-state.js";

/** The result of one golden case. */
export interface GoldenResult {
  readonly id: string;
  readonly status: "passed" | "failed" | "unsupported";
  /** Against the library's numbers, over all steps; null if nothing was computed. */
  readonly worstRelativeError: number | null;
  /** The same for the library's final state; null if the file has none that can be compared. */
  readonly worstStateError: number | null;
  /** On an f32 backend, over all steps, each from the backend's own state. */
  readonly worstErrorOverBound: number | null;
  /** Why it did not pass. */
  readonly reason?: string;
}

/** Options of a replay. */
export interface ReplayOptions {
  /** A fresh backend; the f64 reference if left out. */
  readonly backend?: (() => Backend | Promise<Backend>) | undefined;
  /** How far results of an f32 backend may be from exact. */
  readonly model?: ErrorModel | undefined;
  /** Replaces `createOptimizer`, to test a broken implementation. */
  readonly create?: typeof createOptimizer | undefined;
}

/** The largest relative error with which a case passes on the f64 reference, unless its file allows more. */
export const tolerance = 1e-12;

/**
 * Replays every case of a file.
 *
 * In f64, a case passes if each value of each step, and of the final state if the file has one, is within 1e-12 of the
 * library's value; a case in which the library itself rounds more has its own tolerance. The error is relative to the
 * largest magnitude of the element so far, because a value that passes through zero keeps the rounding errors of larger
 * values. In f32, a case passes if each step, from the backend's own state, is inside the bound.
 *
 * @throws {GradstepError} `INVALID_FILE` for what is no file of golden runs, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export async function replay(
  file: GoldenFile,
  options: ReplayOptions = {},
): Promise<readonly GoldenResult[]> {
  checkGolden(file);
  checkOptions("replay", options, ["backend", "model", "create"]);
  const { backend, model, create } = options;
  if (backend !== undefined) checkBackendOption("replay", backend);
  checkModel("replay", model);
  if (create !== undefined)
    checkFunction("replay", "create", create, "a function in place of createOptimizer");
  const results: GoldenResult[] = [];
  for (const one of file.cases) results.push(await replayCase(file, one, options));
  return results;
}

async function replayCase(
  file: GoldenFile,
  one: GoldenCase,
  options: ReplayOptions,
): Promise<GoldenResult> {
  const nothing = { worstRelativeError: null, worstStateError: null, worstErrorOverBound: null };
  try {
    return await run(file, one, options);
  } catch (error) {
    const isUnsupported = error instanceof GradstepError && error.code === "UNSUPPORTED";
    const reason = error instanceof Error ? error.message : String(error);
    return { id: one.id, status: isUnsupported ? "unsupported" : "failed", ...nothing, reason };
  }
}

async function run(
  file: GoldenFile,
  one: GoldenCase,
  { backend: make = oracle, model = roundToNearest, create = createOptimizer }: ReplayOptions,
): Promise<GoldenResult> {
  const { spec, groups } = goldenSpec(file.library, one);
  const backend = await makeBackend(make);
  const names = Object.keys(file.parameters);
  const isDouble = backend.precision === "f64";
  const parameters: Record<string, Tensor> = {};
  const scale = new Map<string, Float64Array>();
  for (const name of names) {
    const { shape, values } = file.parameters[name];
    parameters[name] = backend.tensor(shape, values);
    scale.set(name, Float64Array.from(values, Math.abs));
  }
  const optimizer = create(spec, parameters, { groups });
  const shapes = Object.fromEntries(names.map((name) => [name, file.parameters[name].shape]));
  const { control, ...everyCall } = spec;
  const checker = isDouble ? undefined : new Checker({ spec: everyCall, shapes, groups, model });
  const stats = emptyStats();
  const slotScale = new Map<string, Float64Array>();
  let worst = 0;
  let reason: string | undefined;
  /** The gradients since the last step. */
  const calls: Record<string, Float32Array>[] = [];
  for (let t = 0; t < file.gradients.length; t += 1) {
    const rates = one.learningRatePerStep;
    if (rates !== undefined) {
      const difference = Math.abs(optimizer.learningRate - rates[t]);
      worst = Math.max(worst, difference / Math.max(...rates));
    }
    const before = checker && (await snapshot(optimizer, parameters));
    optimizer.step(gradientsOf(file.gradients[t], isDouble));
    const after = await snapshot(optimizer, parameters);
    for (const [name, expected] of Object.entries(one.expected[t])) {
      worst = Math.max(worst, relativeError(after[name].p, expected, scale.get(name)!));
    }
    for (const name of names)
      for (const [slot, values] of Object.entries(after[name]))
        grow(slotScale, `${name} ${slot}`, values);
    if (checker !== undefined && before !== undefined) {
      const { accumulate = 1, lossScale } = control ?? {};
      calls.push(gradientsOf(file.gradients[t], false) as Record<string, Float32Array>);
      if (calls.length < accumulate) continue;
      const gradients = stepGradients(calls.splice(0), lossScale);
      checker.step({ before, gradients, after, stats });
      if (checker.violation !== undefined) reason ??= describeViolation(checker.violation);
    }
  }
  const state = await optimizer.state();
  optimizer.dispose();
  const stateError = isDouble
    ? compareState(file, one, state, slotScale, control?.accumulate)
    : null;
  if (isDouble) {
    if (!(worst <= (one.tolerance ?? tolerance)))
      reason = `relative error ${worst.toExponential(2)}`;
    else if (stateError !== null && !(stateError <= tolerance))
      reason = `relative error ${stateError.toExponential(2)} in the final state`;
  }
  return {
    id: one.id,
    status: reason === undefined ? "passed" : "failed",
    worstRelativeError: worst,
    worstStateError: stateError,
    worstErrorOverBound: checker === undefined ? null : stats.worstErrorOverBound,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** What the rule gets of the gradients of some calls, in f32. */
function stepGradients(
  calls: readonly Record<string, Float32Array>[],
  lossScale: StepControlOptions["lossScale"],
): Record<string, Float32Array> {
  const divisor = calls.length * (typeof lossScale === "number" ? lossScale : 1);
  return Object.fromEntries(
    Object.entries(calls[0]).map(([name, first]) => [
      name,
      first.map((value, i) =>
        Math.fround(
          calls.slice(1).reduce((sum, one) => Math.fround(sum + one[name][i]), value) / divisor,
        ),
      ),
    ]),
  );
}

function gradientsOf(
  gradients: NamedValues,
  isDouble: boolean,
): Record<string, Float32Array | Float64Array> {
  const make = isDouble ? Float64Array : Float32Array;
  return Object.fromEntries(
    Object.entries(gradients).map(([name, values]) => [name, make.from(values)]),
  );
}

/** The worst error of any value, relative to the largest magnitude so far. Updates `scale`. */
function relativeError(
  got: ArrayLike<number>,
  expected: readonly number[],
  scale: Float64Array,
): number {
  let worst = 0;
  expected.forEach((value, i) => {
    scale[i] = Math.max(scale[i], Math.abs(value));
    const error = Math.abs(got[i] - value);
    const relative = error === 0 ? 0 : error / scale[i];
    worst = Math.max(worst, Number.isNaN(relative) ? Infinity : relative);
  });
  return worst;
}

function grow(scales: Map<string, Float64Array>, key: string, values: ArrayLike<number>): void {
  const scale = scales.get(key) ?? new Float64Array(values.length);
  for (let i = 0; i < values.length; i += 1) scale[i] = Math.max(scale[i], Math.abs(values[i]));
  scales.set(key, scale);
}

/** The worst relative error of the final state; null where the file has none that can be compared. */
function compareState(
  { library, parameters }: GoldenFile,
  one: GoldenCase,
  state: OptimizerState,
  scales: ReadonlyMap<string, Float64Array>,
  accumulate: number | undefined,
): number | null {
  if (one.state === undefined) return null;
  const { entries } = stateEntries(library, state.rule, Object.keys(parameters), one.state);
  let worst: number | null = null;
  for (const { parameter, kind, name, factor, values } of entries) {
    const group = state.groups.find((candidate) => candidate.parameters.includes(parameter));
    const got =
      kind === "slot"
        ? state.slots[parameter]?.[name]
        : [
            kind === "persistentScalar"
              ? (group?.persistentScalars[name] ?? Number.NaN)
              : // Keras counts calls, and there is a whole number of steps.
                state.iterations * (accumulate ?? 1),
          ];
    if (got === undefined) continue;
    const scale = Float64Array.from(scales.get(`${parameter} ${name}`) ?? values, Math.abs);
    const error = relativeError(
      got,
      values.map((value) => value * factor),
      scale,
    );
    worst = Math.max(worst ?? 0, error);
  }
  return worst;
}
