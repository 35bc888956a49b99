import { readFileSync } from "node:fs";
import { parseGolden, replay, wgsl } from "@gradstep/conformance";
import { expect, test } from "vitest";
import { isFull, seed } from "../../../testing/cases.js";
import { describe, newBackend } from "./gpu.js";

const fixtures = new URL("../../conformance/fixtures/", import.meta.url);

describe(`golden runs (${isFull ? "all" : `seed ${seed}`})`, () => {
  const all: [string, number][] = [
    ["keras", 10],
    ["torch", 10],
    ["optax", 10],
    ["keras-muon", 3],
  ];
  // One of them in `npm test`.
  test.each(isFull ? all : [all[seed % all.length]])(
    "%s: every step is inside the bound",
    async (library, least) => {
      const name = `${library}.json`;
      const golden = parseGolden(readFileSync(new URL(name, fixtures), "utf8"), name);
      // One case after the other, or every other one.
      const own = golden.cases.filter((_, i) => isFull || i % 2 === seed % 2);
      const results = await replay({ ...golden, cases: own }, { backend: newBackend, model: wgsl });
      const failed = results.filter(({ status }) => status === "failed");
      expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
      expect(results.filter(({ status }) => status === "passed").length).toBeGreaterThanOrEqual(
        isFull ? least : Math.floor(least / 3),
      );
    },
  );
});
