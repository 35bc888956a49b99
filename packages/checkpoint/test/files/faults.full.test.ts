import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GradstepError } from "@gradstep/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileStore, fileStoreOn } from "../../src/stores/files/file-store.js";
import { temporaryName } from "../../src/stores/files/temporary-file.js";
import type { CheckpointStore } from "../../src/stores/store.js";
import { inChunks, randomBytes, readAll } from "../stores/store-bytes.js";
import { type Call, type Fault, FaultyFileSystem, systemError } from "./faulty-file-system.js";

const outOfSpace = ["ENOSPC", "EDQUOT"];
const codes = [...outOfSpace, "EIO", "EACCES", "EINTR", "EMFILE", "EROFS"];

/** When a call fails: before it does anything, after it was done, or like all calls after it. */
type Moment = "before" | "after" | "from then on";

let root: string;
let directories = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "file-store-faults-"));
});
afterAll(() => rm(root, { recursive: true }));

/** A process id that no process has. */
const deadProcess = spawnSync(process.execPath, ["--version"]).pid;

interface Prepared {
  readonly directory: string;
  readonly ids: readonly string[];
}

/** A directory with two checkpoints, and a temporary file of a process that has ended. */
async function prepare(): Promise<Prepared> {
  const directory = join(root, `${directories++}`);
  const store = fileStore(directory);
  const ids = [
    await store.write(inChunks(randomBytes(5000, 0))),
    await store.write(inChunks(randomBytes(5000, 1))),
  ];
  const stale = temporaryName().replace(`.${process.pid}.`, `.${deadProcess}.`);
  await writeFile(join(directory, stale), "half");
  return { directory, ids };
}

const newBytes = randomBytes(5000, 2);

const operations: Readonly<
  Record<string, (store: CheckpointStore, old: string) => Promise<unknown>>
> = {
  list: (store) => store.list(),
  write: (store) => store.write(inChunks(newBytes, 1000)),
  read: async (store, old) => readAll(await store.open(old)),
  remove: (store, old) => store.remove(old),
};

function faultAt(at: number, moment: Moment, error: Error): Fault {
  return async (_call, index, perform) => {
    const fails = moment === "from then on" ? index >= at : index === at;
    if (!fails) return perform();
    if (moment === "after") await perform().catch(() => {});
    throw error;
  };
}

async function expectWhole(store: CheckpointStore, id: string, bytes: Uint8Array): Promise<void> {
  expect(Buffer.compare(await readAll(await store.open(id)), bytes)).toBe(0);
}

/** Runs an operation with a fault in one call, and checks all that must be true after it. */
async function checkFault(
  operation: string,
  at: number,
  moment: Moment,
  code: string,
): Promise<void> {
  const { directory, ids } = await prepare();
  const cause = systemError(code, "a call");
  const fileSystem = new FaultyFileSystem(faultAt(at, moment, cause));
  const [outcome] = await Promise.allSettled([
    operations[operation]?.(fileStoreOn(fileSystem, directory), ids[0] ?? ""),
  ]);
  const call = fileSystem.calls[at];
  expect(fileSystem.openHandles).toBe(0);

  const after = fileStore(directory);
  const listed = await after.list();
  const added = listed.filter((id) => !ids.includes(id));
  for (const id of added) await expectWhole(after, id, newBytes);
  for (const [i, id] of ids.entries())
    if (operation !== "remove" || i > 0 || listed.includes(id))
      await expectWhole(after, id, randomBytes(5000, i));

  // A temporary file of another process may stay.
  const isTolerated =
    moment !== "from then on" && operation === "write" && (call === "stat" || call === "unlink");
  const expected = isTolerated
    ? "resolved"
    : { isTyped: true, code: outOfSpace.includes(code) ? "OUT_OF_SPACE" : "STORE_FAILED" };
  expect({ call, result: resultOf(outcome) }).toEqual({ call, result: expected });
  const { cause: gotCause, message } = reasonOf(outcome);
  expect(isTolerated || (gotCause === cause && message.includes(directory))).toBe(true);
  if (moment === "from then on") return;
  expect(added).toEqual(
    operation === "write" && isTolerated
      ? [(outcome as PromiseFulfilledResult<unknown>).value]
      : [],
  );
  expect(await ownTemporaryFiles(directory)).toEqual([]);
}

function reasonOf(outcome: PromiseSettledResult<unknown>): Error {
  return outcome.status === "rejected" ? (outcome.reason as Error) : new Error("resolved");
}

function resultOf(outcome: PromiseSettledResult<unknown>): unknown {
  if (outcome.status === "fulfilled") return "resolved";
  const error = outcome.reason as GradstepError;
  return { isTyped: error instanceof GradstepError, code: error.code };
}

async function ownTemporaryFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.endsWith(`.${process.pid}.tmp`));
}

/** The calls of an operation without faults. */
async function callsOf(operation: string): Promise<readonly Call[]> {
  const { directory, ids } = await prepare();
  const fileSystem = new FaultyFileSystem();
  await operations[operation]?.(fileStoreOn(fileSystem, directory), ids[0] ?? "");
  return fileSystem.calls;
}

test("the calls of a write", async () => {
  expect(await callsOf("write")).toEqual([
    "mkdir",
    "readdir",
    "stat",
    "unlink",
    "open",
    ...Array.from({ length: 5 }, () => "write"),
    "sync",
    "close",
    "rename",
    "directory open",
    "directory sync",
    "directory close",
  ]);
});

describe.each(Object.keys(operations))("%s, and one call fails", (operation) => {
  test.each(["before", "after", "from then on"] as const)("%s it is done", async (moment) => {
    expect.hasAssertions();
    const { length } = await callsOf(operation);
    for (let at = 0; at < length; at++) {
      for (const code of codes) await checkFault(operation, at, moment, code);
    }
  });
});

test("a new directory: each call of its creation fails, and the next write makes up for it", async () => {
  const write = (fileSystem: FaultyFileSystem, directory: string): Promise<string> =>
    fileStoreOn(fileSystem, directory).write(inChunks(newBytes));
  const plain = new FaultyFileSystem();
  await write(plain, join(root, `${directories++}`, "a", "b"));
  const { length } = plain.calls;
  for (let at = 0; at < length; at++) {
    const directory = join(root, `${directories++}`, "a", "b");
    let fails = true;
    const fileSystem = new FaultyFileSystem((_call, index, perform) => {
      if (fails && index === at) {
        fails = false;
        return Promise.reject(systemError("EIO", "a call"));
      }
      return perform();
    });
    const store = fileStoreOn(fileSystem, directory);
    await expect(store.write(inChunks(newBytes))).rejects.toMatchObject({ code: "STORE_FAILED" });
    expect(await store.list()).toEqual([]);
    const id = await store.write(inChunks(newBytes));
    expect(await store.list()).toEqual([id]);
    expect(await readdir(directory)).toEqual([`${id}.safetensors`]);
    // The parents of three new directories, and the directory itself once for each file that got its name.
    const syncs = fileSystem.calls.filter((call) => call === "directory sync").length;
    expect(syncs).toBeGreaterThanOrEqual(4);
    expect(fileSystem.openHandles).toBe(0);
  }
});

test.each([1, 7, 999])("short writes and reads, of %i bytes at most", async (maxBytes) => {
  const { directory } = await prepare();
  const fileSystem = new FaultyFileSystem();
  fileSystem.maxBytes = maxBytes;
  const store = fileStoreOn(fileSystem, directory);
  await expectWhole(store, await store.write(inChunks(newBytes, 1000)), newBytes);
  expect(fileSystem.openHandles).toBe(0);
});

test("a write of no bytes is an error, not a loop", async () => {
  const { directory, ids } = await prepare();
  const fileSystem = new FaultyFileSystem();
  fileSystem.maxBytes = 0;
  const store = fileStoreOn(fileSystem, directory);
  await expect(store.write(inChunks(newBytes))).rejects.toMatchObject({ code: "STORE_FAILED" });
  expect(await store.list()).toEqual(ids);
  expect(await ownTemporaryFiles(directory)).toEqual([]);
});

test("an abort in each call: nothing new is listed, or the write has succeeded", async () => {
  const calls = await callsOf("write");
  for (let at = 0; at < calls.length; at++) {
    const { directory, ids } = await prepare();
    const abort = new AbortController();
    const reason = new Error("abort");
    const fileSystem = new FaultyFileSystem((_call, index, perform) => {
      if (index === at) abort.abort(reason);
      return perform();
    });
    const store = fileStoreOn(fileSystem, directory);
    const [outcome] = await Promise.allSettled([
      store.write(inChunks(newBytes, 1000), { signal: abort.signal }),
    ]);
    const isNamed = at >= calls.indexOf("rename");
    expect(outcome.status).toBe(isNamed ? "fulfilled" : "rejected");
    expect(isNamed || reasonOf(outcome) === reason).toBe(true);
    expect((await store.list()).length).toBe(isNamed ? ids.length + 1 : ids.length);
    expect(await ownTemporaryFiles(directory)).toEqual([]);
    expect(fileSystem.openHandles).toBe(0);
  }
});
