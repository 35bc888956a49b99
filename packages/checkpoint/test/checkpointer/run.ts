import {
  adamw,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  createOptimizer,
  type Backend,
} from "@gradstep/core";

export const spec = () =>
  chain(clipByGlobalNorm(1), adamw({ learningRate: cosineDecay(0.1, 40), amsgrad: true }));

export function makeRun(backend: Backend) {
  const parameters = {
    "dense/kernel": backend.tensor([3, 2], [1, -2, 3, 0.5, -0.25, 8]),
    bias: backend.tensor([2], [0.5, -0]),
  };
  const optimizer = createOptimizer(spec(), parameters);
  return { parameters, optimizer };
}

export function step(optimizer: ReturnType<typeof makeRun>["optimizer"], count: number): void {
  for (let i = 0; i < count; i += 1) {
    const t = optimizer.iterations;
    optimizer.step({
      "dense/kernel": Float32Array.from({ length: 6 }, (_, k) => Math.sin(t * 7 + k)),
      bias: Float32Array.of(Math.cos(t), -1),
    });
  }
}

export async function valuesOf(parameters: ReturnType<typeof makeRun>["parameters"]) {
  const values = Object.values(parameters).map((one) => one.read());
  return (await Promise.all(values)).map((one) => [...one]);
}
