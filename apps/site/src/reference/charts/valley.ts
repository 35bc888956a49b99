import { createOptimizer, type OptimizerSpec, type Rule } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";

/** A curved valley with its least value, 0, at (1, 1): Rosenbrock's function with 10 in place of 100. */
export const valley = {
  valueAt: (x: number, y: number): number => (1 - x) ** 2 + 10 * (y - x * x) ** 2,
  gradientAt: (x: number, y: number): readonly [number, number] => [
    -2 * (1 - x) - 40 * x * (y - x * x),
    20 * (y - x * x),
  ],
  start: [-1.2, 1],
  extent: { x: [-1.8, 1.8], y: [-0.8, 2.2] },
  steps: 200,
} as const;

/** The way of an optimizer through the valley. */
export interface Path {
  readonly learningRate: number;
  /** The start and the point after each step. */
  readonly points: readonly (readonly [number, number])[];
  /** The values of these points. */
  readonly losses: readonly number[];
}

function pathOf(spec: OptimizerSpec, learningRate: number): Path {
  const p = reference().tensor([2], valley.start);
  const optimizer = createOptimizer(spec, { p });
  const values = p.view!();
  const points: [number, number][] = [[values[0], values[1]]];
  for (let step = 0; step < valley.steps; step += 1) {
    optimizer.step({ p: Float32Array.from(valley.gradientAt(values[0], values[1])) });
    points.push([values[0], values[1]]);
  }
  optimizer.dispose();
  const losses = points.map(([x, y]) => valley.valueAt(x, y));
  return { learningRate, points, losses };
}

/** The learning rates that are tried. */
export const learningRates: readonly number[] = [-4, -3, -2, -1, 0, 1, 2].flatMap((exponent) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${exponent}`)),
);

/**
 * The path with the learning rate that reaches the least mean value in the last tenth of the steps, computed by the f32
 * reference.
 */
export function bestPath(rule: Rule, settings: Readonly<Record<string, unknown>> = {}): Path {
  const last = Math.floor(valley.steps / 10);
  const endOf = ({ losses }: Path): number =>
    losses.slice(-last).reduce((sum, one) => sum + one, 0) / last;
  let best: Path | undefined;
  for (const learningRate of learningRates) {
    const path = pathOf(rule.specify({ weightDecay: 0, ...settings, learningRate }), learningRate);
    if (Number.isFinite(endOf(path)) && (best === undefined || endOf(path) < endOf(best)))
      best = path;
  }
  if (best === undefined) throw new Error(`${rule.name} finds no way through the valley.`);
  return best;
}
