import { parseGolden, replay } from "@gradstep/conformance";
import { describe, expect, test } from "vitest";
import keras from "../../conformance/fixtures/keras.json?raw";
import kerasMuon from "../../conformance/fixtures/keras-muon.json?raw";
import optaxContrib from "../../conformance/fixtures/optax-contrib.json?raw";
import optax from "../../conformance/fixtures/optax.json?raw";
import torch from "../../conformance/fixtures/torch.json?raw";
import { isFull, seed } from "../../../testing/cases.js";
import type { Wasm } from "../src/index.js";

/**
 * Replays the golden runs of other libraries, in `npm test` every other one: all that the reference passes, each step
 * within its bound.
 */
export function golden(threads: string, backend: () => Wasm): void {
  describe(`golden runs, ${threads} (${isFull ? "all" : `seed ${seed}`})`, () => {
    test.each([
      ["keras", keras],
      ["torch", torch],
      ["optax", optax],
      ["optax.contrib", optaxContrib],
      ["keras, Muon", kerasMuon],
    ])("%s", async (name, text) => {
      const { cases, ...rest } = parseGolden(text, name);
      const file = { ...rest, cases: cases.filter((_, i) => isFull || i % 2 === seed % 2) };
      const results = await replay(file, { backend });
      const failed = results.filter(({ status }) => status === "failed");
      expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
      const passed = results.filter(({ status }) => status === "passed");
      const isUnbounded = new Set(
        results.flatMap(({ id, reason }) => (/there are no bounds/.test(reason ?? "") ? [id] : [])),
      );
      const wanted = (await replay(file)).filter(
        ({ id, status }) => status === "passed" && !isUnbounded.has(id),
      );
      expect(passed.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
      for (const { worstErrorOverBound } of passed)
        expect(worstErrorOverBound).toBeLessThanOrEqual(1);
    });
  });
}
