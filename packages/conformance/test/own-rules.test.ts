import { defineRule, nonNegative, type Backend } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { wgsl } from "../src/bounds/error-model.js";
import { suiteOf } from "../src/suite/options.js";
import { runCheck, verify } from "../src/suite/verify.js";
import { little, named } from "./suite-results.js";

describe("rules of one's own", () => {
  const mine = defineRule({
    name: "mine",
    hyperparameters: { learningRate: { default: 0.25, min: 0.1, max: 0.5 }, mix: nonNegative(2) },
    slots: { m: "mix" },
    perElement: `
      m = m * 0.5 + g
      p = p - m * learningRate
    `,
  });

  slowTest("are checked in place of the built-in ones", async () => {
    const ofRules = ["groups", "maximize", "state", "lengths", "bounds", "NaN and infinity"];
    const { checks } = await verify({
      ...little,
      backend: reference,
      rules: [mine],
      groups: [...ofRules, "rows"],
    });
    expect(named(checks, "failed")).toEqual([]);
    const passed = named(checks, "passed");
    expect(passed.some((name) => name.startsWith("rows: random remaps"))).toBe(true);
    for (const group of ofRules)
      expect(passed.some((name) => name.startsWith(`${group}: mine`))).toBe(true);
    expect(passed.some((name) => name.includes("adam"))).toBe(false);
  });

  test("are checked against the backend's own kernels", async () => {
    const backend = (): Backend => {
      const broken = reference() as Backend & { exact: boolean };
      broken.exact = false;
      const compile = broken.compile.bind(broken);
      broken.compile = (variant) => {
        const kernel = compile(variant);
        if (variant.rule !== "mine") return kernel;
        return {
          ...kernel,
          run: (updates, count) => {
            kernel.run(updates, count);
            updates[0].slots[0].write(new Float32Array(updates[0].parameter.size));
          },
        };
      };
      return broken;
    };
    const { checks } = await verify({ ...little, backend, rules: [mine], groups: ["bounds"] });
    const bounds = checks.find(({ group }) => group === "bounds");
    expect(bounds).toMatchObject({ name: "mine", status: "failed" });
    expect(bounds!.reason).toMatch(
      /^mine, step 1: m of "\w+"\[\d+\] is 0; expected \S+, between \S+ and \S+ \(error\/bound \S+\)\n {2}in mine case 0, seed 1/,
    );
  });

  test.each([
    ["no rules", []],
    ["what is not a rule", [{}]],
    ["two of one name", [mine, mine]],
  ])("are refused: %s", async (_, rules) => {
    const options = { backend: reference, rules: rules as never };
    await expect(verify(options)).rejects.toMatchObject({ code: "INVALID_RULE" });
  });

  test("fail if no value has a bound", async () => {
    const overflowing = defineRule({
      name: "overflowing",
      hyperparameters: { learningRate: nonNegative(1) },
      perElement: "p = sqrt(-1 - abs(p)) * 0 + 1e38 * 1e38 * sign(g) * learningRate",
    });
    const { checks, context } = suiteOf({
      cases: 1,
      backend: reference,
      rules: [overflowing],
      model: wgsl,
    });
    const bounds = checks.find(({ group }) => group === "bounds")!;
    expect(await runCheck(bounds, context)).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("has a bound") as string,
    });
  });
});
