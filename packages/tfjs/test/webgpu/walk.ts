import { numbers, tf, variable } from "../support.js";

/** A linear fit whose gradients TF.js computes on the GPU; returns the cost of each step. */
export async function costsOf(optimizer: tf.Optimizer, steps: number): Promise<Float32Array> {
  const x = tf.tensor2d(
    numbers(32 * 40, 1).map((value) => value / 4),
    [32, 40],
  );
  const y = tf.tensor2d(numbers(32 * 30, 2), [32, 30]);
  const w = variable(numbers(40 * 30, 3), [40, 30]);
  const cost = (): tf.Scalar => tf.losses.meanSquaredError(y, tf.matMul(x, w));
  const costs: tf.Scalar[] = [];
  for (let step = 0; step < steps; step += 1) costs.push(optimizer.minimize(cost, true, [w])!);
  const all = tf.stack(costs);
  const values = (await all.data<"float32">()).slice();
  tf.dispose([x, y, w, all, ...costs]);
  optimizer.dispose();
  return values;
}

/**
 * Minimizes a quadratic function of 1,203 values; returns the values after every 50th of 200 steps. The start is too far
 * from the minimum to reach it, because there rounding decides the sign of a step.
 */
export async function pathOf(optimizer: tf.Optimizer): Promise<Float32Array[]> {
  const size = 1203;
  const start = numbers(size, 3).map((value) => value + Math.sign(value));
  const w = variable(start, [size]);
  const curvature = tf.tensor(numbers(size, 4).map((value) => 0.5 + Math.abs(value)));
  const path: Float32Array[] = [];
  for (let step = 1; step <= 200; step += 1) {
    const gradient = tf.mul(w, curvature);
    optimizer.applyGradients({ [w.name]: gradient });
    gradient.dispose();
    if (step % 50 === 0) path.push((await w.data<"float32">()).slice());
  }
  tf.dispose([w, curvature]);
  optimizer.dispose();
  return path;
}
