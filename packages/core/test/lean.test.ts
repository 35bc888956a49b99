import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import * as lean from "../src/lean/index.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { rules } from "../src/rules/index.js";
import { leanReference, tensorOf } from "./lean-reference.js";
import { anything, bits, codeOf, failureOf } from "./support.js";

type State = Awaited<ReturnType<lean.LeanOptimizer["state"]>>;

describe("settings", () => {
  test.each([
    ["an option that it does not have", { rate: 1 }, "UNKNOWN_OPTION"],
    ["a rate below 0", { learningRate: -1 }, "INVALID_HYPERPARAMETER"],
    ["a rate that is no number", { learningRate: "1" }, "INVALID_HYPERPARAMETER"],
    ["an option that takes another kernel", { amsgrad: true }, "UNSUPPORTED"],
    ["a value that no option has", { epsilonMode: "torch" }, "UNSUPPORTED"],
    ["a value of another kind", { amsgrad: 1n }, "UNSUPPORTED"],
    ["text", "adam", "UNKNOWN_OPTION"],
    ["a switch that takes another kernel", { epsilonRoot: 1e-8 }, "UNSUPPORTED"],
  ])("%s is refused", (_, settings, code) => {
    expect(codeOf(() => lean.adam(anything(settings)))).toBe(code);
  });

  test("what was left out is where the message says", () => {
    const { message } = failureOf(() => lean.adam(anything({ nesterov: true, maximize: true })));
    expect(message).toContain("for this maximize and nesterov; import adam from @gradstep/core");
  });

  test("null is no setting", () => {
    expect(lean.adam(anything(null)).hyperparameters).toEqual(lean.adam().hyperparameters);
  });

  test("defaults may be said, and undefined is none", () => {
    const { hyperparameters, options } = lean.adam(
      anything<never>({ epsilonMode: "keras", beta1: undefined }),
    );
    expect(hyperparameters.beta1).toBe(0.9);
    expect(options).toEqual(lean.adam().options);
    expect(() => lean.adam(anything({ amsgrad: false }))).not.toThrow();
  });
});

describe("mistakes", () => {
  const make = () => {
    const backend = leanReference();
    const w = tensorOf(backend, [1, 2]);
    return { backend, w, optimizer: lean.createOptimizer(lean.adam(), { w }) };
  };

  test.each([
    [
      "no rule",
      () => lean.createOptimizer(anything<never>(undefined), { w: make().w }),
      "INVALID_RULE",
    ],
    [
      "a rule of another module",
      () => lean.createOptimizer(anything<never>(rules[0].specify({})), { w: make().w }),
      "INVALID_RULE",
    ],
    ["no parameters", () => lean.createOptimizer(lean.adam(), {}), "INVALID_PARAMETER"],
    ["null", () => lean.createOptimizer(lean.adam(), anything<never>(null)), "INVALID_PARAMETER"],
    [
      "an array",
      () => lean.createOptimizer(lean.adam(), anything<never>({ w: new Float32Array(1) })),
      "INVALID_PARAMETER",
    ],
    [
      "a tensor of a backend without these kernels",
      () => lean.createOptimizer(lean.adam(), anything<never>({ w: reference().tensor([1]) })),
      "INVALID_PARAMETER",
    ],
    [
      "tensors of two backends",
      () => lean.createOptimizer(lean.adam(), { a: make().w, b: make().w }),
      "INVALID_PARAMETER",
    ],
    [
      "one of them nothing",
      () => lean.createOptimizer(lean.adam(), { a: make().w, b: anything<never>(undefined) }),
      "INVALID_PARAMETER",
    ],
    [
      "a name that every object has",
      () => lean.createOptimizer(lean.adam(), { toString: make().w }),
      "INVALID_PARAMETER",
    ],
  ])("%s is refused", (_, action, code) => {
    expect(codeOf(action)).toBe(code);
  });

  test("a parameter that was freed, or comes twice", () => {
    const { w } = make();
    expect(codeOf(() => lean.createOptimizer(lean.adam(), { a: w, b: w }))).toBe(
      "OVERLAPPING_MEMORY",
    );
    w.free();
    expect(codeOf(() => lean.createOptimizer(lean.adam(), { w }))).toBe("INVALID_PARAMETER");
  });

  test.each<[string, (w: lean.LeanTensor) => unknown, string]>([
    ["nothing", () => undefined, "INVALID_GRADIENT"],
    ["null", () => null, "INVALID_GRADIENT"],
    ["no gradient", () => ({}), "INVALID_GRADIENT"],
    ["only missing ones", () => ({ w: undefined, v: null }), "UNKNOWN_PARAMETER"],
    ["a missing one", () => ({ w: undefined }), "INVALID_GRADIENT"],
    ["another name", () => ({ v: Float32Array.of(1, 1) }), "UNKNOWN_PARAMETER"],
    ["a name of every object", () => ({ toString: Float32Array.of(1, 1) }), "UNKNOWN_PARAMETER"],
    ["a list", () => ({ w: [1, 1] }), "INVALID_GRADIENT"],
    ["a number", () => ({ w: 1 }), "INVALID_GRADIENT"],
    ["f64", () => ({ w: Float64Array.of(1, 1) }), "INVALID_GRADIENT"],
    ["integers", () => ({ w: Int32Array.of(1, 1) }), "INVALID_GRADIENT"],
    ["another length", () => ({ w: Float32Array.of(1) }), "LENGTH_MISMATCH"],
    [
      "a tensor of another length",
      ({ backend }) => ({ w: backend.tensor([3]) }),
      "LENGTH_MISMATCH",
    ],
    ["a tensor of another backend", () => ({ w: reference().tensor([2]) }), "INVALID_GRADIENT"],
    ["the parameter itself", (w) => ({ w }), "OVERLAPPING_MEMORY"],
  ])("a step with %s is refused and changes nothing", async (_, gradients, code) => {
    const { w, optimizer } = make();
    optimizer.step({ w: Float32Array.of(1, 1) });
    const before = [bits(await w.read()), await optimizer.state()];
    expect(codeOf(() => optimizer.step(anything(gradients(w))))).toBe(code);
    expect([bits(await w.read()), await optimizer.state()]).toEqual(before);
  });

  test("a hyperparameter out of its range, or under a name that is none", () => {
    const { optimizer } = make();
    expect(codeOf(() => (optimizer.learningRate = -1))).toBe("INVALID_HYPERPARAMETER");
    expect(codeOf(() => (optimizer.epsilonRoot = 1))).toBe("INVALID_HYPERPARAMETER");
    expect(optimizer.learningRate).toBe(0.001);
    expect(() => (anything<Record<string, number>>(optimizer).rate = 1)).toThrow(TypeError);
  });

  test("gradient of a name that is none", () => {
    expect(codeOf(() => make().optimizer.gradient("v"))).toBe("UNKNOWN_PARAMETER");
  });

  test("after dispose nothing works, and slots are free", () => {
    const { backend, optimizer } = make();
    const made: Tensor[] = [];
    const tensor = backend.tensor.bind(backend);
    backend.tensor = (...given) => {
      made.push(tensor(...given));
      return made.at(-1)!;
    };
    const w = tensorOf(backend, [1]);
    const other = lean.createOptimizer(lean.adam(), { w });
    other.gradient("w");
    other.dispose();
    other.dispose();
    expect(made.map((one) => [one === w, one.freed])).toEqual([
      [true, false],
      [false, true],
      [false, true],
      [false, true],
    ]);
    for (const action of [
      () => other.step({ w: Float32Array.of(1) }),
      () => other.gradient("w"),
      () => other.restore(anything({})),
    ])
      expect(codeOf(action)).toBe("DISPOSED");
    expect(() => optimizer.step({ w: Float32Array.of(1, 1) })).not.toThrow();
  });

  test("slots that there is no room for leave none behind", () => {
    const { backend } = make();
    const made: Tensor[] = [];
    const tensor = backend.tensor.bind(backend);
    const w = tensorOf(backend, [1]);
    backend.tensor = (...given) => {
      if (made.length === 1) throw new RangeError("full");
      made.push(tensor(...given));
      return made[0];
    };
    expect(() => lean.createOptimizer(lean.adam(), { w })).toThrow("full");
    expect(made.map(({ freed }) => freed)).toEqual([true]);
  });
});

describe("states that do not belong", () => {
  const state = async () => {
    const backend = leanReference();
    const optimizer = lean.createOptimizer(lean.nadam(), {
      a: tensorOf(backend, [1, 2]),
      b: tensorOf(backend, [3]),
    });
    optimizer.step({ a: Float32Array.of(1, 1), b: Float32Array.of(1) });
    return { optimizer, state: await optimizer.state() };
  };

  test.each<[string, (one: State) => unknown]>([
    ["nothing", () => undefined],
    ["null", () => null],
    ["text", () => "state"],
    ["an empty object", () => ({})],
    ["another version", (one) => ({ ...one, version: 2 })],
    ["another rule", (one) => ({ ...one, rule: "adam" })],
    ["another option", (one) => ({ ...one, options: { ...one.options, maximize: true } })],
    ["no options", (one) => ({ ...one, options: undefined })],
    ["two groups", (one) => ({ ...one, groups: [...one.groups, ...one.groups] })],
    ["no carry", (one) => ({ ...one, groups: [{ ...one.groups[0], carry: {} }] })],
    [
      "a carry that is no number",
      (one) => ({ ...one, groups: [{ ...one.groups[0], carry: { product: Number.NaN } }] }),
    ],
    ["half a step", (one) => ({ ...one, iterations: 0.5 })],
    ["less than no step", (one) => ({ ...one, iterations: -1 })],
    ["a parameter less", (one) => ({ ...one, slots: { a: one.slots.a } })],
    ["a parameter more", (one) => ({ ...one, slots: { ...one.slots, c: one.slots.b } })],
    ["a slot less", (one) => ({ ...one, slots: { ...one.slots, b: { m: one.slots.b.m } } })],
    ["another length", (one) => ({ ...one, slots: { ...one.slots, b: one.slots.a } })],
    ["a list of values", (one) => ({ ...one, slots: { ...one.slots, b: { m: [1], v: [1] } } })],
    [
      "integers",
      (one) => ({
        ...one,
        slots: { ...one.slots, b: { m: Int32Array.of(1), v: Int32Array.of(1) } },
      }),
    ],
  ])("%s", async (_, change) => {
    const { optimizer, state: own } = await state();
    expect(codeOf(() => optimizer.restore(anything(change(own))))).toBe("STATE_MISMATCH");
    expect(await optimizer.state()).toEqual(own);
  });

  test("hyperparameters out of their range, or missing", async () => {
    const { optimizer, state: own } = await state();
    for (const hyperparameters of [{ ...own.hyperparameters, beta1: 2 }, {}, undefined])
      expect(codeOf(() => optimizer.restore(anything({ ...own, hyperparameters })))).toBe(
        "INVALID_HYPERPARAMETER",
      );
    expect(await optimizer.state()).toEqual(own);
  });

  test("groups of the whole optimizer", async () => {
    const { optimizer } = await state();
    const w = reference().tensor([1]);
    const nadam = rules.find(({ name }) => name === "nadam")!;
    const other = createOptimizer(nadam.specify({}), { w }, { groups: [{ match: "w" }] });
    const given = await other.state();
    expect(codeOf(() => optimizer.restore(given))).toBe("STATE_MISMATCH");
  });
});
