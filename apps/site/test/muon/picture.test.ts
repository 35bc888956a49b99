import { oracle } from "@gradstep/core/reference";
import { cpuJs } from "@gradstep/cpu-js";
import { wasm } from "@gradstep/wasm";
import { expect, test } from "vitest";
import { gradientsOf } from "../../src/muon/gradients.js";
import { pictureOf } from "../../src/muon/picture.js";
import { defaultSettings, gradientKinds } from "../../src/muon/settings.js";

/** Keller Jordan's polynomial. */
const quintic = (s: number) => 3.4445 * s - 4.775 * s ** 3 + 2.0315 * s ** 5;

const norm = (values: Iterable<number>) => Math.hypot(...values);

test("the gradient has the singular values that the settings say", () => {
  const [gradient] = gradientsOf(defaultSettings) as [Float32Array];
  expect(gradient).toHaveLength(24 * 16);
  // Σσ² of 1 to 1/1000 in 16 equal ratios is the square of the norm.
  const squares = Array.from({ length: 16 }, (_, i) => 1000 ** ((-2 * i) / 15));
  expect(norm(gradient) ** 2).toBeCloseTo(
    squares.reduce((sum, one) => sum + one),
    5,
  );
});

test.each([
  ["cpu-js", cpuJs],
  ["wasm", () => wasm()],
] as const)("on %s, each iteration moves singular values by the polynomial", async (_, open) => {
  const { gradient, iterates } = await pictureOf(defaultSettings, open());
  expect(iterates).toHaveLength(6);
  let expected = gradient.singularValues.map((value) => value / norm(gradient.values));
  for (const { singularValues } of iterates) {
    const sorted = [...expected].sort((a, b) => b - a);
    singularValues.forEach((value, i) => expect(value).toBeCloseTo(sorted[i], 5));
    expected = expected.map(quintic);
  }
  expect(Math.min(...iterates[5].singularValues.slice(0, 12))).toBeGreaterThan(0.6);
});

test("Adam's first update is the sign of the gradient, but for ε", async () => {
  const { gradient, adam } = await pictureOf(defaultSettings, cpuJs());
  // Keras's ε is added before the correction of the second moment: 1e-7 / √(1 − β₂).
  const epsilon = 1e-7 / Math.sqrt(1 - 0.999);
  adam.values.forEach((value, i) => {
    const g = gradient.values[i];
    expect(value).toBeCloseTo(g / (Math.abs(g) + epsilon), 5);
  });
});

test("with noise and several steps, the last iterate is that of the momentum", async () => {
  const settings = { ...defaultSettings, noise: 0.5, steps: 7, iterations: 0 };
  const { iterates } = await pictureOf(settings, oracle());
  const gradients = gradientsOf(settings);
  const momentum = new Float64Array(24 * 16);
  for (const gradient of gradients)
    gradient.forEach((g, i) => (momentum[i] = momentum[i] * 0.95 + g));
  const nesterov = momentum.map((m, i) => m * 0.95 + gradients[6][i]);
  const length = norm(nesterov);
  iterates[0].values.forEach((x, i) => expect(x).toBeCloseTo(nesterov[i] / length, 6));
});

test.each(gradientKinds)("%s: finite in any shape", async (kind) => {
  for (const [rows, columns] of [
    [2, 2],
    [2, 32],
    [32, 2],
  ] as const) {
    const picture = await pictureOf({ ...defaultSettings, kind, rows, columns, noise: 1 }, cpuJs());
    for (const { values, singularValues } of [
      picture.gradient,
      picture.adam,
      ...picture.iterates,
    ]) {
      expect(values.every(Number.isFinite)).toBe(true);
      expect(singularValues).toHaveLength(Math.min(rows, columns));
    }
  }
});
