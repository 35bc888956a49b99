import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { runHere } from "./run-here.js";
import type { TrainingDocument } from "../src/document.js";

/** Built by `pnpm build`, which the test task depends on. */
const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: string[]): Promise<Result> {
  return node(program, ...args);
}

async function node(...args: string[]): Promise<Result> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, args)) };
  } catch (error) {
    return error as Result;
  }
}

describe("the program", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "train-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  slowTest(
    "prints one JSON document, writes the report, and shows progress on standard error",
    async () => {
      const file = join(folder, "report.html");
      const { code, stdout, stderr } = await run("--json", "--epochs", "1", "--report", file);
      expect(code).toBe(0);
      const document = JSON.parse(stdout) as TrainingDocument;
      expect(document.validationAccuracy).toBeGreaterThan(0.85);
      expect(document.history).toHaveLength(1);
      expect(document.history[0].validationAccuracy).toBeCloseTo(document.validationAccuracy, 6);
      expect(document.configuration).toMatchObject({
        optimizer: "adam",
        backend: "wasm",
        epochs: 1,
        seed: 1,
      });
      expect(document.timing.steps).toBe(125);
      expect(document.timing.optimizerFraction).toBeGreaterThan(0);
      expect(document.timing.optimizerFraction).toBeLessThan(1);
      expect(document.timing.optimizerMillisecondsPerBatch).toBeGreaterThan(0);
      expect([document.diverged, document.failure]).toEqual([false, null]);
      expect(document.interrupted).toBe(false);
      expect(stderr).toMatch(/\n {6}1\/1 +0\./);
      expect(stderr).not.toContain("tfjs-node");
      expect(readFileSync(file, "utf8")).toMatch(/^<!doctype html>/);
    },
  );

  slowTest("shows chart, digits and figures in 80 columns without colors on a pipe", async () => {
    const { code, stdout, stderr } = await runHere("--epochs", "1", "--batch-size", "200");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Training a digit classifier · gradstep Adam · WebAssembly\n");
    expect(stdout).toContain("Loss, on a logarithmic scale");
    expect(stdout).toContain("✓ 0 / 0");
    expect(stdout).toMatch(/[\d.]+ % accuracy on 2,000 held-out digits/);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain("\u001b");
  });

  test.each([
    [["--epochs", "many"], "Got --epochs many; expected a whole number from 1 to 1000.\n"],
    [["--report", "/dev/null/no"], /^Got --report \/dev\/null\/no, which cannot be written.*\n$/],
  ])("rejects %j in one line, with status 2", async (args, message) => {
    const { code, stdout, stderr } = await runHere(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
  });

  slowTest("says in one line why a training ended, with status 1", async () => {
    const args = ["--optimizer", "sgd", "--schedule", "1e30", "--non-finite", "throw"];
    const { code, stderr } = await runHere(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^Gradient "[^"]+" has NaN at \d+; expected finite values\. .* Here: --non-finite skip, or a lower --learning-rate\.\n$/,
    );
  });

  slowTest(
    "has the schedule, the rates and the losses of all batches in the document",
    async () => {
      const { stdout } = await runHere(
        ..."--json --epochs 1 --batch-size 400 --accumulate 2 --clip 1".split(" "),
        "--schedule",
        "linear(0.01, 0, steps)",
      );
      const { configuration, batchLosses, learningRates, timing } = JSON.parse(
        stdout,
      ) as TrainingDocument;
      expect(configuration).toMatchObject({
        schedule: "linear(0.01, 0, steps)",
        accumulate: 2,
        clip: 1,
        nonFinite: "propagate",
        lossScale: null,
        ema: null,
      });
      expect(batchLosses).toHaveLength(20);
      expect(timing).toMatchObject({ batches: 20, steps: 10, skippedSteps: 0 });
      learningRates.forEach((rate, batch) =>
        expect(rate).toBeCloseTo(0.01 * (1 - Math.floor(batch / 2) / 10), 12),
      );
    },
  );

  test("prints the list of rules, and as JSON", async () => {
    const { code, stdout } = await runHere("--optimizer", "list", "--json");
    expect(code).toBe(0);
    const { rules } = JSON.parse(stdout) as { rules: { name: string }[] };
    expect(rules.map(({ name }) => name)).toContain("adamw");
    expect((await runHere("--optimizer", "list")).stdout).toContain(
      "AdamW: Loshchilov & Hutter 2019.",
    );
  });

  slowTest("rejects --backend webgpu without a GPU or a software driver", async () => {
    const unsupported = 'data:text/javascript,Object.defineProperty(process,"arch",{value:"none"})';
    const result = await node("--import", unsupported, program, "--backend", "webgpu");
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/^Got --backend webgpu, which does not start: WebGPU in .*\n$/);
  });

  test.each(["--help", "-h"])("prints its help for %s", async (option) => {
    const { code, stdout } = await (option === "-h" ? runHere : run)(option);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: npm start -- [options]");
  });

  slowTest("finishes when its output is closed (`| head`)", async () => {
    const file = join(folder, "unread.html");
    const child = spawn(process.execPath, [
      program,
      "--epochs",
      "1",
      "--batch-size",
      "2000",
      "--report",
      file,
    ]);
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((done) => child.on("close", done));
    expect([code, stderr]).toEqual([0, ""]);
    expect(existsSync(file)).toBe(true);
  });
});
