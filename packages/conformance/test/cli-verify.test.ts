import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { little, run, runHere, temporaryDirectory } from "./cli-runs.js";

const directory = temporaryDirectory();
const bounds = [...little, "--group", "bounds"];

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
    expect(output).toMatch(/^passed +tensors +7\/7$/m);
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
    expect(output).toMatch(/^skipped +rows +0\/10 +skipped: random remaps/m);
    expect(output).toMatch(/^passed +errors .* skipped: [^;]+(; [^;]+)+$/m);
    expect(output).toMatch(/^\d+ skipped: the backend has no remap\(\)/m);
    expect(output).toMatch(/^1 skipped: the backend is declared with wrapsArrays: false$/m);
  });
});
