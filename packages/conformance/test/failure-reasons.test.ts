import { nadam, sgd, type Backend, type Update } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { describeDifference } from "../src/checker/violation.js";
import { verify } from "../src/suite/verify.js";
import { little } from "./suite-results.js";

describe("a failure says where", () => {
  const where = { rule: "sgd", step: 3, parameter: "w", output: "m", element: 7 };

  test("a value that differs from the reference's, on an exact backend", () => {
    const difference = { ...where, got: 0, expected: -0 };
    expect(describeDifference(difference, 1)).toBe(
      'sgd, step 3: m of "w"[7] is 0; expected exactly -0, as the f32 reference has it, ' +
        "because the backend declares exact: true (bound 0; 1 value differs)",
    );
    expect(describeDifference(difference, 2)).toContain("2 values differ)");
  });

  slowTest("in every check of a backend with one wrong value", async () => {
    const backend = (): Backend => {
      const broken = reference();
      const compile = broken.compile.bind(broken);
      broken.compile = (variant) => {
        const kernel = compile(variant);
        const run = kernel.run.bind(kernel);
        return Object.assign(kernel, {
          run: (updates: readonly Update[], count: number) => {
            run(updates, count);
            const view = (updates[0].parameter as unknown as { view(): Float32Array }).view();
            // The last bit: on an exact backend even that is a failure.
            const bits = new Int32Array(view.buffer, view.byteOffset, view.length);
            bits[bits.length - 1] += 1;
          },
        });
      };
      return broken;
    };
    const groups = ["optimizer", "groups", "maximize", "bounds", "layouts", "state", "reset"];
    const { checks } = await verify({ ...little, backend, rules: [sgd, nadam], groups });
    const reasons = checks.flatMap(({ group, status, reason = "" }) =>
      status === "failed" && group !== "order of calls" ? [reason] : [],
    );
    expect(reasons.length).toBeGreaterThan(10);
    for (const reason of reasons) {
      expect(reason).toMatch(
        /^[\w-]+[^:]*, (step \d+[^:]*|reset): \w+ of "\w+"\[\d+\] is \S+; expected (exactly )?\S+.*\(.*bound/,
      );
      expect(reason).not.toMatch(/\b1 values/);
    }
  });
});
