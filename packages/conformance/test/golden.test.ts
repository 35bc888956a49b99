import { readFileSync } from "node:fs";
import { createOptimizer, GradstepError } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { slowTest } from "../../../testing/slow-test.js";
import { wgsl } from "../src/bounds/error-model.js";
import { parseGolden } from "../src/golden/golden-file.js";
import { replay, tolerance } from "../src/golden/replay.js";

const fixture = (name: string): string =>
  readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8");

const files = [
  { library: "keras", supported: 46, withState: 46 },
  { library: "torch", supported: 17, withState: 16 },
  { library: "optax", supported: 21, withState: 0 },
  { library: "optax-chains", supported: 24, withState: 0 },
  { library: "optax-contrib", supported: 17, withState: 0 },
  { library: "optax-prodigy", supported: 3, withState: 0 },
  { library: "keras-adafactor", supported: 3, withState: 0 },
  { library: "torch-adafactor", supported: 3, withState: 0 },
  { library: "keras-muon", supported: 3, withState: 3 },
  { library: "torch-muon", supported: 3, withState: 3 },
  { library: "optax-muon", supported: 3, withState: 0 },
];

const bounded = sampled(files, 3);

describe.each(files)("$library", ({ library, supported, withState }) => {
  const golden = parseGolden(fixture(library), library);
  /** Keras rounds the means of Adafactor and the norm of Muon to f32, Optax what MultiSteps has accumulated. */
  const cosines = ["cosine", "cosine_warmup", "cosine_restarts"].map(
    (one) => `adam.schedule_${one}`,
  );
  const inexactOf: Readonly<Record<string, readonly string[]>> = {
    keras: ["adafactor", "adafactor.options", "muon", ...cosines],
    optax: ["multi_steps3+adam"],
  };
  const inexact = inexactOf[library] ?? [];

  test("every case of a supported rule, and its final state, is within 1e-12 in f64", async () => {
    const results = await replay(golden);
    expect(results.filter(({ status }) => status === "failed")).toEqual([]);
    const passed = results.filter(({ status }) => status === "passed");
    expect(passed.length).toBe(supported);
    for (const { id, worstRelativeError } of passed)
      expect(worstRelativeError).toBeLessThanOrEqual(
        inexact.includes(id) ? 2 ** (id === "muon" ? -17 : -22) : tolerance,
      );
    expect(results.filter(({ worstStateError }) => worstStateError !== null).length).toBe(
      withState,
    );
    expect(results.every(({ status, reason }) => status === "passed" || reason !== "")).toBe(true);
  });

  test.each(bounded.some((one) => one.library === library) ? sampled([undefined, wgsl], 1) : [])(
    "every step of the f32 reference is inside its bound",
    async (model) => {
      const results = await replay(golden, { backend: reference, ...(model && { model }) });
      expect(results.filter(({ status }) => status === "failed")).toEqual([]);
      const worst = results.map(({ worstErrorOverBound }) => worstErrorOverBound ?? 0);
      expect(Math.max(...worst)).toBeLessThanOrEqual(1);
    },
  );

  slowTest("a rate that is off by 1e-9 fails every case", async () => {
    const create: typeof createOptimizer = (spec, parameters, options) => {
      const optimizer = createOptimizer(spec, parameters, options);
      const all = [optimizer, ...optimizer.groups] as unknown as { learningRate: number }[];
      for (const one of all) one.learningRate *= 1 + 1e-9;
      return optimizer;
    };
    const results = await replay(golden, { create });
    const passed = results.filter(({ status }) => status === "passed").map(({ id }) => id);
    // A rate that is set replaces the schedule.
    expect(passed).toEqual(inexact.filter((id) => !cosines.includes(id)));
  });
});

describe("files that are not as they should be", () => {
  const valid = JSON.parse(fixture("torch")) as Record<string, unknown>;
  const one = {
    ...valid,
    parameters: { a: { shape: [2], values: [1, 2] } },
    gradients: [{ a: [1, 1] }],
    cases: [{ id: "x", optimizer: "SGD", config: {}, expected: [{ a: [1, 1] }] }],
  };

  test.each([
    ["not JSON", "{"],
    ["an array", []],
    ["another library", { ...one, library: "jax" }],
    ["no library", { ...one, library: undefined }],
    ["no parameters", { ...one, parameters: {} }],
    [
      "values that do not fill the shape",
      { ...one, parameters: { a: { shape: [3], values: [1] } } },
    ],
    ["no gradients", { ...one, gradients: [] }],
    ["a gradient of nobody", { ...one, gradients: [{ b: [1, 1] }] }],
    ["a gradient of strings", { ...one, gradients: [{ a: ["1", 1] }] }],
    ["no cases", { ...one, cases: undefined }],
    ["a case without steps", { ...one, cases: [{ ...one.cases[0], expected: [] }] }],
    ["a case without an id", { ...one, cases: [{ ...one.cases[0], id: 3 }] }],
  ])("%s", (_, document) => {
    const text = typeof document === "string" ? document : JSON.stringify(document);
    expect(() => parseGolden(text, "file.json")).toThrow(GradstepError);
    expect(() => parseGolden(text, "file.json")).toThrow(/^file\.json: [^\n]+$/);
  });

  test("an option that is not understood fails its case", async () => {
    const cases = [{ ...one.cases[0], config: { lr: 0.1, colour: "blue" } }];
    const [result] = await replay(parseGolden(JSON.stringify({ ...one, cases }), "x"));
    expect(result.status).toBe("failed");
    expect(result.reason).toContain("colour");
  });
});
