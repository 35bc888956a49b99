import { adam, createOptimizer } from "gradstep";

/** No multiple of a vector or a workgroup, and enough for threads to share it. */
const count = 70_001;
const learningRate = 0.1;
const beta2 = 0.999;
const epsilon = 1e-7;

/**
 * Takes one step of Adam on the backend and compares every value with the closed form of a first step, in f64.
 *
 * @param {import("gradstep").Backend} backend
 */
async function takeStep(backend) {
  const before = Float32Array.from({ length: count }, (_, i) => Math.sin(i));
  const gradient = Float32Array.from({ length: count }, (_, i) => Math.cos(i));
  await backend.ready?.();
  const weights = backend.tensor([count], before);
  createOptimizer(adam({ learningRate }), { weights }).step({ weights: gradient });
  const after = await weights.read();
  const correction = Math.sqrt(1 - beta2);
  for (let i = 0; i < count; i += 1) {
    const moved = (correction * gradient[i]) / (correction * Math.abs(gradient[i]) + epsilon);
    const expected = before[i] - learningRate * moved;
    if (!(Math.abs(after[i] - expected) < 1e-6))
      throw new Error(`value ${i} is ${after[i]}; expected ${expected}`);
  }
}

/**
 * Takes a step on each backend. The result of each: the backend's name and, unless the step was right, what is wrong.
 *
 * @param {Record<string, () => unknown>} makers
 */
export async function takeSteps(makers) {
  const results = {};
  for (const [name, make] of Object.entries(makers)) {
    try {
      const backend = await make();
      await takeStep(backend);
      const problem = backend.diagnostics?.[0];
      results[name] = problem === undefined ? { backend: backend.name } : { problem };
      backend.dispose?.();
    } catch (error) {
      results[name] = { problem: `${error?.code ?? error?.name}: ${error?.message ?? error}` };
    }
  }
  return results;
}
