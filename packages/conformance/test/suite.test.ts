import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { wgsl } from "../src/bounds/error-model.js";
import { conformance } from "../src/suite/conformance.js";
import { verify } from "../src/suite/verify.js";

conformance({ backend: reference, describe, test });

describe("the suite", () => {
  test("fails on a backend that does nothing when it runs", async () => {
    const report = await verify({
      cases: 1,
      backend: () => Object.assign(reference(), { compile: () => ({ source: "", run: () => {} }) }),
    });
    const failed = new Set(
      report.checks.filter(({ status }) => status === "failed").map(({ group }) => group),
    );
    for (const group of ["order of calls", "optimizer", "groups", "lengths", "bounds", "rules defined at run time"])
      expect(failed).toContain(group);
  });

  test("skips by declared capability alone, and says so", async () => {
    const report = await verify({ cases: 1, backend: reference, wrapsArrays: false, model: wgsl });
    const skipped = report.checks.filter(({ status }) => status === "skipped");
    expect(skipped.map(({ group }) => group)).toEqual([
      "the caller's arrays",
      "the caller's arrays",
    ]);
    expect(skipped[0].reason).toContain("wrapsArrays");
    expect(report.checks.filter(({ status }) => status === "failed")).toEqual([]);
  });

  test("registers skipped tests with the runner", () => {
    const names: string[] = [];
    conformance({
      backend: reference,
      wrapsArrays: false,
      describe: (_, body) => {
        body();
      },
      test: Object.assign(() => {}, { skip: (name: string) => names.push(name) }),
    });
    expect(names.length).toBe(2);
  });

  test("finds the same with the same seed, and something else with another", async () => {
    const run = (seed: number) => verify({ cases: 1, backend: reference, seed });
    const [first, again, other] = [await run(3), await run(3), await run(4)];
    expect(again).toEqual(first);
    expect(other.worstErrorOverBound).not.toBe(first.worstErrorOverBound);
  });
});
