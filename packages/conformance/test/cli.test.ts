import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { run, runHere, temporaryDirectory } from "./cli-runs.js";

const directory = temporaryDirectory();

slowTest("mutants: a sample, chosen by the seed, is killed", async () => {
  const args = ["mutants", "--cases", "1", "--sample", "1", "--seed", "1", "--json"];
  const { status, output } = await runHere(args);
  const report = JSON.parse(output) as Record<string, unknown>;
  expect(report).toMatchObject({ survivors: [], falseAlarms: [], killed: 1, total: 1 });
  expect(status).toBe(0);
});

test("a file that Node cannot run is wrong usage, and the message says how to run TypeScript", async () => {
  // Newer versions of Node run .ts, and none .tsx.
  writeFileSync(join(directory, "rule.tsx"), "export {};");
  const { status, errors } = await run(["verify", "reference", "--rule", "./rule.tsx"], directory);
  expect(status).toBe(2);
  expect(errors).toMatch(/^Got rule "\.\/rule\.tsx"; expected JavaScript[^\n]+--import tsx"\.\n$/);
});

describe("wrong usage is one line and exit status 2", () => {
  writeFileSync(join(directory, "malformed.json"), '{ "library": "keras" }');
  writeFileSync(join(directory, "empty.mjs"), "export {};");
  writeFileSync(join(directory, "nothing.mjs"), "export default () => null;");

  test.each([
    [[]],
    [["bench"]],
    [["golden"]],
    [["golden", "no-such-file.json"]],
    [["golden", "malformed.json"]],
    [["golden", "malformed.json", "--json"]],
    [["golden", "malformed.json", "--cases", "3"]],
    [["verify"]],
    [["verify", "reference", "cpu-js"]],
    [["verify", "no-such-backend"]],
    [["verify", "./no-such-file.mjs"]],
    [["verify", "./empty.mjs"]],
    [["verify", "./nothing.mjs"]],
    [["verify", "."]],
    [["verify", "oracle"]],
    [["verify", "reference", "--cases", "0"]],
    [["verify", "reference", "--kernels", "0"]],
    [["verify", "reference", "--group", "bound"]],
    [["golden", "malformed.json", "--group", "bounds"]],
    [["mutants", "--kernels", "3"]],
    [["verify", "reference", "--cases", "many"]],
    [["verify", "reference", "--seed", "-1"]],
    [["verify", "reference", "--cases"]],
    [["verify", "reference", "--model", "ieee"]],
    [["verify", "reference", "--colour"]],
    [["verify", "reference", "--rule", "./no-such-file.mjs"]],
    [["verify", "reference", "--rule", "./empty.mjs"]],
    [["verify", "reference", "--sample", "3"]],
    [["mutants", "--rule", "./empty.mjs"]],
    [["mutants", "--sample", "0"]],
    [["verify", "reference", "--rounds", "0"]],
    [["mutants", "--rounds", "3"]],
    [["golden", "malformed.json", "--model", "wgsl"]],
    [["mutants", "reference"]],
  ])("%j", async (args) => {
    const { status, output, errors } = await runHere(args, directory);
    expect([status, output]).toEqual([2, ""]);
    expect(errors).toMatch(/^[^\n]+\n$/);
  });

  test.each([
    [["verify", "reference", "--rule"], "Got --rule without a value; expected --rule <value>."],
    [
      ["verify", "reference", "--seed", "-1"],
      'Got --seed "-1"; expected an integer of at least 0.',
    ],
    [
      ["verify", "reference", "--cases", "-1.5"],
      'Got --cases "-1.5"; expected an integer of at least 1.',
    ],
    [
      ["verify", "reference", "--cases", "--seed"],
      "Got --cases without a value; expected --cases <value>.",
    ],
    [
      ["golden", "-x"],
      'Got option "-x"; expected --backend, --rule, --group, --sample, --cases, --kernels, --seed, --rounds, --model, --json or --help.',
    ],
    [
      ["golden", "malformed.json", "--model", "wgsl"],
      "golden got --model without --backend; expected both, or neither.",
    ],
    [["verify", "reference", "--json=x"], "Got --json with a value; expected --json alone."],
  ])("%j: the message is about that option", async (args, message) => {
    expect(await runHere(args, directory)).toEqual({
      status: 2,
      output: "",
      errors: `${message}\n`,
    });
  });

  slowTest("in a process of its own", async () => {
    const { status, output, errors } = await run(["verify", "no-such-backend"], directory);
    expect([status, output]).toEqual([2, ""]);
    expect(errors).toMatch(/^[^\n]+\n$/);
  });
});

slowTest("--help explains every command", async () => {
  const { status, output } = await run(["--help"]);
  expect(status).toBe(0);
  for (const line of output.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  for (const word of [
    "verify",
    "golden",
    "mutants",
    "--json",
    "--cases",
    "--rule",
    "--group",
    "--kernels",
    "--rounds",
  ])
    expect(output).toContain(word);
});
