import {
  createOptimizer,
  GradstepError,
  type OptimizerSpec,
  type WrappingBackend,
} from "@gradstep/core";

/** The code with which an action fails. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof GradstepError) return error.code;
    throw error;
  }
  throw new Error("Nothing was thrown");
}

/** Numbers between −1 and 1, the same for the same seed. */
export function numbers(length: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Every value of the parameter and the slots after some steps. */
export async function afterSteps(
  backend: WrappingBackend<Float32Array>,
  spec: OptimizerSpec,
  first: Float32Array,
  gradients: readonly Float32Array[],
): Promise<Record<string, Float32Array>> {
  const p = first.slice();
  const optimizer = createOptimizer(spec, { w: backend.wrap(p) });
  for (const gradient of gradients) optimizer.step({ w: gradient });
  const { slots } = await optimizer.state();
  return { p, ...(slots.w as Record<string, Float32Array>) };
}

/** Indices at which two arrays differ; NaN is NaN, −0 is not 0. */
export function differences(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return Array.from(a, (_, i) => i).filter((i) => !Object.is(a[i], b[i]));
}
