import { describe, expect, test } from "vitest";
import type { Backend, Kernel, Tensor, Update } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { GroupOptions } from "../src/rule/rule.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { revoked } from "../../../testing/wrong-values.js";
import { codeOf } from "./support.js";

/** The reference backend, which repeats runs and counts the repetitions. */
function repeating(): { backend: Backend; repeats: () => number } {
  let count = 0;
  const backend: Backend = reference();
  const compile = backend.compile.bind(backend);
  backend.compile = (variant): Kernel => {
    const kernel = compile(variant);
    let last: readonly Update[] = [];
    return {
      ...kernel,
      run: (updates, length) => {
        last = updates.slice(0, length);
        kernel.run(updates, length);
      },
      repeater: () => () => {
        count += 1;
        kernel.run(last, last.length);
      },
    };
  };
  return { backend, repeats: () => count };
}

interface Run {
  readonly optimizer: Optimizer;
  readonly gradients: Record<string, Tensor>;
  readonly values: () => Promise<number[]>;
}

function make(backend: Backend, groups: readonly GroupOptions[]): Run {
  const tensor = (value: number): Tensor => backend.tensor([1], [value]);
  const parameters = { w: tensor(1), s: tensor(2) };
  const optimizer = createOptimizer(adam({ learningRate: 0.125 }), parameters, { groups });
  return {
    optimizer,
    gradients: { w: tensor(0.5), s: tensor(-0.25) },
    values: async () =>
      (await Promise.all([parameters.w.read(), parameters.s.read()])).map(([value]) => value),
  };
}

/** A copy of a tensor per step, so that no step is a repetition. */
async function fresh(backend: Backend, { gradients }: Run): Promise<Record<string, Tensor>> {
  const entries = Object.entries(gradients).map(
    async ([name, one]) => [name, backend.tensor([1], await one.read())] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

test("the same gradients under each other's names are another step", async () => {
  const { backend, repeats } = repeating();
  const { optimizer, gradients, values } = make(backend, []);
  for (let i = 0; i < 3; i += 1) optimizer.step(gradients);
  expect(repeats()).toBe(2);
  optimizer.step({ s: gradients.w, w: gradients.s });
  expect(repeats()).toBe(2);
  const other = repeating();
  const one = make(other.backend, []);
  for (let i = 0; i < 3; i += 1) one.optimizer.step(await fresh(other.backend, one));
  const { w, s } = await fresh(other.backend, one);
  one.optimizer.step({ w: s, s: w });
  expect(await values()).toEqual(await one.values());
});

describe.each<[string, GroupOptions[]]>([
  ["one group", []],
  ["a group with a rate of its own", [{ match: "s", learningRate: 0.5 }]],
])("%s", (_, groups) => {
  test("repeated steps equal steps with other tensors of the same values", async () => {
    const { backend, repeats } = repeating();
    const one = make(backend, groups);
    const other = make(backend, groups);
    for (let i = 0; i < 70; i += 1) {
      if (i === 20) for (const { optimizer } of [one, other]) optimizer.learningRate = 0.0625;
      one.optimizer.step(one.gradients);
      other.optimizer.step(await fresh(backend, other));
    }
    expect(repeats()).toBe(69);
    expect(await one.values()).toEqual(await other.values());
    const counts = ({ optimizer }: Run): number[] => [
      optimizer.iterations,
      ...optimizer.groups.map(({ iterations }) => iterations),
    ];
    expect(counts(one)).toEqual(counts(other));
    expect(new Set(counts(one))).toEqual(new Set([70]));
    expect((await one.optimizer.state()).groups).toEqual((await other.optimizer.state()).groups);
  });
});

test("no step is repeated while a group skips steps", async () => {
  const { backend, repeats } = repeating();
  const { optimizer, gradients, values } = make(backend, [{ match: "s", every: 2 }]);
  const seen: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    optimizer.step(gradients);
    seen.push((await values())[1]);
  }
  expect(repeats()).toBe(0);
  expect(optimizer.groups[0].iterations).toBe(3);
  // It changes at steps 2, 4 and 6 only.
  expect(seen[0]).toBe(2);
  expect(seen[2]).toBe(seen[1]);
  expect(seen[4]).toBe(seen[3]);
  expect(new Set(seen).size).toBe(4);
  // After `every` is set back, steps are repeated again.
  optimizer.groups[0].every = 1;
  optimizer.step(gradients);
  optimizer.step(gradients);
  expect(repeats()).toBe(2);
  expect(optimizer.groups[0].iterations).toBe(5);
});

test.each<[string, (run: Run, backend: Backend) => Record<string, Tensor>]>([
  ["one tensor is another", ({ gradients }, backend) => ({ ...gradients, s: backend.tensor([1]) })],
  ["one is missing", ({ gradients: { w } }) => ({ w })],
  ["the first is missing", ({ gradients: { s } }) => ({ s })],
  ["they are exchanged", ({ gradients: { w, s } }) => ({ w: s, s: w })],
  ["they come in another order", ({ gradients: { w, s } }) => ({ s, w })],
])("a step is not a repetition if %s", async (_, change) => {
  const { backend, repeats } = repeating();
  const one = make(backend, []);
  const plain = reference();
  const other = make(plain, []);
  for (const { optimizer, gradients } of [one, other]) {
    optimizer.step(gradients);
    optimizer.step(gradients);
  }
  expect(repeats()).toBe(1);
  one.optimizer.step(change(one, backend));
  other.optimizer.step(change(other, plain));
  expect(repeats()).toBe(1);
  expect(await one.values()).toEqual(await other.values());
});

test("a step with a mask is no repetition, and none repeats it", async () => {
  const { backend, repeats } = repeating();
  const { optimizer, gradients, values } = make(backend, []);
  const rows = { s: Uint32Array.of(0) };
  optimizer.step(gradients);
  const [, before] = await values();
  optimizer.step(gradients, { rows });
  expect((await values())[1]).toBe(before);
  optimizer.step(gradients);
  expect((await values())[1]).not.toBe(before);
  expect(repeats()).toBe(0);
  optimizer.step(gradients, { rows });
  optimizer.step(gradients, {});
  expect(repeats()).toBe(0);
  optimizer.step(gradients);
  expect(repeats()).toBe(1);
});

test("a step after rows have moved is no repetition", async () => {
  const { backend, repeats } = repeating();
  const w = backend.tensor([2], [1, 2]);
  const optimizer = createOptimizer(adam(), { w });
  const gradient = optimizer.gradient("w");
  for (let i = 0; i < 3; i += 1) optimizer.step({ w: gradient });
  expect(repeats()).toBe(2);
  optimizer.rows().remap(Uint32Array.of(1, 0));
  optimizer.step({ w: gradient });
  expect(repeats()).toBe(2);
});

test("a step with a name that nobody has is refused, though its tensors are those of the last one", () => {
  const { backend, repeats } = repeating();
  const { optimizer, gradients } = make(backend, []);
  const { w } = gradients;
  optimizer.step({ w, s: w });
  optimizer.step({ w, s: w });
  expect(repeats()).toBe(1);
  expect(codeOf(() => optimizer.step({ w, x: w }))).toBe("UNKNOWN_PARAMETER");
  expect(optimizer.iterations).toBe(2);
});

test("a proxy that was revoked is refused, also after a step that can be repeated", () => {
  const { backend, repeats } = repeating();
  const { optimizer, gradients } = make(backend, []);
  for (let i = 0; i < 3; i += 1) {
    expect(codeOf(() => optimizer.step(revoked({})))).toBe("INVALID_GRADIENT");
    optimizer.step(gradients);
  }
  expect([optimizer.iterations, repeats()]).toEqual([3, 2]);
});

test("no step is repeated while rows count their own steps", async () => {
  const { backend, repeats } = repeating();
  const w = backend.tensor([3, 1]);
  const options = { sparse: "lazy", rowSteps: true } as const;
  const optimizer = createOptimizer(adam({ learningRate: 1, epsilon: 0 }), { w }, options);
  optimizer.step({ w: { indices: Uint32Array.of(0), values: Float32Array.of(1) } });
  const gradient = backend.tensor([3, 1], [1, 1, 1]);
  for (let i = 0; i < 3; i += 1) optimizer.step({ w: gradient });
  expect(repeats()).toBe(0);
  expect((await optimizer.state()).rowSteps).toEqual({ w: Uint32Array.of(4, 3, 3) });
  // With equal gradients, each of Adam's steps is the learning rate.
  expect([...(await w.read())].map((one) => Math.round(1e4 * one) / 1e4)).toEqual([-4, -3, -3]);
});
