import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { afterAll, describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import type { GroupOptions } from "../src/rule/rule.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import { oracle, reference } from "../src/reference.js";
import { nadam } from "../src/rules/nadam.js";
import { rules } from "../src/rules/index.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import type { OptimizerState } from "../src/optimizer/state/optimizer-state.js";
import { anything, bits, codeOf, failureOf, numbers } from "./support.js";

const sizes = { kernel: 7, bias: 3 };

interface Run {
  readonly optimizer: Optimizer<string>;
  readonly arrays: Readonly<Record<string, Float32Array>>;
  /** Steps from the `from`-th gradient to before the `to`-th. */
  readonly steps: (from: number, to: number) => void;
}

/** An optimizer on `kernel` and `bias`, with these first values. */
function start(
  spec: OptimizerSpec,
  groups: readonly GroupOptions[] = [],
  values?: Readonly<Record<string, Float32Array>>,
): Run {
  const backend = reference();
  const arrays = {
    kernel: values?.kernel.slice() ?? numbers(sizes.kernel, 1),
    bias: values?.bias.slice() ?? numbers(sizes.bias, 2),
  };
  const parameters = { kernel: backend.wrap(arrays.kernel), bias: backend.wrap(arrays.bias) };
  const optimizer = createOptimizer(spec, parameters, { groups });
  return {
    optimizer,
    arrays,
    steps: (from, to) => {
      for (let i = from; i < to; i += 1) {
        optimizer.step({
          kernel: numbers(sizes.kernel, 100 + i),
          // Not every step has a gradient for everything.
          bias: i % 3 === 1 ? null : numbers(sizes.bias, 200 + i),
        });
      }
    },
  };
}

/** A state with its arrays as bits, so that NaN and signed zeros compare. */
function comparable({ slots, ...rest }: OptimizerState): unknown {
  const plain = Object.entries(slots).map(([parameter, own]) => [
    parameter,
    Object.entries(own).map(([slot, values]) => [slot, bits(values)]),
  ]);
  return { ...rest, slots: Object.fromEntries(plain) as unknown };
}

const options: readonly (readonly [name: string, settings: Readonly<Record<string, unknown>>])[] = [
  ...rules.map(({ name }) => [name, {}] as const),
  ["sgd", { momentum: 0.9, nesterov: true }],
  ["sgd", { momentum: 0.9, momentumForm: "torch", dampening: 0.2, maximize: true }],
  ["adagrad", { learningRateDecay: 0.5, epsilonMode: "outside", weightDecayMode: "l2" }],
  ["rmsprop", { momentum: 0.5, centered: true }],
  ["adam", { amsgrad: true, amsgradOf: "corrected", epsilonMode: "paper", weightDecay: 0.1 }],
  ["adam", { nesterov: true, epsilonRoot: 0.01 }],
  ["adamax", { learningRateDecay: 0.5, epsilonMode: "inside" }],
  ["nadam", { productIn: "f32", momentumDecay: 0.004 }],
];

describe("N steps, a restored state and N more steps equal 2N steps, bit for bit", () => {
  test.each(options)("%s %o", async (name, settings) => {
    const spec = optimizerByName(name, { learningRate: 0.1, ...settings });
    const groups = [{ match: "bias", learningRate: 0.05, weightDecay: 0.01 }];
    const whole = start(spec, groups);
    whole.steps(0, 5);
    whole.optimizer.learningRate = 0.03;
    whole.optimizer.groups[0].weightDecay = 0.02;
    const state = structuredClone(await whole.optimizer.state());
    const resumed = start(spec, groups, whole.arrays);
    // Whatever has happened there before is of no influence.
    resumed.optimizer.learningRate = 0.7;
    resumed.optimizer.step({ kernel: numbers(sizes.kernel, 900) });
    resumed.arrays.kernel.set(whole.arrays.kernel);
    whole.steps(5, 10);

    resumed.optimizer.restore(state);
    expect(resumed.optimizer.iterations).toBe(5);
    resumed.steps(5, 10);
    expect(bits(resumed.arrays.kernel)).toEqual(bits(whole.arrays.kernel));
    expect(bits(resumed.arrays.bias)).toEqual(bits(whole.arrays.bias));
    expect(comparable(await resumed.optimizer.state())).toEqual(
      comparable(await whole.optimizer.state()),
    );
    expect(resumed.optimizer.learningRate).toBe(0.03);
    expect(resumed.optimizer.groups[0]).toMatchObject({ learningRate: 0.05, weightDecay: 0.02 });
  });

  test("from the configuration alone, groups included", async () => {
    const groups = [{ match: /bias/, learningRate: 0.05 }];
    const whole = start(nadam({ learningRate: 0.1 }), groups);
    whole.steps(0, 4);
    const config = JSON.parse(JSON.stringify(whole.optimizer.config())) as ReturnType<
      typeof whole.optimizer.config
    >;
    const resumed = start(optimizerByName(config), [], whole.arrays);
    resumed.optimizer.restore(await whole.optimizer.state());
    whole.steps(4, 8);
    resumed.steps(4, 8);
    expect(bits(resumed.arrays.bias)).toEqual(bits(whole.arrays.bias));
    expect(resumed.optimizer.config()).toEqual(whole.optimizer.config());
  });

  test("in f64", async () => {
    const run = (values: Float64Array): [Optimizer, () => void] => {
      const optimizer = createOptimizer(nadam(), { w: oracle().wrap(values) });
      return [optimizer, () => optimizer.step({ w: Float64Array.of(0.1) })];
    };
    const values = Float64Array.of(1);
    const [optimizer, step] = run(values);
    step();
    const copy = values.slice();
    const state = await optimizer.state();
    expect(state.slots.w.m).toBeInstanceOf(Float64Array);
    step();
    const [other, otherStep] = run(copy);
    other.restore(state);
    otherStep();
    expect(copy).toEqual(values);
  });

  test("with parameters that were added later", async () => {
    const backend = reference();
    const make = (): { optimizer: Optimizer; late: Float32Array; add: () => void } => {
      const late = Float32Array.of(1);
      const optimizer = createOptimizer(nadam(), { first: backend.tensor([1]) });
      const add = (): void => void optimizer.add({ late: backend.wrap(late) });
      return { optimizer, late, add };
    };
    const one = make();
    one.optimizer.step({ first: Float32Array.of(1) });
    one.add();
    one.optimizer.step({ late: Float32Array.of(0.5) });
    const state = await one.optimizer.state();
    const other = make();
    expect(codeOf(() => other.optimizer.restore(state))).toBe("STATE_MISMATCH");
    other.add();
    other.late.set(one.late);
    other.optimizer.restore(state);
    for (const { optimizer } of [one, other]) optimizer.step({ late: Float32Array.of(0.5) });
    expect(bits(other.late)).toEqual(bits(one.late));
  });
});

test("a state is a snapshot, even if steps are taken while it is read", async () => {
  const { optimizer, steps } = start(nadam(), [{ match: "bias", beta1: 0.5 }]);
  steps(0, 3);
  const quiet = comparable(await optimizer.state());
  const pending = optimizer.state();
  steps(3, 6);
  optimizer.learningRate = 0.5;
  optimizer.groups[0].beta1 = 0.25;
  const taken = await pending;
  expect(comparable(taken)).toEqual(quiet);
  steps(6, 7);
  expect(comparable(taken)).toEqual(quiet);
});

test("writing to a state, or to a restored one, does not reach the optimizer", async () => {
  const { optimizer, steps } = start(nadam());
  steps(0, 3);
  const before = comparable(await optimizer.state());
  const state = await optimizer.state();
  optimizer.restore(state);
  state.slots.kernel.m.fill(9);
  anything<string[]>(state.groups[0].parameters).push("other");
  anything<Record<string, number>>(state.groups[0].persistentScalars).product = 9;
  expect(comparable(await optimizer.state())).toEqual(before);
});

test("NaN and infinities in slots are kept", async () => {
  const { optimizer } = start(nadam());
  optimizer.step({ bias: Float32Array.of(Number.NaN, Infinity, -0) });
  const state = await optimizer.state();
  const other = start(nadam());
  other.optimizer.restore(state);
  expect(comparable(await other.optimizer.state())).toEqual(comparable(state));
});

describe("a state of another optimizer is refused, and nothing changes", () => {
  const groups = [{ match: "bias", learningRate: 0.05 }];
  const spec = (): OptimizerSpec => nadam({ learningRate: 0.1 });

  /** The code with which a state is refused, if that has changed nothing. */
  async function refusal(state: unknown): Promise<string> {
    const { optimizer, arrays, steps } = start(spec(), groups);
    steps(0, 3);
    const before = comparable(await optimizer.state());
    const values = bits(arrays.kernel);
    const code = codeOf(() => optimizer.restore(anything(state)));
    expect(comparable(await optimizer.state())).toEqual(before);
    expect(bits(arrays.kernel)).toEqual(values);
    return code;
  }

  async function good(): Promise<OptimizerState> {
    const { optimizer, steps } = start(spec(), groups);
    steps(0, 5);
    return optimizer.state();
  }

  test.each<[string, OptimizerSpec, readonly GroupOptions[]]>([
    ["of another rule", optimizerByName("adam"), groups],
    ["with other options", nadam({ productIn: "f32" }), groups],
    ["maximizing", nadam({ maximize: true }), groups],
    ["without the group", nadam(), []],
    ["with one more group", nadam(), [...groups, { match: "kernel" }]],
    ["with the group on the other parameter", nadam(), [{ match: "kernel" }]],
  ])("%s", async (_, otherSpec, otherGroups) => {
    const { optimizer, steps } = start(otherSpec, otherGroups);
    steps(0, 2);
    expect(await refusal(await optimizer.state())).toBe("STATE_MISMATCH");
  });

  test("with momentum or without", async () => {
    const [on, off] = [{ momentum: 0.5 }, {}].map((settings) =>
      start(optimizerByName("sgd", settings)),
    );
    const states = await Promise.all([on.optimizer.state(), off.optimizer.state()]);
    expect(codeOf(() => off.optimizer.restore(states[0]))).toBe("STATE_MISMATCH");
    expect(codeOf(() => on.optimizer.restore(states[1]))).toBe("STATE_MISMATCH");
  });

  const group = { parameters: ["kernel"], hyperparameters: {}, persistentScalars: { product: 1 } };
  const other = { ...group, parameters: ["bias"] };
  test.each<[string, object]>([
    ["another version", { version: 2 }],
    ["a version as text", { version: "1" }],
    ["no rule", { rule: undefined }],
    ["no options", { options: undefined }],
    ["options that are null", { options: null }],
    ["one option more", { options: { ...nadam().options, amsgrad: true } }],
    ["no iterations", { iterations: undefined }],
    ["negative iterations", { iterations: -1 }],
    ["half an iteration", { iterations: 1.5 }],
    ["NaN iterations", { iterations: Number.NaN }],
    ["infinite iterations", { iterations: Infinity }],
    ["iterations as text", { iterations: "5" }],
    ["no hyperparameters", { hyperparameters: undefined }],
    ["hyperparameters that are null", { hyperparameters: null }],
    ["hyperparameters that are a list", { hyperparameters: [0.1] }],
    ["no groups", { groups: undefined }],
    ["groups that are null", { groups: null }],
    ["groups that are text", { groups: "ab" }],
    ["something like groups", { groups: { length: 2 } }],
    ["groups that are null each", { groups: [null, null] }],
    ["groups that are holes", { groups: new Array(2) }],
    ["too many groups", { groups: new Array(1e6).fill(group) }],
    ["groups without parameters", { groups: [group, { ...other, parameters: undefined }] }],
    ["groups with a number of parameters", { groups: [group, { ...other, parameters: 1 }] }],
    ["groups with a name of parameters", { groups: [group, { ...other, parameters: "bias" }] }],
    [
      "groups with a parameter twice",
      { groups: [group, { ...other, parameters: ["bias", "bias"] }] },
    ],
    [
      "groups with endless parameters",
      { groups: [group, { ...other, parameters: new Array(1e9) }] },
    ],
    ["groups with null parameters", { groups: [group, { ...other, parameters: [null] }] }],
    [
      "groups without persistent scalars",
      { groups: [group, { ...other, persistentScalars: undefined }] },
    ],
    [
      "groups with null persistent scalars",
      { groups: [group, { ...other, persistentScalars: null }] },
    ],
    ["groups with no persistent scalar", { groups: [group, { ...other, persistentScalars: {} }] }],
    [
      "groups with other persistent scalars",
      { groups: [group, { ...other, persistentScalars: { product: 1, c: 1 } }] },
    ],
    [
      "a persistent scalar of NaN",
      { groups: [group, { ...other, persistentScalars: { product: Number.NaN } }] },
    ],
    [
      "a persistent scalar that is null",
      { groups: [group, { ...other, persistentScalars: { product: null } }] },
    ],
    [
      "a persistent scalar that is text",
      { groups: [group, { ...other, persistentScalars: { product: "1" } }] },
    ],
    [
      "groups without hyperparameters",
      { groups: [group, { ...other, hyperparameters: undefined }] },
    ],
    ["groups with null hyperparameters", { groups: [group, { ...other, hyperparameters: null }] }],
    ["no slots", { slots: undefined }],
    ["slots that are null", { slots: null }],
    ["slots that are text", { slots: "kernel" }],
    ["empty slots", { slots: {} }],
    ["slots of null", { slots: { kernel: null, bias: null } }],
  ])("with %s", async (_, changes) => {
    expect(await refusal({ ...(await good()), ...changes })).toBe("STATE_MISMATCH");
  });

  test.each<[string, object]>([
    ["a missing hyperparameter", { hyperparameters: {} }],
    [
      "a hyperparameter out of range",
      { hyperparameters: { ...spec().hyperparameters, beta1: 1.5 } },
    ],
    [
      "an unknown hyperparameter",
      { hyperparameters: { ...spec().hyperparameters, momentum: 0.5 } },
    ],
    [
      "a hyperparameter out of range in a group",
      { groups: [group, { ...other, hyperparameters: { learningRate: -1 } }] },
    ],
    [
      "an unknown hyperparameter in a group",
      { groups: [group, { ...other, hyperparameters: { lr: 1 } }] },
    ],
  ])("with %s", async (_, changes) => {
    expect(await refusal({ ...(await good()), ...changes })).toBe("STATE_MISMATCH");
  });

  test.each<[string, (slots: Record<string, Record<string, unknown>>) => void]>([
    ["a slot less", ({ bias }) => delete bias.m],
    ["a slot more", ({ bias }) => (bias.vMax = new Float32Array(3))],
    ["a shorter slot", ({ bias }) => (bias.v = new Float32Array(2))],
    ["a huge slot", ({ bias }) => (bias.v = new Float32Array(1e7))],
    ["a slot of integers", ({ bias }) => (bias.v = new Int32Array(3))],
    ["a slot of big integers", ({ bias }) => (bias.v = new BigInt64Array(3))],
    ["a slot that is a shorter list", ({ bias }) => (bias.v = [0, 0])],
    ["a slot that is a list of text", ({ bias }) => (bias.v = [0, "0", 0])],
    [
      "a slot that is a list with a hole",
      ({ bias }) => (bias.v = Object.assign(new Array(3), [0])),
    ],
    ["a slot that is an object of other keys", ({ bias }) => (bias.v = { a: 0, b: 0, c: 0 })],
    ["a slot that is null", ({ bias }) => (bias.v = null)],
    ["a slot that is a DataView", ({ bias }) => (bias.v = new DataView(new ArrayBuffer(12)))],
    ["a parameter less", (slots) => delete slots.bias],
    ["a parameter more", (slots) => (slots.late = { m: new Float32Array(1) })],
    ["a parameter of another name", (slots) => (slots.Bias = slots.bias) && delete slots.bias],
  ])("with %s", async (_, change) => {
    const state = await good();
    change(anything(state.slots));
    expect(await refusal(state)).toBe("STATE_MISMATCH");
  });

  test.each([null, undefined, 5, "state", [], {}, () => ({}), new Map()])(
    "case %# in place of a state",
    async (state) => {
      expect(await refusal(state)).toBe("STATE_MISMATCH");
    },
  );

  test("a promise of a state, without await", async () => {
    expect(await refusal(good())).toBe("STATE_MISMATCH");
    const { optimizer } = start(spec(), groups);
    expect(() => optimizer.restore(anything(good()))).toThrow("await optimizer.state()");
  });
});

describe("a state that was stored", () => {
  const specs: readonly OptimizerSpec[] = rules.map((rule) => rule.specify({ weightDecay: 0.01 }));
  const bias = [{ match: "bias", weightDecay: 0, every: 2 }];
  const folder = mkdtempSync(join(tmpdir(), "gradstep-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const viaFile = (content: string | Uint8Array): Buffer => {
    const file = join(folder, "state");
    writeFileSync(file, content);
    return readFileSync(file);
  };
  const asJson = (state: OptimizerState): string => JSON.stringify(state);
  const withArrays = (_: string, value: unknown): unknown =>
    value instanceof Float32Array ? [...value] : value;

  /** How users store a state, and get it back. */
  const stores: readonly [string, (state: OptimizerState) => unknown][] = [
    // As localStorage holds it.
    ["as JSON text", (state) => JSON.parse(asJson(state))],
    ["as JSON with plain arrays", (state) => JSON.parse(JSON.stringify(state, withArrays))],
    ["as JSON on disk", (state) => JSON.parse(viaFile(asJson(state)).toString())],
    ["with v8.serialize on disk", (state) => deserialize(viaFile(serialize(state)))],
    // As IndexedDB holds it.
    ["with structuredClone", (state) => structuredClone(state)],
  ];
  test.each(stores)("%s continues bit for bit", async (_, store) => {
    for (const spec of specs) {
      const first = start(spec, bias);
      first.steps(0, 5);
      const state = anything<OptimizerState>(store(await first.optimizer.state()));
      const second = start(spec, bias, first.arrays);
      second.optimizer.restore(state);
      first.steps(5, 9);
      second.steps(5, 9);
      expect(bits(second.arrays.kernel)).toEqual(bits(first.arrays.kernel));
      expect(bits(second.arrays.bias)).toEqual(bits(first.arrays.bias));
      expect(comparable(await second.optimizer.state())).toEqual(
        comparable(await first.optimizer.state()),
      );
    }
  });

  test("as text that is not parsed is refused with its own remedy, and nothing changes", async () => {
    const { optimizer } = start(nadam(), bias);
    const state = await optimizer.state();
    const { code, message } = failureOf(() => {
      optimizer.restore(asJson(state) as never);
    });
    expect(code).toBe("STATE_MISMATCH");
    expect(message).toBe(
      "Got text as the state; expected the object that it was made of: restore(JSON.parse(text)).",
    );
    expect(comparable(await optimizer.state())).toEqual(comparable(state));
  });

  test("as JSON with values that JSON does not have is refused, and nothing changes", async () => {
    const { optimizer } = start(nadam());
    optimizer.step({ bias: Float32Array.of(Number.NaN, Infinity, 1) });
    const text = asJson(await optimizer.state());
    const other = start(nadam());
    const before = comparable(await other.optimizer.state());
    const { code, message } = failureOf(() => {
      other.optimizer.restore(JSON.parse(text) as OptimizerState);
    });
    expect(code).toBe("STATE_MISMATCH");
    expect(message).toContain("JSON, which turns NaN and Infinity into null");
    expect(message).toContain("slots.bias.m[0] is null");
    expect(comparable(await other.optimizer.state())).toEqual(before);
  });

  test("restores the learning rate, which can then be set", async () => {
    const { optimizer } = start(nadam({ learningRate: 0.5 }));
    const state = await optimizer.state();
    const other = start(nadam({ learningRate: 0.25 })).optimizer;
    other.restore(state);
    expect(other.learningRate).toBe(0.5);
    other.learningRate = 0.125;
    expect(other.learningRate).toBe(0.125);
  });
});

test("a pending state resolves after its optimizer is disposed", async () => {
  const { optimizer, steps } = start(nadam());
  steps(0, 2);
  const quiet = comparable(await optimizer.state());
  const pending = optimizer.state();
  optimizer.dispose();
  expect(comparable(await pending)).toEqual(quiet);
});

describe("a state that is reused", () => {
  test("gives its arrays to the new state, which has the same values as any other", async () => {
    const { optimizer, steps } = start(nadam());
    const first = await optimizer.state();
    const { m } = first.slots["bias"];
    steps(0, 2);
    const plain = comparable(await optimizer.state());
    const second = await optimizer.state({ reuse: first });
    expect(second.slots["bias"]["m"]).toBe(m);
    expect(comparable(second)).toEqual(plain);
  });

  test("keeps arrays of another type or length, and those of other slots", async () => {
    const { optimizer, steps } = start(nadam());
    steps(0, 2);
    const plain = await optimizer.state();
    const bias = { m: new Float64Array(3).fill(5), v: new Float32Array(4).fill(5), n: 1 };
    const reuse = { ...plain, slots: { bias, other: {} } } as unknown as OptimizerState;
    const state = await optimizer.state({ reuse });
    expect(comparable(state)).toEqual(comparable(plain));
    expect([...bias.m, ...bias.v]).toEqual([5, 5, 5, 5, 5, 5, 5]);
  });

  test("is refused under another name of the option", async () => {
    const { optimizer } = start(nadam());
    await expect(optimizer.state({ into: {} } as never)).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
  });
});
