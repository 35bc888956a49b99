import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileStore, fileStoreOn } from "../../src/stores/files/file-store.js";
import { FaultyFileSystem, systemError } from "./faulty-file-system.js";

let directory = "";
let file = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "directory-lock-"));
  file = join(directory, "checkpoint.lock");
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const lock = () => fileStore(directory).lock!();

test("one store at a time has the lock, and its file says whose it is", async () => {
  const held = await lock();
  expect(readFileSync(file, "utf8")).toContain(` ${process.pid} `);
  await expect(lock()).rejects.toMatchObject({
    code: "STORE_LOCKED",
    message: expect.stringMatching(/^This process already saves in .*close\(\) the other one/),
  });
  held.release();
  expect(existsSync(file)).toBe(false);
  held.release();
  (await lock()).release();
});

test("of many that try at once, one gets it", async () => {
  const all = await Promise.allSettled(Array.from({ length: 20 }, lock));
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("the lock of a living process is respected, and that of a killed one is replaced", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(child, "spawn");
  const held = await lock();
  const text = readFileSync(file, "utf8").replace(` ${process.pid} `, ` ${child.pid} `);
  held.release();
  writeFileSync(file, text);
  await expect(lock()).rejects.toMatchObject({
    code: "STORE_LOCKED",
    message: expect.stringMatching(new RegExp(`Process ${child.pid} .*remove .*checkpoint.lock`)),
  });
  child.kill("SIGKILL");
  await once(child, "exit");
  const next = await lock();
  expect(readFileSync(file, "utf8")).not.toBe(text);
  next.release();
});

test("a lock of another machine, or of one with the same process id before, is replaced", async () => {
  const held = await lock();
  const text = readFileSync(file, "utf8");
  held.release();
  writeFileSync(file, text.replace(/^[0-9a-f]+/, "0"));
  const second = await lock();
  expect(readFileSync(file, "utf8")).not.toMatch(/^0 /);
  second.release();
  writeFileSync(file, text);
  utimesSync(file, 1, 1);
  const third = await lock();
  expect(readFileSync(file, "utf8")).not.toBe(text);
  third.release();
});

test("a file that was never written is replaced after a while", async () => {
  writeFileSync(file, "");
  await expect(lock()).rejects.toMatchObject({ code: "STORE_LOCKED" });
  utimesSync(file, 1, 1);
  (await lock()).release();
});

test("the lock of another one is not released", async () => {
  const held = await lock();
  writeFileSync(file, "another");
  held.release();
  expect(readFileSync(file, "utf8")).toBe("another");
});

test.each([
  ["open", "EACCES", "STORE_FAILED"],
  ["open", "EROFS", "STORE_FAILED"],
  ["write", "ENOSPC", "OUT_OF_SPACE"],
] as const)(
  "a failure of %s with %s is %s, and leaves no file",
  async (failing, code, expected) => {
    const fileSystem = new FaultyFileSystem(async (call, _index, perform) => {
      if (call === failing) throw systemError(code, call);
      await perform();
    });
    await expect(fileStoreOn(fileSystem, directory).lock!()).rejects.toMatchObject({
      code: expected,
    });
    expect(existsSync(file)).toBe(false);
    expect(fileSystem.openHandles).toBe(0);
  },
);

test("the end of a process releases its lock, also with an error", async () => {
  const module = new URL("../../dist/stores/files/index.js", import.meta.url).href;
  const program = `import { fileStore } from ${JSON.stringify(module)};
    await fileStore(${JSON.stringify(directory)}).lock();
    console.log(process.pid);
    throw new Error("ends");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
  const [output] = (await once(child.stdout, "data")) as [Buffer];
  await once(child, "close");
  expect(Number(output.toString())).toBe(child.pid);
  expect(existsSync(file)).toBe(false);
});
