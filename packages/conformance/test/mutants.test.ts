import { readFileSync } from "node:fs";
import { GradstepError } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { expect, test } from "vitest";
import { isExhaustive, isFull, seed } from "../../../testing/cases.js";
import { slowTest } from "../../../testing/slow-test.js";
import { mutants } from "../src/mutants/all-mutants.js";
import { runMutants } from "../src/mutants/run-mutants.js";
import { mutateRule } from "../src/mutants/rules/mutate-rule.js";
import { sampleOf } from "../src/mutants/sample.js";
import { bfloat16, half, keepBits } from "../src/mutants/backends/narrow-rounding.js";

const sampleSize = isFull ? Math.ceil(mutants.length / 5) : 2;
const sampled = isExhaustive ? "all" : `a sample of ${sampleSize}, GRADSTEP_SEED=${seed}`;

test(`the suite notices every mutant and nothing else (${sampled})`, async () => {
  const report = await runMutants({
    // Some mutants differ in few of the random cases.
    cases: isFull ? 64 : 1,
    ...(isExhaustive ? {} : { sample: { count: sampleSize, seed } }),
  });
  const names = report.mutants.map(({ name }) => name);
  console.info(`Mutants, ${sampled}:\n${names.join("; ")}`);
  expect(report).toMatchObject({ falseAlarms: [], survivors: [] });
  expect(report.killed).toBe(isExhaustive ? mutants.length : sampleSize);
}, 3_600_000);

slowTest(
  "names and groups choose what runs; a signal stops it after the mutants that ended",
  async () => {
    const names = ["the last element is left out", "state in bfloat16", "adam: ascends"];
    const all = await runMutants({ names, groups: ["bounds"], cases: 1 });
    expect(all.mutants.map(({ name }) => name).sort()).toEqual([...names].sort());
    expect(all).toMatchObject({ total: 3, killed: 3, falseAlarms: [] });
    for (const { killedBy } of all.mutants) expect(killedBy?.check).toMatch(/^bounds: /);
    const controller = new AbortController();
    const { total } = await runMutants({
      names,
      groups: ["bounds"],
      cases: 1,
      signal: controller.signal,
      onResult: () => controller.abort(),
    });
    expect(total).toBe(1);
    await expect(runMutants({ names: ["no bug"] })).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
  },
);

test("a sample depends on its seed alone", () => {
  const first = sampleOf(mutants, { count: 20, seed: 1 });
  expect(first.length).toBe(20);
  expect(sampleOf(mutants, { count: 20, seed: 1 })).toEqual(first);
  expect(sampleOf(mutants, { count: 20, seed: 2 })).not.toEqual(first);
  // Within a year, every mutant has its day.
  const days = Array.from({ length: 300 }, (_, seed) => sampleOf(mutants, { count: 20, seed }));
  expect(new Set(days.flat()).size).toBe(mutants.length);
});

test("mutants have names of their own", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

test.each(["../../../README.md", "../README.md"])("%s says how many there are", (file) => {
  const text = readFileSync(new URL(file, import.meta.url), "utf8");
  expect(/(?:plants|judged by) (\d+) (?:injected )?bugs/.exec(text)?.[1]).toBe(
    String(mutants.length),
  );
});

slowTest("every mutant can be made", () => {
  for (const mutant of mutants) expect(mutant.target().create).toBeTypeOf("function");
});

test("an edit that applies to nothing is refused", () => {
  const [rule] = rules;
  expect(() => mutateRule(rule, { element: [["no such text", ""]] })).toThrow(GradstepError);
});

test("narrow formats round as they should", () => {
  expect(bfloat16(1 + 2 ** -8)).toBe(1 + 2 ** -7);
  expect(bfloat16(1 + 2 ** -9)).toBe(1);
  expect(keepBits(1 + 2 ** -23, 22)).toBe(1 + 2 ** -22);
  expect(half(1e-9)).toBe(0);
  expect(half(70_000)).toBe(Infinity);
  expect(half(0.1)).toBe(0.0999755859375);
});
