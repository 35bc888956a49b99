import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "tsup";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cases, seed } from "../../../../testing/cases.js";
import { decodeSafetensors } from "../../src/safetensors/index.js";
import { fileStore } from "../../src/stores/files/file-store.js";

let program: string;
beforeAll(async () => {
  // One file, because a process that loads many starts slowly.
  const outDir = await mkdtemp(join(tmpdir(), "saving-process-"));
  await build({
    entry: [fileURLToPath(new URL("saving-process.ts", import.meta.url))],
    outDir,
    config: false,
    format: "esm",
    target: "node20",
    outExtension: () => ({ js: ".mjs" }),
    noExternal: [/^@gradstep/],
    silent: true,
  });
  program = join(outDir, "saving-process.mjs");
});
afterAll(() => rm(dirname(program), { recursive: true }));

/** A process that saves checkpoints once it is told to, and what it has written to stdout. */
interface SavingProcess {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly output: () => string;
}

function startProcess(parameters: readonly string[]): SavingProcess {
  const child = spawn(process.execPath, [program, ...parameters], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  return {
    child,
    ready: once(child.stdout as NodeJS.ReadableStream, "data"),
    output: () => output,
  };
}

/** What was found after many kills. */
interface Findings {
  kills: number;
  saved: number;
  /** Checkpoints that are listed and not whole. */
  torn: string[];
  /** Checkpoints that were saved, not removed, and are not listed. */
  lost: string[];
  /** Temporary files that a later process has not removed. */
  left: number;
  /** How many kills fell into each call of the file system. */
  calls: Record<string, number>;
}

/** Kills processes that save into one directory. `kill` ends one that has been told to save. */
async function killMany(
  count: number,
  parametersOf: (index: number) => readonly string[],
  kill: (child: ChildProcess) => Promise<void>,
): Promise<Findings> {
  const directory = await mkdtemp(join(tmpdir(), "file-store-kills-"));
  const callFile = join(directory, "call.txt");
  const store = fileStore(directory);
  const findings: Findings = { kills: 0, saved: 0, torn: [], lost: [], left: 0, calls: {} };
  const kept = new Set<string>();
  const whole = new Set<string>();
  const start = (index: number): SavingProcess => {
    const [ownSeed = "", ...rest] = parametersOf(index);
    return startProcess([directory, ownSeed, `${callFile}-${index % 2}`, ...rest]);
  };
  let next = start(0);
  try {
    for (let i = 0; i < count; i++) {
      const { child, ready, output } = next;
      await ready;
      if (i + 1 < count) next = start(i + 1);
      child.stdin?.write("go\n");
      const closed = once(child, "close");
      await kill(child);
      const [, signal] = (await closed) as [number | null, string | null];
      if (signal === "SIGKILL") findings.kills++;
      for (const [, event, id = ""] of output().matchAll(/^(saved|remove) (\S+)$/gm)) {
        if (event === "saved") findings.saved++;
        if (event === "saved") kept.add(id);
        else kept.delete(id);
      }
      const call = (await readFile(`${callFile}-${i % 2}`, "utf8")).trim();
      findings.calls[call] = (findings.calls[call] ?? 0) + 1;
      const listed = await store.list();
      findings.lost.push(...[...kept].filter((id) => !listed.includes(id)));
      for (const id of listed) {
        // A file that was whole and was not written to since then still is.
        const { mtimeMs, size } = await stat(join(directory, `${id}.safetensors`));
        const version = `${id} ${mtimeMs} ${size}`;
        if (whole.has(version)) continue;
        try {
          await decodeSafetensors(await store.open(id), { digest: "require" });
          whole.add(version);
        } catch {
          findings.torn.push(id);
        }
      }
      const temporary = (await readdir(directory)).filter((name) => name.endsWith(".tmp"));
      const ofOthers = temporary.filter((name) => !name.endsWith(`.${child.pid}.tmp`));
      // The process may have been killed before it could remove them.
      if (output().includes("saved")) findings.left += ofOthers.length;
    }
  } finally {
    next.child.kill("SIGKILL");
    await rm(directory, { recursive: true });
  }
  return findings;
}

const kills = cases(1000, 15);

test(`kill -9 at ${kills} random moments of saving: 0 torn, 0 lost (seed ${seed})`, async () => {
  let count = 0;
  const findings = await killMany(
    kills,
    (index) => [`${seed + index}`],
    async (child) => {
      // Every second one once it has saved: a busy machine may not save anything in time.
      if (count++ % 2 === 1) await once(child.stdout as NodeJS.ReadableStream, "data");
      await setTimeout(Math.random() * 60);
      child.kill("SIGKILL");
    },
  );
  console.log(findings);
  expect(findings).toMatchObject({ kills, torn: [], lost: [], left: 0 });
  expect(findings.saved).toBeGreaterThan(kills / 10);
}, 600_000);

test("kill -9 in each call of the file system: 0 torn, 0 lost", async () => {
  const calls = ["mkdir", "readdir", "open", "write", "sync", "close", "rename"].concat([
    "directory open",
    "directory sync",
    "directory close",
  ]);
  const findings = await killMany(
    calls.length,
    (index) => [`${index}`, calls[index] ?? ""],
    async () => {},
  );
  expect(findings).toMatchObject({ kills: calls.length, torn: [], lost: [], left: 0 });
  expect(findings.calls).toEqual(Object.fromEntries(calls.map((call) => [call, 1])));
});
