import { nadam, sgd, type Backend, type Kernel, type Variant } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { wgsl } from "../src/bounds/error-model.js";
import { conformance } from "../src/suite/conformance.js";
import { suiteOf } from "../src/suite/options.js";
import { runCheck, verify } from "../src/suite/verify.js";
import { little, named } from "./suite-results.js";

/** A backend without `remap`, as a first version of a backend is. */
function withoutRows(): Backend {
  return Object.assign(reference() as Backend, { remap: undefined as never });
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
        "sparse gradients",
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
