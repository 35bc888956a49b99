import { describe, expect, test } from "vitest";
import { fromKeras, fromTorch } from "../src/interop/index.js";
import {
  adam,
  constant,
  createOptimizer,
  defineRule,
  defineStage,
  newRow,
  nonNegative,
  reduceOnPlateau,
  sgd,
  variantOf,
} from "../src/index.js";
import { definedArithmetic, reference, runPasses } from "../src/reference.js";
import { anything, codeOf } from "./support.js";

interface Taker {
  readonly code: string;
  readonly right: unknown;
  readonly wrong: unknown;
  readonly take: (list: never) => unknown;
}

const arithmetic = definedArithmetic("f32");

const takers: Readonly<Record<string, Taker>> = {
  groups: {
    code: "UNKNOWN_OPTION",
    right: { match: "w" },
    wrong: 1,
    take: (groups) => createOptimizer(adam(), {}, { groups }),
  },
  "names of a group": {
    code: "UNKNOWN_OPTION",
    right: "w",
    wrong: 1,
    take: (match) => createOptimizer(adam(), {}, { groups: [{ match }] }),
  },
  "structural hyperparameters": {
    code: "UNKNOWN_OPTION",
    right: "momentum",
    wrong: "nesterov",
    take: (structural) => createOptimizer({ ...sgd(), structural }, {}),
  },
  "choices of an option": {
    code: "INVALID_RULE",
    right: "a",
    wrong: 1,
    take: (kind) =>
      defineRule({
        name: "chosen",
        hyperparameters: { learningRate: nonNegative(1) },
        options: { kind },
        perElement: "u = learningRate * g",
      }),
  },
  "slots that a stage reads": {
    code: "INVALID_RULE",
    right: "v",
    wrong: "1",
    take: (slots) => defineStage({ name: "s", reads: { slots }, perElement: "u = u * v" }),
  },
  "layers that Keras's Muon excludes": {
    code: "UNKNOWN_OPTION",
    right: "head",
    wrong: 1,
    take: (layers) => fromKeras({ class_name: "Muon", config: { exclude_layers: layers } }),
  },
  "milestones of PyTorch": {
    code: "INVALID_HYPERPARAMETER",
    right: 3,
    wrong: 2.5,
    take: (milestones) =>
      fromTorch("SGD", { lr: 1 }, { scheduler: { name: "MultiStepLR", milestones } }),
  },
  "runs of passes": {
    code: "INVALID_PARAMETER",
    right: { variant: variantOf(sgd()), updates: [] },
    wrong: 1,
    take: (runs) => runPasses(runs, arithmetic),
  },
};

describe.each(Object.entries(takers))("%s", (_, { code, right, wrong, take }) => {
  test("are taken if all are right, and refused if one is wrong, wherever it stands", () => {
    expect(() => take(anything([right]))).not.toThrow();
    for (const list of [[wrong], [right, wrong], [wrong, right]])
      expect(codeOf(() => take(anything(list)))).toBe(code);
  });
});

test("a stage reads lists of names, and nothing else", () => {
  const reads = { slots: ["v"], hyperparameters: "beta2" };
  const define = () =>
    defineStage({ name: "s", reads: anything<{ slots: [] }>(reads), perElement: "u = u * v" });
  expect(codeOf(define)).toBe("INVALID_RULE");
});

test.each([
  [constant(0.1), 0.2],
  [0.1, constant(0.2)],
])("one learning rate that follows a schedule is enough for reduceOnPlateau", (first, second) => {
  const groups = [{ match: "b", learningRate: second }];
  const optimizer = createOptimizer(adam({ learningRate: first }), {}, { groups });
  expect(codeOf(() => reduceOnPlateau(optimizer))).toBe("UNSUPPORTED");
});

test.each([
  { best: null, wait: 0, cooldown: -1 },
  { best: null, wait: 0.5, cooldown: 0 },
])("one wrong count is enough for a state of reduceOnPlateau to be refused: %j", (state) => {
  const monitor = reduceOnPlateau(createOptimizer(adam(), {}));
  expect(codeOf(() => monitor.restore(state))).toBe("STATE_MISMATCH");
});

test("one tensor, of indices or flags, is enough where rows count their own steps", () => {
  const backend = reference();
  const w = backend.tensor([2, 1]);
  const optimizer = createOptimizer(adam(), { w }, { sparse: "lazy", rowSteps: true });
  const indices = Uint32Array.of(1, newRow);
  const flags = Uint32Array.of(0, 1);
  const rows = optimizer.rows();
  const calls = [
    () => rows.remap(backend.wrap(indices)),
    () => rows.remap(indices, { resetRows: backend.wrap(flags) }),
    () => rows.remap(backend.wrap(indices), { resetRows: flags }),
  ];
  for (const call of calls) expect(codeOf(call)).toBe("UNSUPPORTED");
  rows.remap(indices, { resetRows: flags });
});
