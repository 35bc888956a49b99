import { readdirSync, readFileSync } from "node:fs";
import {
  adam,
  createOptimizer,
  sgd,
  variantOf,
  type OptimizerSpec,
  type Tensor,
  type Variant,
} from "@gradstep/core";
import { fromKeras, fromOptax, fromTfjs, fromTorch } from "@gradstep/core/interop";
import { reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";
import { describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { tableName } from "../src/codegen/table-name.js";
import { cpuJs } from "../src/index.js";
import * as kernels from "../src/kernels.js";
import { adamKernels as exactAdam } from "../src/generated/exact/index.js";
import { afterSteps, codeOf, differences, numbers } from "./support.js";

describe("cpuJs", () => {
  test("reads a Float32Array, for TypeScript too", async () => {
    const values: Float32Array = await cpuJs().tensor([2], [1, 2]).read();
    const view: Float32Array = cpuJs().wrap(values).view();
    expect(view).toEqual(Float32Array.of(1, 2));
  });

  test("compiles no value that is no variant", () => {
    for (const value of [undefined, null, sgd(), Symbol("s")])
      expect(codeOf(() => cpuJs().compile(value as never))).toBe("INVALID_RULE");
  });

  test("has a name, a precision and exactness", () => {
    expect(cpuJs()).toMatchObject({ name: "cpu-js", precision: "f32", exact: false });
    expect(cpuJs({ exact: true })).toMatchObject({ name: "cpu-js-exact", exact: true });
  });

  test("updates caller-owned memory in place, and nothing around it", () => {
    const memory = new Float32Array(10).fill(7);
    const backend = cpuJs();
    const parameters = {
      a: backend.wrap(memory.subarray(1, 4)),
      b: backend.wrap(memory, { offset: 5, shape: [2, 2] }),
    };
    const gradients = new Float32Array(9).fill(2);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters);
    optimizer.step({ a: gradients.subarray(2, 5), b: gradients.subarray(5) });
    expect([...memory]).toEqual([7, 5, 5, 5, 7, 5, 5, 5, 5, 7]);
    expect([...gradients]).toEqual(new Array(9).fill(2));
  });

  test("works on a SharedArrayBuffer", () => {
    const memory = new Float32Array(new SharedArrayBuffer(8));
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w: cpuJs().wrap(memory) });
    optimizer.step({ w: Float32Array.of(1, 2) });
    expect([...memory]).toEqual([-1, -2]);
  });

  test("borrows wrapped arrays, and copies written ones", async () => {
    const backend = cpuJs();
    const values = Float32Array.of(1, 2);
    const own: Tensor = backend.tensor([2], values);
    values[0] = 9;
    expect(await own.read()).toEqual(Float32Array.of(1, 2));
    const staging = backend.staging([2]);
    staging.stage(values);
    values[1] = 8;
    expect(await staging.read()).toEqual(Float32Array.of(9, 8));
  });

  test("compiles a variant once, and shows what it compiled", () => {
    const backend = cpuJs();
    const variant = adam.rule.variant();
    const kernel = backend.compile(variant);
    expect(backend.compile(variant)).toBe(kernel);
    expect(kernel.source).toContain("function updateAdam");
    expect(backend.compile(adam.rule.variant({ amsgrad: true }))).not.toBe(kernel);
  });

  test.each([
    ["an unknown option", { exakt: true }, "UNKNOWN_OPTION"],
    ["exact that is no boolean", { exact: 1 }, "INVALID_HYPERPARAMETER"],
    ["exact that cannot be shown", { exact: Object.create(null) }, "INVALID_HYPERPARAMETER"],
    ["kernels that are no list", { kernels: {} }, "INVALID_HYPERPARAMETER"],
    ["kernels that are null", { kernels: null }, "INVALID_HYPERPARAMETER"],
    ["kernels of null", { kernels: [null] }, "INVALID_HYPERPARAMETER"],
    ["kernels of something", { kernels: [{ exact: false }] }, "INVALID_HYPERPARAMETER"],
    ["a table and null", { kernels: [kernels.adamKernels, null] }, "INVALID_HYPERPARAMETER"],
    ["kernels with a hole", { kernels: new Array(1) }, "INVALID_HYPERPARAMETER"],
    ["kernels that are exact", { kernels: [exactAdam] }, "INVALID_HYPERPARAMETER"],
    [
      "kernels that are not exact",
      { exact: true, kernels: [kernels.adamKernels] },
      "INVALID_HYPERPARAMETER",
    ],
    ["null", null, "UNKNOWN_OPTION"],
    ["text", "exact", "UNKNOWN_OPTION"],
    ["a list", [{ exact: true }], "UNKNOWN_OPTION"],
  ])("refuses %s", (_, options, code) => {
    expect(codeOf(() => cpuJs(options as never))).toBe(code);
    expect(codeOf(() => kernels.createCpuJs(options as never))).toBe(code);
  });

  test.each([
    ["an array of numbers", [1, 2], "INVALID_MEMORY"],
    ["a Float64Array", new Float64Array(2), "INVALID_MEMORY"],
    ["null", null, "INVALID_MEMORY"],
  ])("wraps no %s", (_, memory, code) => {
    expect(codeOf(() => cpuJs().wrap(memory as never))).toBe(code);
  });

  test("refuses a shape for which there is no memory", () => {
    expect(codeOf(() => cpuJs().tensor([2 ** 45]))).toBe("INVALID_SHAPE");
  });
});

test("runs of kernels of another backend, and copies of what is no tensor, are refused", () => {
  const backend = cpuJs();
  const kernel = cpuJs().compile(variantOf(adam()));
  for (const runs of [null, [null], [{ kernel, updates: [], count: 0 }]])
    expect(codeOf(() => backend.runTogether!(runs as never))).toBe("INVALID_PARAMETER");
  for (const value of [null, new Float32Array(2), Promise.resolve()])
    expect(codeOf(() => backend.fillCopy!(value as never, null as never))).toBe(
      "INVALID_PARAMETER",
    );
});

describe("built-in rules", () => {
  test.each(sampled(rules, 8).map((rule) => [rule.name, rule] as const))(
    "%s: every variant with the rule's own form of averages is compiled",
    (_, rule) => {
      for (const backend of [cpuJs(), cpuJs({ exact: true })]) {
        const isOwn = ({ label }: Variant): boolean => !label.includes("averageForm");
        for (const variant of rule.variants().filter(isOwn))
          expect(backend.compile(variant).source).toMatch(
            /^function update[A-Z]\w*\((p\$|\$arrays)/,
          );
      }
    },
  );

  test.each(sampled(rules, 8).map((rule) => [rule.name, rule] as const))(
    "%s: exact is the reference, and the default is near",
    async (_, rule) => {
      const gradients = [1, 2, 3].map((seed) => numbers(257, seed));
      const first = numbers(257, 9);
      const spec = rule.specify({ weightDecay: 0.01 });
      const wanted = await afterSteps(reference(), spec, first, gradients);
      const exact = await afterSteps(cpuJs({ exact: true }), spec, first, gradients);
      const fast = await afterSteps(cpuJs(), spec, first, gradients);
      for (const name of Object.keys(wanted)) {
        expect(differences(exact[name], wanted[name])).toEqual([]);
        const scale = Math.max(1, ...wanted[name].map(Math.abs));
        const worst = Math.max(
          ...fast[name].map((value, i) => Math.abs(value - wanted[name][i]) / scale),
        );
        expect(worst).toBeLessThan(1e-5);
      }
    },
  );
});

describe("optimizers of other libraries", () => {
  const options = { learning_rate: 0.1 };
  const specs: Readonly<Record<string, OptimizerSpec>> = {
    ...Object.fromEntries(
      ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW", "Adamax", "NAdam"].map((name) => [
        `PyTorch's ${name}`,
        fromTorch(name),
      ]),
    ),
    "PyTorch's amsgrad": fromTorch("AdamW", { amsgrad: true }),
    "PyTorch's centered RMSprop": fromTorch("RMSprop", { centered: true, momentum: 0.9 }),
    ...Object.fromEntries(
      ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Lion"].map((name) => [
        `Keras's ${name}`,
        fromKeras({ class_name: name, config: {} }),
      ]),
    ),
    ...Object.fromEntries(
      [
        "sgd",
        "adagrad",
        "rmsprop",
        "adam",
        "nadam",
        "amsgrad",
        "adamw",
        "nadamw",
        "adamax",
        "lion",
      ].map((name) => [`Optax's ${name}`, fromOptax(name, options)]),
    ),
    ...Object.fromEntries(
      ["sgd", "momentum", "adagrad", "rmsprop", "adam", "adamax"].map((name) => [
        `TF.js's ${name}`,
        fromTfjs(name, { learningRate: 0.1 }),
      ]),
    ),
    "TF.js's centered rmsprop": fromTfjs("rmsprop", { learningRate: 0.1, centered: true }),
  };
  test.each(Object.entries(specs))("%s is compiled", (_, spec) => {
    for (const backend of [cpuJs(), cpuJs({ exact: true })])
      expect(backend.compile(variantOf(spec)).source).toMatch(/^function update[A-Z]\w*\(p\$/);
  });
});

describe("the entry of kernels", () => {
  test("has a table for every rule, and a backend with just the given ones", async () => {
    const tables: Readonly<Record<string, unknown>> = kernels;
    for (const rule of rules) expect(tables[tableName(rule)]).toMatchObject({ exact: false });
    const backend = kernels.createCpuJs({ kernels: [kernels.adamKernels] });
    expect(backend.compile(adam.rule.variant()).source).toContain("function updateAdam");
    expect(backend.compile(sgd.rule.variant()).source).not.toContain("function updateSgd");
    const run = (one: typeof backend): Promise<Record<string, Float32Array>> =>
      afterSteps(one, sgd({ momentum: 0.9 }), numbers(9, 1), [numbers(9, 2), numbers(9, 3)]);
    expect(await run(backend)).toEqual(await run(cpuJs()));
  });
});

test("nothing that is published makes code from text", () => {
  const root = new URL("../dist/", import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".js"),
  );
  expect(files.length).toBeGreaterThan(15);
  const offenders = files.filter((name) =>
    /\beval\s*\(|\bFunction\s*\(|\bimport\s*\(|setTimeout\s*\(\s*["'`]/.test(
      readFileSync(new URL(name, root), "utf8"),
    ),
  );
  expect(offenders).toEqual([]);
});
