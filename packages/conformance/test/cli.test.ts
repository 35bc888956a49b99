import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Backend } from "@gradstep/core";
import { oracle, reference } from "@gradstep/core/reference";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { runCommand } from "../src/cli/run-command.js";
import { parseGolden } from "../src/golden/golden-file.js";
import { replay } from "../src/golden/replay.js";

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "gradstep-conformance-"));

afterEach(() => {
  vi.unstubAllEnvs();
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/** As typed in `from`, while the process itself runs elsewhere, as under pnpm. */
function run(args: readonly string[], from = fixtures): Promise<Outcome> {
  return new Promise((done) => {
    const environment = {
      ...process.env,
      INIT_CWD: from,
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
    };
    execFile(
      process.execPath,
      [cli, ...args],
      { cwd: tmpdir(), env: environment },
      (error, output, errors) => {
        done({ status: error === null ? 0 : Number(error.code), output, errors });
      },
    );
  });
}

/** For tests of the command, not of the suite. */
const little = ["--cases", "1", "--kernels", "2"];
const bounds = [...little, "--group", "bounds"];

/** The same in this process, which starts faster and is warm: for what does not depend on the process. */
async function runHere(args: readonly string[], from = fixtures): Promise<Outcome> {
  vi.stubEnv("INIT_CWD", from);
  vi.stubEnv("FORCE_COLOR", undefined);
  const output = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const errors = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const textOf = (spy: typeof output): string =>
    spy.mock.calls.map(([text]) => String(text)).join("");
  try {
    const status = await runCommand(args);
    return { status, output: textOf(output), errors: textOf(errors) };
  } finally {
    vi.restoreAllMocks();
  }
}

beforeAll(() => {
  if (!existsSync(cli)) throw new Error("Build first: the tests run dist/cli.js.");
});

/** The results of a fixture, which golden.test.ts checks. */
async function countsOf(
  file: string,
  backend: () => Backend = oracle,
): Promise<Record<string, number>> {
  const golden = parseGolden(readFileSync(join(fixtures, file), "utf8"), file);
  const results = await replay(golden, { backend });
  const count = (status: string): number => results.filter((one) => one.status === status).length;
  return {
    passed: count("passed"),
    failed: count("failed"),
    unsupported: count("unsupported"),
  };
}

describe("golden", () => {
  slowTest("--json is one document", async () => {
    const { status, output, errors } = await run(["golden", "torch.json", "optax.json", "--json"]);
    expect([status, errors]).toEqual([0, ""]);
    const { files } = JSON.parse(output) as { files: Record<string, unknown>[] };
    expect(
      files.map(({ file, backend, passed, failed, unsupported }) => ({
        file,
        backend,
        passed,
        failed,
        unsupported,
      })),
    ).toEqual([
      { file: "torch.json", backend: "oracle", ...(await countsOf("torch.json")) },
      { file: "optax.json", backend: "oracle", ...(await countsOf("optax.json")) },
    ]);
    const [first] = files[0].cases as Record<string, unknown>[];
    expect(first).toMatchObject({ id: "adam", status: "passed" });
    expect(first.worstRelativeError).toBeLessThan(1e-12);
  });

  slowTest("a table for people, without colours where there is no terminal", async () => {
    const { status, output } = await runHere(["golden", "keras.json", "--backend", "reference"]);
    expect(status).toBe(0);
    const { passed, failed, unsupported } = await countsOf("keras.json", reference);
    expect(output).toContain(`${passed} passed, ${failed} failed, ${unsupported} unsupported`);
    expect(output).not.toContain("\u001B");
  });

  test("numbers that differ are a failure", async () => {
    const file = join(directory, "wrong.json");
    writeFileSync(
      file,
      JSON.stringify({
        library: "torch",
        parameters: { a: { shape: [1], values: [1] } },
        gradients: [{ a: [1] }],
        cases: [{ id: "x", optimizer: "SGD", config: { lr: 0.1 }, expected: [{ a: [0.8] }] }],
      }),
    );
    const { status, output } = await runHere(["golden", "wrong.json", "--json"], directory);
    expect(status).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      files: [{ failed: 1, cases: [{ status: "failed" }] }],
    });
  });
});

describe("verify", () => {
  const coreReference = fileURLToPath(import.meta.resolve("@gradstep/core/reference"));
  const core = fileURLToPath(import.meta.resolve("@gradstep/core"));
  writeFileSync(
    join(directory, "signum.mjs"),
    `import { defineRule, nonNegative } from ${JSON.stringify(core)};
     export const unrelated = 1;
     export const signum = defineRule({
       name: "signum",
       hyperparameters: { learningRate: nonNegative(0.01) },
       slots: { m: 0 },
       perElement: "m = m * 0.5 + g; p = p - sign(m) * learningRate",
     });
     export default signum;`,
  );

  slowTest("--json is one document", async () => {
    const { status, output } = await runHere([
      "verify",
      "reference",
      ...bounds,
      "--group",
      "groups",
      "--seed",
      "2",
      "--rule",
      join(directory, "signum.mjs"),
      "--json",
    ]);
    expect(status).toBe(0);
    const report = JSON.parse(output) as Record<string, number>;
    expect(report).toMatchObject({ backend: "reference", failed: 0, skipped: 0, differingBits: 0 });
    expect(report.worstErrorOverBound).toBeLessThanOrEqual(1);
    expect(report.passed).toBe(2);
  });

  test("--rule takes the rule of a chain, and ignores a stage alone", async () => {
    writeFileSync(
      join(directory, "halved.mjs"),
      `import { chain, defineStage, sgd } from ${JSON.stringify(core)};
       export const halve = defineStage({ name: "halve", perElement: "g = g * 0.5" });
       export const halved = chain(halve(), sgd());`,
    );
    const { status, output } = await runHere(
      ["verify", "reference", ...bounds, "--rule", "halved.mjs", "--json"],
      directory,
    );
    expect(status).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ rules: ["halve+sgd"], failed: 0 });
  });

  slowTest("a module with a broken backend fails", async () => {
    writeFileSync(
      join(directory, "broken.mjs"),
      `import { reference } from ${JSON.stringify(coreReference)};
       export const backend = () => Object.assign(reference(), { compile: () => ({ source: "", run() {} }) });`,
    );
    const { status, output } = await run(
      ["verify", "./broken.mjs", ...bounds, "--rule", "signum.mjs"],
      directory,
    );
    expect(status).toBe(1);
    expect(output).toMatch(/^0 passed, 1 failed, 0 skipped$/m);
  });

  slowTest("--rule checks the rules of a module", async () => {
    const args = ["verify", "reference", "--rule", "signum.mjs", ...bounds, "--json"];
    const { status, output, errors } = await runHere(args, directory);
    expect(errors).toBe("");
    expect(status).toBe(0);
    const report = JSON.parse(output) as { checks: Record<string, string>[] };
    expect(report).toMatchObject({ rules: ["signum"], failed: 0 });
    expect(report.checks).toEqual([
      expect.objectContaining({ group: "bounds", name: "signum", status: "passed" }),
    ]);
  });

  slowTest("Ctrl-C stops it, and prints the results so far", async () => {
    writeFileSync(
      join(directory, "interrupted.mjs"),
      `import { reference } from ${JSON.stringify(coreReference)};
       let made = 0;
       export default () => {
         made += 1;
         if (made === 30) process.kill(process.pid, "SIGINT");
         return reference();
       };`,
    );
    const args = ["verify", "./interrupted.mjs", "--rule", "signum.mjs"];
    const { status, output } = await run(args, directory);
    expect(status).toBe(130);
    expect(output).toMatch(/^passed +tensors +6\/6$/m);
    const [, passed] = /^(\d+) passed, 0 failed, 0 skipped$/m.exec(output)!;
    const [, unfinished, total] = /^Stopped by Ctrl-C: (\d+) of (\d+) checks did not end$/m.exec(
      output,
    )!;
    expect(Number(unfinished)).toBeGreaterThan(0);
    expect(Number(passed) + Number(unfinished)).toBe(Number(total));
  });

  const reportOf = async (
    args: readonly string[],
  ): Promise<{ readonly cases: number; readonly elements: number }> => {
    const { output } = await runHere(["verify", "reference", ...args, "--json"], directory);
    return JSON.parse(output) as { cases: number; elements: number };
  };

  test("--rounds runs the checks again, with the next seeds", async () => {
    const first = await reportOf([...bounds, "--rule", "signum.mjs", "--seed", "5"]);
    const second = await reportOf([...bounds, "--rule", "signum.mjs", "--seed", "6"]);
    const args = [...bounds, "--rule", "signum.mjs", "--seed", "5", "--rounds", "2"];
    expect(await reportOf(args)).toMatchObject({
      seed: 5,
      rounds: 2,
      cases: first.cases + second.cases,
      elements: first.elements + second.elements,
      checks: [{ name: "signum", stats: { elements: first.elements + second.elements } }],
    });
    // The seeds have different cases.
    expect(first.elements).not.toBe(second.elements);
  });

  slowTest(
    "--rounds ends after a round in which a check failed, or where Ctrl-C stops it",
    async () => {
      const failing = (round: string): string =>
        `import { reference } from ${JSON.stringify(coreReference)};
       let made = 0;
       export default () => {
         made += 1;
         ${round}
         return reference();
       };`;
      const args = ["--rule", "signum.mjs", ...bounds, "--rounds", "1000", "--json"];
      writeFileSync(
        join(directory, "fails-later.mjs"),
        failing("if (made === 40) return { ...reference(), tensor: undefined };"),
      );
      const failed = await run(["verify", "./fails-later.mjs", ...args], directory);
      expect(failed.status).toBe(1);
      const report = JSON.parse(failed.output) as { rounds: number; failed: number };
      expect(report.failed).toBe(1);
      expect(report.rounds).toBeGreaterThan(1);
      writeFileSync(
        join(directory, "stopped-later.mjs"),
        failing('if (made === 40) process.kill(process.pid, "SIGINT");'),
      );
      const stopped = await run(["verify", "./stopped-later.mjs", ...args], directory);
      expect(stopped.status).toBe(130);
      expect(JSON.parse(stopped.output)).toMatchObject({ passed: 1, failed: 0, unfinished: 1 });
    },
  );

  test("--kernels limits the kernels of a rule in random cases", async () => {
    const cases = async (...options: string[]): Promise<number> => {
      const { output } = await runHere(
        [
          "verify",
          "reference",
          "--cases",
          "1",
          "--group",
          "bounds",
          "--rule",
          "many.mjs",
          "--json",
          ...options,
        ],
        directory,
      );
      return (JSON.parse(output) as { cases: number }).cases;
    };
    writeFileSync(
      join(directory, "many.mjs"),
      `import { sgd } from ${JSON.stringify(core)};
       export const many = sgd.extend({ name: "many", hyperparameters: {} });`,
    );
    expect(await cases("--kernels", "2")).toBeLessThan(await cases("--kernels", "4"));
  });

  slowTest("a backend without rows shows skipped checks and why", async () => {
    writeFileSync(
      join(directory, "no-rows.mjs"),
      `import { reference } from ${JSON.stringify(coreReference)};
       export const wrapsArrays = false;
       export default () => Object.assign(reference(), { remap: undefined });`,
    );
    const groups = ["tensors", "errors", "rows", "groups"].flatMap((group) => ["--group", group]);
    const { status, output } = await runHere(
      ["verify", "./no-rows.mjs", ...little, ...groups, "--rule", "signum.mjs"],
      directory,
    );
    expect(status).toBe(0);
    expect(output).toMatch(
      /^\.\/no-rows\.mjs · error model roundToNearest, seed 1, rules signum$/m,
    );
    expect(output).toMatch(/^skipped +rows +0\/5 +skipped: random remaps/m);
    expect(output).toMatch(/^passed +errors .* skipped: [^;]+(; [^;]+)+$/m);
    expect(output).toMatch(/^\d+ skipped: the backend has no remap\(\)/m);
    expect(output).toMatch(/^1 skipped: the backend is declared with wrapsArrays: false$/m);
  });
});

slowTest("mutants: a sample, chosen by the seed, is killed", async () => {
  const args = ["mutants", "--cases", "1", "--sample", "1", "--seed", "1", "--json"];
  const { status, output } = await runHere(args);
  const report = JSON.parse(output) as Record<string, unknown>;
  expect(report).toMatchObject({ survivors: [], falseAlarms: [], killed: 1, total: 1 });
  expect(status).toBe(0);
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
