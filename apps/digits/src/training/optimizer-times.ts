import type { Optimizer } from "@tensorflow/tfjs-core";

/** Times every later call of this optimizer's `applyGradients`; returns a list that grows by the seconds of each call. */
export function timeOptimizer(optimizer: Optimizer): number[] {
  const times: number[] = [];
  const applyGradients = optimizer.applyGradients.bind(optimizer);
  optimizer.applyGradients = (gradients) => {
    const start = performance.now();
    applyGradients(gradients);
    times.push((performance.now() - start) / 1000);
  };
  return times;
}
