import { expect, test } from "vitest";
import {
  helpText,
  optionNames,
  OptionsError,
  parseOptions,
  workloadNames,
} from "../src/options.mjs";
import { workloads } from "../src/workloads/index.js";

test("there are defaults", () => {
  expect(parseOptions([])).toEqual({
    backend: "cpu",
    quick: false,
    json: undefined,
    workloads: [],
    native: undefined,
    help: false,
  });
});

test("workloads are given one by one or together", () => {
  expect(parseOptions(["--workload", "adam-1e3", "--workload=model"]).workloads).toEqual([
    "adam-1e3",
    "model",
  ]);
  expect(parseOptions(["--quick", "--workload=model,adam-1e3"])).toMatchObject({
    quick: true,
    workloads: ["model", "adam-1e3"],
  });
});

test.each([
  [["fast"], 'Got "fast" with no option before it'],
  [["--fast"], "unknown option --fast; expected one of --backend --quick"],
  [["-q"], "unknown option -q"],
  [["--quick=yes"], "takes no value"],
  [["--json"], "--json FILE"],
  [["--workload", "huge"], "expected one of scalars, adam-1e3"],
  [["--json", "no/such/folder/rows.json"], "a folder that exists"],
  [["--json", "."], "expected a file"],
  [["--native", "no-such-program"], "a program that can be run"],
  [["--backend", "webgl"], "expected one of cpu, webgpu"],
  [["--backend", "webgpu", "--native", "node"], "expected one of them"],
])("%j is rejected in one line", (args, message) => {
  expect(() => parseOptions(args)).toThrow(OptionsError);
  expect(() => parseOptions(args)).toThrow(message);
  expect(() => parseOptions(args)).not.toThrow("\n");
});

test.each([60, 80, 100])("the help names every option and fits %i columns", (columns) => {
  const text = helpText(columns);
  for (const option of optionNames) expect(text).toContain(`--${option}`);
  expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(columns);
  expect(parseOptions(["-h"]).help).toBe(true);
});

test("every workload can be chosen by name", () => {
  expect(workloads.map(({ name }) => name)).toEqual(workloadNames);
});
