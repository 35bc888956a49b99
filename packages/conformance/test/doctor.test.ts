import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Backend } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { roundToNearest } from "../src/bounds/error-model.js";
import type { Candidate, MissingBackend } from "../src/doctor/candidate.js";
import { emptyStats } from "../src/checker/check-stats.js";
import type { CheckedBackend, Diagnosis, MutantDiagnosis } from "../src/doctor/diagnosis.js";
import { painter } from "../src/cli/terminal.js";
import { Report } from "../src/doctor/report.js";
import { runDoctor } from "../src/doctor/run-doctor.js";

const directory = mkdtempSync(join(tmpdir(), "gradstep-doctor-"));

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function candidate(name: string, forCheck: () => Backend): Candidate {
  return {
    name,
    model: roundToNearest,
    wrapsArrays: true,
    open: async () => ({ forCheck, forSpeed: reference, dispose: () => {} }),
  };
}

function missing(name: string, why: MissingBackend): Candidate {
  return { name, model: roundToNearest, wrapsArrays: true, open: async () => why };
}

const sound = candidate("sound", reference);

/** Makes steps of twice the learning rate. */
const broken = candidate("broken", () => {
  const backend = reference();
  const compile = backend.compile.bind(backend);
  return Object.assign(backend, {
    compile: (variant: Parameters<typeof compile>[0]) => {
      const kernel = compile(variant);
      const run: typeof kernel.run = (updates, count) => {
        kernel.run(updates, count);
        kernel.run(updates, count);
      };
      return { ...kernel, run };
    },
  });
});

interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
  readonly document: Diagnosis;
}

async function run(candidates: readonly Candidate[], ...args: string[]): Promise<Outcome> {
  const output = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const errors = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const file = join(directory, "document.json");
  const status = await runDoctor(
    ["--no-speed", "--cases", "1", "--json", file, ...args],
    candidates,
    "1.2.3",
  );
  const text = (spy: { mock: { calls: unknown[][] } }): string =>
    spy.mock.calls.map(([chunk]) => String(chunk)).join("");
  return {
    status,
    output: text(output),
    errors: text(errors),
    document: status === 2 ? undefined! : (JSON.parse(readFileSync(file, "utf8")) as Diagnosis),
  };
}

describe("doctor", () => {
  slowTest(
    "a sound backend: the worst error of every rule, and no bug goes unnoticed",
    async () => {
      const { status, output, document } = await run([sound]);
      expect(status).toBe(0);
      const [backend] = document.backends;
      if (backend.status !== "right") throw new Error(`It is ${backend.status}.`);
      expect(backend.checks.map(({ name }) => name)).toEqual(rules.map(({ name }) => name));
      for (const { name, stats } of backend.checks) {
        expect(stats.worstErrorOverBound).toBeGreaterThan(0);
        expect(stats.worstErrorOverBound).toBeLessThanOrEqual(1);
        expect(output).toMatch(
          new RegExp(`^  ${name} +${stats.worstErrorOverBound.toFixed(3)}$`, "m"),
        );
      }
      // The reference has its own bits.
      expect(backend.differingBits).toBe(0);
      expect(document.mutants).toMatchObject({ total: 16, killed: 16, falseAlarms: [] });
      expect(document).toMatchObject({ version: "1.2.3", interrupted: false });
      expect(document.speed).toBeUndefined();
      expect(output).toContain("Right: sound.");
    },
  );

  slowTest("a broken backend is wrong: exit status 1, and which rule, where and what", async () => {
    const { status, output, document } = await run([sound, broken]);
    expect(status).toBe(1);
    expect(document.backends.map((backend) => [backend.name, backend.status])).toEqual([
      ["sound", "right"],
      ["broken", "wrong"],
    ]);
    expect(output).toContain("Wrong: broken. Right: sound.");
    expect(output).toMatch(/^  broken, bounds: adam$/m);
    expect(output).toMatch(/expected .* between/);
  });

  slowTest(
    "a missing backend: why, and how to get it; an error only if it was asked for",
    async () => {
      const absent = missing("absent", { missing: "there is no such chip", remedy: "Buy one." });
      const all = await run([sound, absent]);
      expect(all.status).toBe(0);
      expect(all.output).toMatch(/^  absent  missing  there is no such chip\.\n +Buy one\.$/m);
      expect(all.document.backends.at(-1)).toEqual({
        name: "absent",
        status: "missing",
        reason: "there is no such chip",
        remedy: "Buy one.",
      });
      vi.restoreAllMocks();
      const asked = await run([sound, absent], "--backend", "absent");
      expect(asked.status).toBe(1);
      expect(asked.document.backends.map(({ name }) => name)).toEqual(["absent"]);
    },
  );

  slowTest(
    "a backend that cannot be opened is missing, and the others are still checked",
    async () => {
      const failing: Candidate = {
        ...sound,
        name: "failing",
        open: async () => {
          throw new Error("The driver says no.");
        },
      };
      const { status, output, document } = await run([failing, sound]);
      expect(status).toBe(0);
      expect(output).toMatch(/^  failing  missing  it could not be opened: The driver says no\.$/m);
      expect(document.backends.map((backend) => [backend.name, backend.status])).toEqual([
        ["sound", "right"],
        ["failing", "missing"],
      ]);
    },
  );

  slowTest(
    "a speed that cannot be measured does not keep the document from being written",
    async () => {
      const slow: Candidate = {
        ...sound,
        open: async () => ({
          forCheck: reference,
          forSpeed: () => {
            throw new Error("There is no memory.");
          },
          dispose: () => {},
        }),
      };
      const output = vi.spyOn(process.stdout, "write").mockReturnValue(true);
      const file = join(directory, "unmeasured.json");
      expect(await runDoctor(["--cases", "1", "--json", file], [slow], "1.2.3")).toBe(0);
      const text = output.mock.calls.map(([chunk]) => String(chunk)).join("");
      expect(text).toContain("  It could not be measured: There is no memory.");
      const document = JSON.parse(readFileSync(file, "utf8")) as Diagnosis;
      expect(document.backends[0].status).toBe("right");
      expect(document).not.toHaveProperty("speed");
    },
  );

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

  slowTest("Ctrl-C stops it, and prints the results so far", async () => {
    let made = 0;
    const interrupted = candidate("interrupted", () => {
      made += 1;
      if (made === 5) process.emit("SIGINT");
      return reference();
    });
    const { status, output, document } = await run([sound, interrupted]);
    expect(status).toBe(130);
    expect(document.interrupted).toBe(true);
    expect(document.backends.map(({ status: one }) => one)).toEqual(["right", "unfinished"]);
    expect(document.mutants).toBeUndefined();
    expect(output).toContain("Right: sound. Stopped by Ctrl-C.");
  });

  slowTest("text without a terminal has no colours and at most 80 columns", async () => {
    const { output } = await run([sound, broken]);
    expect(output).not.toContain("\u001B");
    const reasons = /expected|seed|^ {4}/;
    const long = output.split("\n").filter((line) => !reasons.test(line) && line.length > 80);
    expect(long).toEqual([]);
  });

  test.each([
    [["--backend", "gpu"], "Got --backend gpu; expected one of sound."],
    [["--cases", "0"], 'Got --cases "0"; expected an integer of at least 1.'],
    [["--cases"], "Got --cases without a value; expected --cases <value>."],
    [["--cases", "-1"], 'Got --cases "-1"; expected an integer of at least 1.'],
    [["--full=yes"], "Got --full with a value; expected --full alone."],
    [["--colour"], 'Got option "--colour"; expected --backend,'],
    [["--json", join(directory, "none", "x.json")], "expected a file in a folder that exists."],
  ])("%j is one line and exit status 2", async (args, message) => {
    const { status, output, errors } = await run([sound], ...args);
    expect([status, output]).toEqual([2, ""]);
    expect(errors).toContain(message);
    expect(errors).toMatch(/^[^\n]+\n$/);
  });

  test("--help has every option", async () => {
    const output = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    expect(await runDoctor(["--help"], [sound], "1.2.3")).toBe(0);
    const [[help]] = output.mock.calls as [[string]];
    for (const option of ["backend", "cases", "full", "no-speed", "seed", "json", "help"])
      expect(help).toContain(`--${option}`);
  });
});
