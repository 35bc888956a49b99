import { expect, test } from "vitest";
import { helpText, OptionsError, parseOptions } from "../src/options.js";

const known = ["small", "large"];

test("without options, everything", () => {
  expect(parseOptions([], known)).toEqual({
    backend: "cpu",
    quick: false,
    json: undefined,
    workloads: [],
    native: undefined,
    help: false,
  });
});

test("workloads come one by one or together", () => {
  expect(parseOptions(["--workload", "small", "--workload=large"], known).workloads).toEqual(known);
  expect(parseOptions(["--quick", "--workload=large,small"], known)).toMatchObject({
    quick: true,
    workloads: ["large", "small"],
  });
});

test.each([
  [["fast"], 'Got "fast"'],
  [["--fast"], "unknown option --fast; expected one of --backend --quick"],
  [["-q"], "unknown option -q"],
  [["--quick=yes"], "takes no value"],
  [["--json"], "--json FILE"],
  [["--workload", "huge"], "expected one of small, large"],
  [["--json", "no/such/folder/rows.json"], "a folder that exists"],
  [["--json", "."], "expected a file"],
  [["--native", "no-such-program"], "a program that can be run"],
  [["--backend", "webgl"], "expected one of cpu, webgpu"],
  [["--backend", "webgpu", "--native", "node"], "expected one of them"],
])("%j is refused in one line", (args, message) => {
  expect(() => parseOptions(args, known)).toThrow(OptionsError);
  expect(() => parseOptions(args, known)).toThrow(message);
  expect(() => parseOptions(args, known)).not.toThrow("\n");
});

test("the help names every option and fits 100 columns", () => {
  const text = helpText(known);
  for (const option of ["quick", "json", "workload", "native", "help"]) {
    expect(text).toContain(`--${option}`);
  }
  expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
});
