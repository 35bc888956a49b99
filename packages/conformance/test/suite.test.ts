import {
  defineRule,
  nadam,
  nonNegative,
  sgd,
  type Backend,
  type Kernel,
  type Update,
  type Variant,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { cases } from "../../../testing/cases.js";
import { hostRunner } from "../../../testing/host-runner.js";
import { sampledRunner } from "../../../testing/sampled-runner.js";
import { slowTest } from "../../../testing/slow-test.js";
import { wgsl } from "../src/bounds/error-model.js";
import { describeDifference } from "../src/checker/violation.js";
import { conformance } from "../src/suite/conformance.js";
import { suiteOf } from "../src/suite/options.js";
import { runCheck, verify, type CheckResult } from "../src/suite/verify.js";

const runner = hostRunner(reference);
conformance({
  backend: reference,
  cases: cases(1000, 20),
  maxKernels: cases(320, 4),
  maskTensors: runner.maskTensors,
  ...sampledRunner(runner, 0, { quick: 18 }),
});

/** For tests of the suite itself, not of a backend. */
const little = { cases: 1, maxKernels: 2 };

/** A backend without `remap`, as a first version of a backend is. */
function withoutRows(): Backend {
  return Object.assign(reference() as Backend, { remap: undefined as never });
}

function named(checks: readonly CheckResult[], status: CheckResult["status"]): readonly string[] {
  return checks
    .filter((one) => one.status === status)
    .map(({ group, name }) => `${group}: ${name}`);
}

describe("the suite", () => {
  slowTest("fails for a backend that does nothing when it runs", async () => {
    const { checks } = await verify({
      ...little,
      rules: [sgd, nadam],
      backend: () => Object.assign(reference(), { compile: () => ({ source: "", run: () => {} }) }),
    });
    const failed = checks.filter(({ status }) => status === "failed").map(({ group }) => group);
    expect(new Set(failed)).toEqual(
      new Set([
        "order of calls",
        "errors",
        "optimizer",
        "repeated steps",
        "groups",
        "maximize",
        "clearing of small values",
        "NaN and infinity",
        "state",
        "calls and steps",
        "rows",
        "lengths",
        "bounds",
        "rules defined at run time",
        "rules with reductions",
        "layouts",
        "weights to evaluate with",
      ]),
    );
  });

  test("finds the same with the same seed, and something else with another", async () => {
    const run = async (seed: number) => {
      const { checks, context } = suiteOf({ cases: 1, backend: reference, rules: [sgd], seed });
      await runCheck(
        checks.find(({ group }) => group === "bounds")!,
        context,
      );
      return context.stats;
    };
    const [first, again, other] = [await run(3), await run(3), await run(4)];
    expect(again).toEqual(first);
    expect(other.elements).not.toBe(first.elements);
  });
});

describe("a missing capability", () => {
  slowTest("is skipped and not passed, with the reason", async () => {
    const { checks } = await verify({
      ...little,
      backend: withoutRows,
      rules: [sgd],
      wrapsArrays: false,
      model: wgsl,
    });
    expect(named(checks, "failed")).toEqual([]);
    const skipped = checks.filter(({ status }) => status === "skipped");
    expect(named(checks, "skipped").length).toBeGreaterThan(8);
    for (const { reason } of skipped)
      expect([
        "the backend is declared with wrapsArrays: false",
        "the backend has no remap(), so it does not move rows or apply masks",
        "the backend does not declare takesLayouts, so tensors have no strides, activations or types but f32",
      ]).toContain(reason);
    const ofRows = checks.filter(({ group }) => group === "rows");
    expect(new Set(ofRows.map(({ status }) => status))).toEqual(new Set(["skipped"]));
  });

  test("is skipped by a runner at once where it is declared", () => {
    const skipped: string[] = [];
    conformance({
      backend: reference,
      wrapsArrays: false,
      rows: false,
      describe: (_, body) => {
        body();
      },
      test: Object.assign(() => {}, { skip: (name: string) => skipped.push(name) }),
    });
    expect(skipped.some((name) => name.includes("wrapsArrays: false"))).toBe(true);
    expect(skipped.some((name) => name.includes("no remap()"))).toBe(true);
  });

  test("is skipped by a runner when the backend is there, or fails where that cannot be", async () => {
    const bodies = new Map<string, (...input: readonly unknown[]) => Promise<void>>();
    conformance({
      backend: async () => withoutRows(),
      describe: (_, body) => {
        body();
      },
      test: Object.assign(
        (name: string, body: () => Promise<void>) => {
          bodies.set(name, body);
        },
        { skip: () => expect.unreachable() },
      ),
    });
    const body = bodies.get("random remaps, appends and masks give what plain arrays give")!;
    const reasons: string[] = [];
    await body({ skip: (reason: string) => reasons.push(reason) });
    expect(reasons).toEqual([expect.stringContaining("no remap()")]);
    await expect(body()).rejects.toThrow("pass rows: false to conformance()");
  });
});

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

describe("a run of verify", () => {
  const groups = ["tensors", "errors", "groups", "bounds"];
  const options = { ...little, backend: reference, rules: [sgd], groups };

  test("reports each check that begins, in order, and the cases so far", async () => {
    const seen: string[] = [];
    let before = { completed: 0, cases: 0 };
    const {
      checks,
      cases: ran,
      unfinished,
    } = await verify(options, {
      onProgress: ({ completed, total, check, cases: soFar }) => {
        const name = `${check.group}: ${check.name}`;
        if (seen.at(-1) !== name) seen.push(name);
        expect(seen).toHaveLength(completed + 1);
        expect(total).toBe(suiteOf(options).checks.length);
        expect([completed, soFar].every(Number.isInteger)).toBe(true);
        expect(soFar).toBeGreaterThanOrEqual(before.cases);
        before = { completed, cases: soFar };
      },
    });
    expect(seen).toEqual(checks.map(({ group, name }) => `${group}: ${name}`));
    expect(before.cases).toBeLessThanOrEqual(ran);
    expect(unfinished).toBe(0);
  });

  test("that a signal stops has the checks that ended; the one that it stopped is none of them", async () => {
    const stop = new AbortController();
    const { checks, unfinished } = await verify(options, {
      signal: stop.signal,
      onProgress: ({ completed }) => {
        if (completed === 7) stop.abort();
      },
    });
    const whole = suiteOf(options).checks;
    expect(checks.map(({ name }) => name)).toEqual(
      whole.slice(0, checks.length).map(({ name }) => name),
    );
    expect([7, 8]).toContain(checks.length);
    expect(checks.every(({ status }) => status === "passed")).toBe(true);
    expect(unfinished).toBe(whole.length - checks.length);
  });
});

test("groups chooses checks; each result has what its check found, and the report their total", async () => {
  const seen: string[] = [];
  const { checks, ...total } = await verify(
    { cases: 4, backend: reference, rules: [sgd, nadam], groups: ["bounds"] },
    { onResult: ({ name }) => seen.push(name) },
  );
  expect(checks.map(({ group, name }) => [group, name])).toEqual([
    ["bounds", "sgd"],
    ["bounds", "nadam"],
  ]);
  expect(seen).toEqual(["sgd", "nadam"]);
  const [one, other] = checks.map(({ stats }) => stats);
  expect(one.elements).toBeGreaterThan(0);
  expect(total).toMatchObject({
    elements: one.elements + other.elements,
    cases: one.cases + other.cases,
    worstErrorOverBound: Math.max(one.worstErrorOverBound, other.worstErrorOverBound),
    unfinished: 0,
  });
  await expect(
    verify({ cases: 1, backend: reference, rules: [sgd], groups: ["bound"] }),
  ).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
});

test("maxKernels limits the kernels of a rule, and the seed chooses them", async () => {
  const compiled = async (seed: number): Promise<ReadonlySet<string>> => {
    const fingerprints = new Set<string>();
    const backend = (): Backend => {
      const one = reference();
      const compile = (variant: Variant): Kernel => {
        fingerprints.add(variant.perElement.fingerprint);
        return reference().compile(variant);
      };
      return Object.assign(one, { compile });
    };
    const { checks, context } = suiteOf({ backend, rules: [sgd], cases: 1, maxKernels: 2, seed });
    await checks.find(({ group }) => group === "bounds")!.run(context);
    return fingerprints;
  };
  const seeds = await Promise.all(Array.from({ length: 8 }, (_, seed) => compiled(seed)));
  for (const fingerprints of seeds) expect(fingerprints.size).toBe(2);
  expect(new Set(seeds.flatMap((fingerprints) => [...fingerprints])).size).toBeGreaterThan(2);
});
