import { expect } from "vitest";
import type { Backend, Tensor } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer, OptimizerOptions } from "../src/optimizer/optimizer.js";
import type { Gradients } from "../src/optimizer/step/gradients.js";
import type { StepOptions } from "../src/optimizer/step/step-options.js";
import type { GradstepError } from "../src/errors.js";
import { reference } from "../src/reference.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { guarding } from "./guarding-backend.js";
import type { Target } from "./host-guard.js";
import { numbers } from "./support.js";

export const shapes = { w: [5, 4], b: [4], s: [1] } as const;
export const names = ["w", "b", "s"] as const;

export type Arrays = Record<(typeof names)[number], Float32Array>;

/** Finite gradients, the same for the same seed. */
export function gradientsOf(seed: number): Arrays {
  const [w, b, s] = [numbers(20, 3 * seed), numbers(4, 3 * seed + 1), numbers(1, 3 * seed + 2)];
  return { w, b, s };
}

/** Gradients with a value that is not finite. */
export function badGradients(seed: number, name: keyof Arrays = "w"): Arrays {
  const all = gradientsOf(seed);
  all[name][seed % all[name].length] = [Number.NaN, Infinity, -Infinity][seed % 3];
  return all;
}

/** A sparse gradient of `w`, with an index that can occur twice. */
export function sparseGradient(
  seed: number,
  isBad = false,
): { indices: Uint32Array; values: Float32Array } {
  const indices = Uint32Array.of(seed % 5, (seed * 7 + 3) % 5, (seed * 3) % 5);
  const values = numbers(12, seed);
  if (isBad) values[seed % 12] = [Number.NaN, -Infinity][seed % 2];
  return { indices, values };
}

export interface Run {
  readonly backend: Backend;
  readonly optimizer: Optimizer;
  readonly parameters: Readonly<Record<string, Tensor>>;
}

export function start(backend: Backend, spec: OptimizerSpec, options: OptimizerOptions): Run {
  const initial = gradientsOf(1000);
  const parameters = Object.fromEntries(
    names.map((name) => [name, backend.tensor(shapes[name], initial[name])]),
  );
  const optimizer = createOptimizer(spec, parameters, options) as Optimizer;
  return { backend, optimizer, parameters };
}

/** Two optimizers of the same parameters. */
export interface Runs {
  /** On a device that decides which steps are skipped. */
  readonly guarded: Run & { readonly submit: (target: Target) => void };
  /** Which never sees the others. */
  readonly plain: Run;
  /** Takes a step with both, or only the first if it is not taken. */
  readonly step: (gradients: Gradients, isTaken?: boolean, options?: StepOptions) => void;
}

/** @param own options of the optimizer on the device alone */
export function startBoth(
  spec: OptimizerSpec,
  options: OptimizerOptions = {},
  own: OptimizerOptions = { nonFinite: "skip" },
): Runs {
  const device = guarding();
  const guarded = { ...start(device, spec, { ...options, ...own }), submit: device.submit };
  const plain = start(reference(), spec, options);
  return {
    guarded,
    plain,
    step: (gradients, isTaken = true, stepOptions) => {
      guarded.optimizer.step(gradients, stepOptions);
      if (isTaken) plain.optimizer.step(gradients, stepOptions);
    },
  };
}

/** Everything that a step may change. */
export async function contentOf({ optimizer, parameters }: Run): Promise<unknown> {
  const { iterations, groups, slots, rowSteps } = await optimizer.state();
  const values = await Promise.all(Object.values(parameters).map((tensor) => tensor.read()));
  return structuredClone({
    counts: [iterations, optimizer.iterations],
    groups: groups.map((group) => [group.iterations, group.persistentScalars]),
    slots,
    rowSteps,
    values,
  });
}

/** What `metrics()` rejects with; undefined if it does not. */
export function rejectionOf(optimizer: Optimizer): Promise<unknown> {
  return optimizer.metrics().then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Compares everything that a step may change. */
export async function expectSame({ guarded, plain }: Runs): Promise<void> {
  expect(await contentOf(guarded)).toEqual(await contentOf(plain));
}

/** An error about what a device cannot decide. @param message a part of it */
export const refused = (message: string): GradstepError =>
  expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringContaining(message) });
