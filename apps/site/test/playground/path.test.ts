import { cpuJs } from "@gradstep/cpu-js";
import { wasm } from "@gradstep/wasm";
import { describe, expect, test } from "vitest";
import { parseFormula } from "../../src/playground/formula.js";
import { specOf } from "../../src/playground/optimizer-spec.js";
import { effectiveLines } from "../../src/playground/effective-lines.js";
import { explainStep, tracePath } from "../../src/playground/path.js";
import { gradientNoise } from "../../src/playground/gradient-noise.js";
import { parseRunners } from "../../src/playground/runner-text.js";
import type { OwnRules, Race } from "../../src/playground/runner.js";

const race: Race = {
  formula: "(1 - x)^2 + 100*(y - x^2)^2",
  start: [-1.2, 1],
  steps: 60,
  noise: 0,
  seed: 1,
};

const spec = (text: string, ownRules: OwnRules = {}) =>
  specOf(parseRunners(text)[0].parts, ownRules);
const exact = () => cpuJs({ exact: true });
const f = Math.fround;

test("gradient descent with momentum is that of a loop in f32", async () => {
  const path = await tracePath(exact(), spec("sgd(learningRate:0.0005,momentum:0.8)"), race);
  let [x, y, mx, my] = [f(-1.2), 1, 0, 0];
  for (let step = 0; step <= race.steps; step += 1) {
    expect([path.points[2 * step], path.points[2 * step + 1]]).toEqual([x, y]);
    expect(path.values[step]).toBe((1 - x) ** 2 + 100 * (y - x ** 2) ** 2);
    const gx = f(-2 * (1 - x) - 400 * x * (y - x * x));
    const gy = f(200 * (y - x * x));
    mx = f(f(mx * f(0.8)) + f(gx * f(0.0005)));
    my = f(f(my * f(0.8)) + f(gy * f(0.0005)));
    [x, y] = [f(x - mx), f(y - my)];
  }
  expect(path.hasDiverged).toBe(false);
});

test("Adam comes near to the minimum of Rosenbrock's function", async () => {
  const path = await tracePath(exact(), spec("adam(learningRate:0.05)"), { ...race, steps: 1500 });
  expect(Math.hypot(path.points.at(-2)! - 1, path.points.at(-1)! - 1)).toBeLessThan(0.02);
});

test("a schedule, a chain and a backend give what they promise", async () => {
  const halved = "sgd(learningRate:piecewise-constant(boundaries:[0],values:[0.001,0]))";
  const { points } = await tracePath(exact(), spec(halved), { ...race, steps: 3 });
  expect([points[2], points[4], points[6]]).toEqual([points[2], points[2], points[2]]);
  expect(points[2]).not.toBe(points[0]);

  const clipped = "clip-by-norm(clipNorm:1)~sgd(learningRate:0.5)";
  const short = await tracePath(exact(), spec(clipped), { ...race, steps: 1 });
  expect(Math.hypot(short.points[2] + 1.2, short.points[3] - 1)).toBeCloseTo(0.5, 5);

  const one = await tracePath(exact(), spec("adamw(learningRate:0.05)~ema"), race);
  const backend = wasm();
  expect(await tracePath(backend, spec("adamw(learningRate:0.05)~ema"), race)).toEqual(one);
  backend.dispose();
});

test("noise is added to the gradients", async () => {
  const noisy = { ...race, formula: "0*x + 0*y", noise: 2, steps: 4, seed: 5 };
  const { points } = await tracePath(exact(), spec("sgd(learningRate:1)"), noisy);
  const noise = gradientNoise(5, 4);
  let [x, y] = [-1.2, 1];
  for (let step = 0; step < 4; step += 1) {
    x -= 2 * noise[2 * step];
    y -= 2 * noise[2 * step + 1];
    expect(points[2 * step + 2]).toBeCloseTo(x, 5);
    expect(points[2 * step + 3]).toBeCloseTo(y, 5);
  }
});

test("a path ends where the function has no finite value", async () => {
  const path = await tracePath(exact(), spec("sgd(learningRate:1)"), { ...race, steps: 100 });
  expect(path.hasDiverged).toBe(true);
  expect(path.values.length).toBeLessThan(20);
  expect(path.points).toHaveLength(2 * path.values.length);
  const [dx] = parseFormula(race.formula).gradientAt(path.points.at(-2)!, path.points.at(-1)!);
  expect(Number.isFinite(f(dx))).toBe(false);
});

describe("explanations", () => {
  test("say what the path does at that step", async () => {
    const adam = spec("clip-by-norm(clipNorm:5)~adam(learningRate:0.1)");
    const { points } = await tracePath(exact(), adam, race);
    for (const step of [0, 1, 17, 59]) {
      const [x, y] = await explainStep(exact(), adam, race, points, step);
      expect([x.step, x.before, x.after]).toEqual([
        step + 1,
        points[2 * step],
        points[2 * step + 2],
      ]);
      expect([y.before, y.after]).toEqual([points[2 * step + 1], points[2 * step + 3]]);
      const [dx] = parseFormula(race.formula).gradientAt(points[2 * step], points[2 * step + 1]);
      expect(x.gradient).toBe(f(dx));
      expect(x.lines.map(({ text }) => text)).toContain("m = m + (g - m) * c1");
      // What a worker posts is plain data.
      expect(structuredClone(x)).toEqual(x);
    }
  });
});

test("the lines that change something are those of the algorithm", async () => {
  const adam = spec("clip-by-norm(clipNorm:5)~adam(learningRate:0.1)");
  const [x, y] = await explainStep(exact(), adam, race, Float32Array.of(-1.2, 1), 0);
  expect(x.lines.length).toBeGreaterThan(13);
  expect(effectiveLines(x.lines, y.lines).map((i) => x.lines[i].text)).toEqual([
    "c1 = 1 - beta1",
    "c2 = 1 - beta2",
    "correction2 = (1 - beta2 ** t)",
    "root = sqrt(correction2)",
    "epsilonHat = epsilon",
    "rate = learningRate * root / (1 - beta1 ** t)",
    "norm = normTensor(g)",
    "g = g * ((norm <= clipNorm ? 1 : clipNorm) / (norm <= clipNorm ? 1 : norm))",
    "m = m + (g - m) * c1",
    "v = v + (g * g - v) * c2",
    "u = m * rate / (sqrt(v) + epsilonHat)",
    "p = p - u",
  ]);
});

test("names that are not there are errors", () => {
  expect(() => spec("adamm")).toThrow('no rule and no stage "adamm"');
  expect(() => spec("constructor")).toThrow("no rule and no stage");
  expect(() => spec("adam(beta1:2)")).toThrow("beta1");
  expect(() => spec("ema")).toThrow("expected one rule");
});

describe("weights to evaluate with", () => {
  test("of an average are its recursion, and leave the path as it is", async () => {
    const plain = await tracePath(exact(), spec("adam(learningRate:0.05)"), race);
    expect(plain).not.toHaveProperty("evaluated");
    const { points, values, evaluated } = await tracePath(
      exact(),
      spec("adam(learningRate:0.05)~ema(emaMomentum:0.75)"),
      race,
    );
    expect([points, values]).toEqual([plain.points, plain.values]);
    // Keras's form: the first step copies the weights.
    let [x, y] = [points[2], points[3]];
    for (let step = 1; step <= race.steps; step += 1) {
      if (step > 1) {
        x = f(f(x * 0.75) + f(points[2 * step] * 0.25));
        y = f(f(y * 0.75) + f(points[2 * step + 1] * 0.25));
      }
      expect([evaluated!.points[2 * step], evaluated!.points[2 * step + 1]]).toEqual([x, y]);
      expect(evaluated!.values[step]).toBe((1 - x) ** 2 + 100 * (y - x ** 2) ** 2);
    }
    expect(evaluated!.points.slice(0, 2)).toEqual(Float32Array.of(-1.2, 1));
  });

  test.each(["schedule-free-sgd(learningRate:0.001)", "sgd(learningRate:0.001)~lookahead"])(
    "of %s are elsewhere, and end with the path",
    async (text) => {
      const diverging = { ...race, formula: "x^2 + y^2", steps: 12 };
      const path = await tracePath(exact(), spec(text), race);
      expect(path.evaluated!.points).toHaveLength(path.points.length);
      expect(path.evaluated!.points).not.toEqual(path.points);
      const backend = wasm();
      expect(await tracePath(backend, spec(text), race)).toEqual(path);
      backend.dispose();
      const short = await tracePath(exact(), spec(text), diverging);
      expect(short.evaluated!.values).toHaveLength(short.values.length);
    },
  );
});
