import type { Optimizer } from "@tensorflow/tfjs-core";

/** What an optimizer has taken so far. */
export interface Stopwatch {
  readonly seconds: number;
  readonly steps: number;
}

/** Times every `applyGradients` of this optimizer object from now on, whoever calls it. */
export function timeOptimizer(optimizer: Optimizer): Stopwatch {
  const taken = { seconds: 0, steps: 0 };
  const applyGradients = optimizer.applyGradients.bind(optimizer);
  optimizer.applyGradients = (gradients) => {
    const start = performance.now();
    applyGradients(gradients);
    taken.seconds += (performance.now() - start) / 1000;
    taken.steps++;
  };
  return taken;
}
