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
import type { Diagnosis } from "../src/doctor/diagnosis.js";
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
