import { spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileStore } from "@gradstep/checkpoint/files";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runHere } from "./run-here.js";
import type { TrainingDocument } from "../src/document.js";

/** Built by `pnpm build`, which the test task depends on. */
const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

interface Result {
  readonly code: number | null;
  readonly document: TrainingDocument | undefined;
  readonly stderr: string;
}

/** The same in this process. */
async function runInProcess(args: readonly string[]): Promise<Result> {
  const { code, stdout, stderr } = await runHere("--json", ...args);
  return { code, stderr, document: documentOf(stdout) };
}

function documentOf(stdout: string): TrainingDocument | undefined {
  return stdout === "" ? undefined : (JSON.parse(stdout) as TrainingDocument);
}

/** @param stop asked again and again for a signal to send */
function run(args: readonly string[], stop?: () => NodeJS.Signals | undefined): Promise<Result> {
  const child = spawn(process.execPath, [program, "--json", ...args]);
  let stdout = "";
  let stderr = "";
  let isStopped = false;
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const poll = setInterval(() => {
    const signal = isStopped ? undefined : stop?.();
    if (signal === undefined) return;
    isStopped = true;
    // npm passes on a Ctrl-C that the terminal sent too: two signals, one press.
    child.kill(signal);
    child.kill(signal);
  }, 5);
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((done) => {
    child.on("close", (code) => {
      clearInterval(poll);
      done({ code, document: documentOf(stdout), stderr });
    });
  });
}

/** What does not depend on time. */
function results({ batchLosses, learningRates, history, validationLoss }: TrainingDocument) {
  const losses = history.map((epoch) => [epoch.loss, epoch.accuracy, epoch.validationLoss]);
  return { batchLosses, learningRates, losses, validationLoss };
}

const isWhole = (file: string): boolean => file.endsWith(".safetensors");

describe("--checkpoint", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "train-checkpoints-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const settings = "--epochs 2 --batch-size 200 --clip 1 --ema 0.9 --accumulate 3".split(" ");
  const goesOn = /Resumed after batch (\d+) of 40 in epoch [12]\/2, \d+ steps?\n/;

  test("a training that was killed, went on, was stopped by Ctrl-C and went on has the results of one that was not", async () => {
    const directory = join(folder, "stopped");
    const saving = [...settings, "--checkpoint", directory];
    const saved = (): string[] =>
      existsSync(directory) ? readdirSync(directory).filter(isWhole).sort() : [];
    const killed = await run([...saving, "--every", "4"], () =>
      saved().length > 1 ? "SIGKILL" : undefined,
    );
    expect(killed.document).toBe(undefined);

    const newest = saved().at(-1)!;
    const report = join(folder, "stopped.html");
    const stopped = await run([...saving, "--every", "4", "--resume", "--report", report], () =>
      saved().at(-1)! > newest ? "SIGINT" : undefined,
    );
    expect(stopped.stderr).toMatch(goesOn);
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain("--resume goes on from here.");
    const { batchLosses, history, interrupted } = stopped.document!;
    expect(interrupted).toBe(true);
    expect(history.length).toBeLessThan(2);
    expect(existsSync(report)).toBe(true);

    const resumed = await run([...saving, "--resume"]);
    const [, batch] = goesOn.exec(resumed.stderr)!;
    expect(Number(batch)).toBe(((batchLosses.length - 1) % 40) + 1);
    expect(resumed.document!.batchLosses.slice(0, batchLosses.length)).toStrictEqual(batchLosses);
    const { document } = await runInProcess(settings);
    expect(results(resumed.document!)).toStrictEqual(results(document!));
  });

  test("a finished training is not trained again; a damaged checkpoint is passed over", async () => {
    const directory = join(folder, "finished");
    const args = ["--epochs", "2", "--batch-size", "2000", "--checkpoint", directory];
    const { document } = await runInProcess(args);
    const again = await runInProcess([...args, "--resume"]);
    expect(results(again.document!)).toStrictEqual(results(document!));
    const files = readdirSync(directory).sort();
    expect(files.length).toBeGreaterThan(1);
    truncateSync(join(directory, files.at(-1)!), 100_000);
    const older = await runInProcess([...args, "--resume"]);
    expect(older.stderr).toMatch(/checkpoint-\w+-\w+ is damaged; an older checkpoint is used\./);
    expect(results(older.document!)).toStrictEqual(results(document!));
    for (const file of readdirSync(directory)) appendFileSync(join(directory, file), "x");
    const none = await runInProcess([...args, "--resume"]);
    expect(none).toMatchObject({ code: 1, document: undefined });
    expect(none.stderr).toContain("None of the checkpoints can be read");
  });

  test("a folder that cannot be written, or that another training uses, is an error before the first batch", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const args = ["--epochs", "1", "--batch-size", "2000", "--checkpoint"];
    const unwritable = await runInProcess([...args, join(file, "inside")]);
    expect(unwritable).toMatchObject({ code: 1, document: undefined });
    expect(unwritable.stderr).toContain("Choose a directory");
    expect(unwritable.stderr).not.toMatch(/epoch 1/i);

    const directory = join(folder, "shared");
    const lock = await fileStore(directory).lock!();
    const second = await runInProcess([...args, directory]);
    expect(second).toMatchObject({ code: 1, document: undefined });
    expect(second.stderr).toContain("This process already saves in");
    lock.release();
    expect((await runInProcess([...args, directory])).code).toBe(0);
  });

  test("a save that fails ends the training with a word about --resume", async () => {
    const directory = join(folder, "lost");
    const args = ["--epochs", "40", "--batch-size", "400", "--every", "2", "--checkpoint"];
    let isMoved = false;
    const { code, stderr } = await run([...args, directory], () => {
      if (isMoved || !existsSync(directory) || !readdirSync(directory).some(isWhole))
        return undefined;
      isMoved = true;
      renameSync(directory, `${directory}-moved`);
      writeFileSync(directory, "");
      return undefined;
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/Cannot .*lost.*Then --resume goes on from the newest checkpoint\./);
  });

  test("other settings than those of the checkpoint are an error, and nothing is replaced", async () => {
    const directory = join(folder, "others");
    const args = ["--epochs", "1", "--batch-size", "2000", "--checkpoint", directory];
    expect((await runInProcess([...args, "--resume"])).stderr).toContain("No checkpoint yet");
    const files = readdirSync(directory);
    const error = async (...changed: string[]): Promise<string> => {
      const { code, document, stderr } = await runInProcess([...args, ...changed]);
      expect(code).toBeGreaterThan(0);
      expect(document).toBe(undefined);
      return stderr;
    };
    expect(await error()).toMatch(/which has checkpoints of another training; add --resume/);
    expect(await error("--resume", "--seed", "2")).toMatch(
      /Got --batch-size 2000 --seed 2 with --resume; expected --batch-size 2000 --seed 1, with which/,
    );
    expect(await error("--resume", "--epochs", "3")).toMatch(
      /--resume needs the options with which it was made, --epochs too\.\n- hyperparameters\.learningRate: the checkpoint has the schedule/,
    );
    const lion = await error("--resume", "--optimizer", "lion");
    expect(lion).toContain('- rule: the checkpoint has "adam"; expected "lion"\n');
    expect(lion).not.toContain("missing");
    expect(readdirSync(directory)).toEqual(files);
  });
});
