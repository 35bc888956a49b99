import { describe, expect, test } from "vitest";
import { emptyStats } from "../src/checker/check-stats.js";
import { painter } from "../src/cli/terminal.js";
import type { CheckedBackend, Diagnosis, MutantDiagnosis } from "../src/doctor/diagnosis.js";
import { Report } from "../src/doctor/report.js";

describe("the report of doctor", () => {
  test("every section fits into 40 columns, with all errors of all backends", () => {
    const names = ["cpu-js", "cpu-js-exact", "wasm", "wasm-threads", "webgpu"];
    const stats = (worst: number) => ({ ...emptyStats(), worstErrorOverBound: worst });
    const backends = names.map((name, i): CheckedBackend => ({
      name,
      status: "wrong",
      isEmulated: true,
      errorModel: "round to nearest",
      ...stats(1),
      cases: 12_345,
      unfinished: 0,
      checks: ["adabelief", "schedulefree"].map((rule, k) => ({
        group: "bounds",
        name: rule,
        status: "failed",
        reason: "got 1, expected between 2 and 3 in step 1, row 3 of the second tensor",
        stats: stats(0.101 + i / 10 + k / 100),
      })),
    }));
    const report = new Report(painter({}), 40);
    const machine = {
      cpu: "Intel(R) Xeon(R) Platinum 8581C CPU @ 2.10GHz",
      processors: 2,
      memoryGiB: 16,
      platform: "linux x64",
      release: "6",
      runtime: "Node 20.20.2",
    };
    const text = [
      report.machine("1.2.3", machine),
      report.backends([
        { name: "cpu-js" },
        { name: "wasm-threads", detail: "2 threads of this machine" },
        { name: "webgpu", missing: "the package is not installed", remedy: "npm install webgpu" },
      ]),
      report.checks(backends),
      report.mutants({
        total: 2,
        killed: 1,
        falseAlarms: ["a check whose name is long, and then longer"],
        mutants: [{ name: "outputs stored before the others are computed", killedBy: null }],
      } as unknown as MutantDiagnosis),
      report.speed({
        parameters: 1_000_000,
        rounds: 15,
        loopNs: 2e6,
        backends: [{ name: "wasm-threads", stepNs: 1e6, timesAsFast: [11.5, 12.5, 13.5] }],
      }),
      report.unmeasured("There is no memory for a million parameters."),
      report.verdict({ backends, seconds: 12, interrupted: true } as unknown as Diagnosis),
    ].join("");
    expect(text.split("\n").filter((line) => line.length > 40)).toEqual([]);
    for (const i of names.keys())
      for (const k of [0, 1]) expect(text).toContain((0.101 + i / 10 + k / 100).toFixed(3));
    expect(text.match(/^ {2}rule .*/gm)!.map((line) => line.trim().split(/ +/))).toEqual([
      ["rule", "cpu-js", "cpu-js-exact"],
      ["rule", "wasm", "wasm-threads"],
      ["rule", "webgpu"],
    ]);
    // On a wide terminal, one table.
    expect(new Report(painter({}), 80).checks(backends).match(/^ {2}rule /gm)).toHaveLength(1);
    expect(new Report(painter({}), Infinity).checks(backends).match(/^ {2}rule /gm)).toHaveLength(
      1,
    );
  });

  test("durations have three digits and their unit", () => {
    const report = new Report(painter({}), 80);
    const durations = [412, 999_400, 1_500_000, 2_120_000_000].map(
      (loopNs) =>
        /^  loop +(.*?) +1×/m.exec(
          report.speed({ parameters: 1, rounds: 1, loopNs, backends: [] }),
        )?.[1],
    );
    expect(durations).toEqual(["0.412 µs", "999 µs", "1.50 ms", "2.12 s"]);
  });
});
