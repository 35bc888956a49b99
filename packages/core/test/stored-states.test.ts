import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { afterAll, describe, expect, test } from "vitest";
import type { OptimizerState } from "../src/optimizer/state/optimizer-state.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { nadam } from "../src/rules/nadam.js";
import { rules } from "../src/rules/index.js";
import { comparable, start } from "./state-runs.js";
import { anything, bits, failureOf } from "./support.js";

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
