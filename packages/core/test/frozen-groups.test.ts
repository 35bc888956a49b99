import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import { adam, createOptimizer } from "../src/index.js";
import { reference } from "../src/reference.js";
import { failureOf } from "./support.js";

const g = Float32Array.of(1, -2);

function make(frozen?: unknown) {
  const backend = reference();
  const a = backend.tensor([2], [1, 2]);
  const b = backend.tensor([2], [1, 2]);
  const options = { groups: [{ match: "b", frozen: frozen as boolean }] };
  return { a, b, optimizer: createOptimizer(adam({ learningRate: 0.1 }), { a, b }, options) };
}

describe("a frozen group", () => {
  test("stays as it is, whether or not it has a gradient", async () => {
    const { a, b, optimizer } = make(true);
    const other = make(false);
    for (let step = 0; step < 3; step += 1) {
      optimizer.step(step === 1 ? { a: g } : { a: g, b: g });
      other.optimizer.step({ a: g });
    }
    expect([...(await b.read())]).toEqual([1, 2]);
    expect(await a.read()).toEqual(await other.a.read());
    expect(optimizer.groups[0].iterations).toBe(0);
    expect([...(await optimizer.state()).slots.b.m]).toEqual([0, 0]);
  });

  test("that is thawed begins with its own first step", async () => {
    const { b, optimizer } = make(true);
    optimizer.step({ a: g, b: g });
    optimizer.step({ a: g });
    optimizer.groups[0].frozen = false;
    optimizer.step({ a: g, b: g });
    const fresh = make(false);
    fresh.optimizer.step({ a: g, b: g });
    expect(await b.read()).toEqual(await fresh.b.read());
    expect(optimizer.groups[0].iterations).toBe(1);
  });

  test("a step of frozen parameters alone is no mistake", () => {
    const { optimizer } = make(true);
    optimizer.step({ b: g });
    expect(optimizer.iterations).toBe(1);
  });

  test("is frozen in the configuration and in the state", async () => {
    const { optimizer } = make(true);
    const config = structuredClone(optimizer.config());
    expect(config.groups[0]).toEqual({ match: ["b"], frozen: true });
    expect((await optimizer.state()).groups[1].frozen).toBe(true);
    const { a, b } = make();
    const again = createOptimizer(optimizerByName(config), { a, b });
    expect(again.groups[0].frozen).toBe(true);
    const thawed = make(false);
    thawed.optimizer.restore(await optimizer.state());
    expect(thawed.optimizer.groups[0].frozen).toBe(true);
    again.restore(await make(false).optimizer.state());
    expect(again.groups[0].frozen).toBe(false);
  });

  test.each([1, "yes", null])("frozen: %j is refused", async (value) => {
    expect(failureOf(() => make(value)).code).toBe("INVALID_HYPERPARAMETER");
    const { optimizer } = make(true);
    expect(failureOf(() => Object.assign(optimizer.groups[0], { frozen: value })).code).toBe(
      "INVALID_HYPERPARAMETER",
    );
    expect(optimizer.groups[0].frozen).toBe(true);
  });

  test("a state in which it is neither is refused", async () => {
    const { optimizer } = make(true);
    const state = await optimizer.state();
    const groups = state.groups.map((one) => ({ ...one, frozen: 1 }));
    const failure = failureOf(() => optimizer.restore({ ...state, groups } as never));
    expect(failure.code).toBe("STATE_MISMATCH");
    expect(optimizer.groups[0].frozen).toBe(true);
  });
});
