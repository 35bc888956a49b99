import { adam, createOptimizer } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";

/** The rule of all examples. */
export const rule = adam({ learningRate: 0.1 });

/** Numbers from 0 to 1, the same in every run. */
export function numbers(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

/** Where zeros are after some steps towards the targets, computed on the host. */
export async function expectedFit(targets: Float32Array, steps: number): Promise<Float32Array> {
  const p = reference().tensor([targets.length]);
  const optimizer = createOptimizer(rule, { p });
  for (let step = 0; step < steps; step += 1) {
    const values = await p.read();
    optimizer.step({ p: Float32Array.from(values, (value, i) => value - targets[i]) });
  }
  return Float32Array.from(await p.read());
}

/** The largest difference of two lists of numbers. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i += 1) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}
