import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { fileStore } from "../../src/stores/files/file-store.js";
import { temporaryName } from "../../src/stores/files/temporary-file.js";
import { inChunks, randomBytes, readAll } from "../stores/store-bytes.js";

const nobody = 65_534;

let root: string;
let directory: string;
let directories = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "file-store-directories-"));
});
beforeEach(() => {
  directory = join(root, `${directories++}`);
});
afterAll(() => rm(root, { recursive: true }));

const bytes = randomBytes(3000, 1);
const save = (store = fileStore(directory)): Promise<string> => store.write(inChunks(bytes));

test("a path, a relative path, a URL and the text of a URL name the same directory", async () => {
  const id = await save();
  const url = pathToFileURL(directory);
  for (const same of [
    directory,
    relative(process.cwd(), directory),
    `${directory}/`,
    url,
    url.href,
  ])
    expect(await fileStore(same).list()).toEqual([id]);
});

test.each([
  "",
  "\0",
  "file://other.host.example/%2F",
  new URL("https://a.example/"),
  1,
  null,
  undefined,
  {},
  [],
])("refuses %o as a directory", (bad) => {
  expect(() => fileStore(bad as string)).toThrow(
    expect.objectContaining({ code: "INVALID_HYPERPARAMETER" }),
  );
});

test("a file has the name of its id", async () => {
  const id = await save();
  expect(await readdir(directory)).toEqual([`${id}.safetensors`]);
  expect(id).toMatch(/^checkpoint-00000001-[0-9a-f]{16}$/);
});

test("a missing directory has no checkpoints, and is not created by reading", async () => {
  const store = fileStore(join(directory, "a", "b"));
  expect(await store.list()).toEqual([]);
  await store.remove("checkpoint-00000001-0123456789abcdef");
  await expect(store.open("checkpoint-00000001-0123456789abcdef")).rejects.toMatchObject({
    code: "STORE_FAILED",
  });
  expect(await readdir(root)).not.toContain(`${directories - 1}`);
  const id = await save(store);
  expect(await store.list()).toEqual([id]);
});

test("a directory that is removed in between is created again", async () => {
  const store = fileStore(directory);
  await save(store);
  await rm(directory, { recursive: true });
  expect(await store.list()).toEqual([]);
  const id = await save(store);
  expect(await store.list()).toEqual([id]);
});

test("a file in place of the directory, or above it", async () => {
  await writeFile(directory, "text");
  for (const path of [directory, join(directory, "below")]) {
    const store = fileStore(path);
    await expect(save(store)).rejects.toMatchObject({ code: "STORE_FAILED" });
    await expect(store.list()).rejects.toMatchObject({ code: "STORE_FAILED" });
    await expect(save(store)).rejects.toThrow(/is a file/);
  }
});

test("other files and directories are ignored, and stay", async () => {
  const id = await save();
  const foreign = [
    "notes.txt",
    "checkpoint-1-0123456789abcdef.safetensors",
    "checkpoint-00000009-0123456789abcdef.safetensors.bak",
    "checkpoint-00000009-0123456789ABCDEF.safetensors",
    "checkpoint-00000009.json",
    ".checkpoint-0123.tmp",
    "model.safetensors",
  ];
  for (const name of foreign) await writeFile(join(directory, name), "text");
  const directoryName = "checkpoint-00000009-0123456789abcdef.safetensors";
  await mkdir(join(directory, directoryName));
  const linkName = "checkpoint-00000008-0123456789abcdef.safetensors";
  await symlink("nowhere", join(directory, linkName));
  const store = fileStore(directory);
  expect(await store.list()).toEqual([id]);
  const next = await save(store);
  expect(await store.list()).toEqual([id, next]);
  for (const file of [directoryName, linkName])
    await expect(store.open(file.replace(".safetensors", ""))).rejects.toMatchObject({
      code: "STORE_FAILED",
    });
  expect((await readdir(directory)).sort()).toEqual(
    [...foreign, directoryName, linkName, `${id}.safetensors`, `${next}.safetensors`].sort(),
  );
});

test("symbolic links: to a directory, to nothing, in a circle", async () => {
  await mkdir(directory);
  const [link, broken, circle] = ["link", "broken", "circle"].map((name) =>
    join(root, `${directories}-${name}`),
  ) as [string, string, string];
  await symlink(directory, link);
  await symlink(join(root, "nowhere"), broken);
  await symlink(circle, circle);
  const id = await save(fileStore(link));
  expect(await fileStore(directory).list()).toEqual([id]);
  await expect(save(fileStore(broken))).rejects.toMatchObject({ code: "STORE_FAILED" });
  await expect(save(fileStore(circle))).rejects.toMatchObject({ code: "STORE_FAILED" });
});

test("a directory below a link that leads nowhere cannot be made", async () => {
  await symlink(join(root, "nowhere"), directory);
  for (const path of [join(directory, "a"), join(directory, "a", "b")])
    await expect(save(fileStore(path))).rejects.toMatchObject({ code: "STORE_FAILED" });
  expect(await readdir(root)).not.toContain("nowhere");
});

test.skipIf(process.platform !== "linux")(
  "a directory that the system makes no names in",
  async () => {
    await expect(save(fileStore("/proc/checkpoints/a"))).rejects.toMatchObject({
      code: "STORE_FAILED",
    });
  },
);

test("sequence numbers of more than eight digits are sorted as numbers", async () => {
  await mkdir(directory);
  const ids = ["checkpoint-99999999-aa", "checkpoint-100000000-aa"];
  for (const id of [...ids].reverse())
    await writeFile(join(directory, `${id}.safetensors`), "text");
  const store = fileStore(directory);
  expect(await store.list()).toEqual(ids);
  expect(await save(store)).toMatch(/^checkpoint-100000001-/);
});

/** Runs `check` as a user who is not the superuser: the superuser may write everywhere. */
async function withoutPrivileges(check: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return check();
  process.seteuid?.(nobody);
  try {
    await check();
  } finally {
    process.seteuid?.(0);
  }
}

test.skipIf(process.platform === "win32")("a directory that may only be read", async () => {
  const id = await save();
  const store = fileStore(directory);
  await chmod(root, 0o755);
  await chmod(directory, 0o555);
  await withoutPrivileges(async () => {
    await expect(save(store)).rejects.toThrow(/EACCES.*Let this process read and write there/);
    await expect(store.remove(id)).rejects.toMatchObject({ code: "STORE_FAILED" });
    expect(Buffer.compare(await readAll(await store.open(id)), bytes)).toBe(0);
    expect(await store.list()).toEqual([id]);
  });
});

test.skipIf(process.platform === "win32")("a directory that may not be read", async () => {
  await save();
  await chmod(directory, 0o000);
  await withoutPrivileges(async () => {
    for (const call of [() => save(), () => fileStore(directory).list()])
      await expect(call()).rejects.toMatchObject({ code: "STORE_FAILED" });
  });
});

test("a checkpoint that is shortened while it is read is an error", async () => {
  const store = fileStore(directory);
  const id = await save(store);
  const source = await store.open(id);
  await writeFile(join(directory, `${id}.safetensors`), bytes.subarray(0, 2000));
  await expect(readAll(source)).rejects.toMatchObject({ code: "STORE_FAILED" });
});

test("a checkpoint that is removed before it is read is an error", async () => {
  const store = fileStore(directory);
  const id = await save(store);
  const source = await store.open(id);
  await store.remove(id);
  await expect(readAll(source)).rejects.toMatchObject({ code: "STORE_FAILED" });
});

test("temporary files: those of writers that have ended are removed, others stay", async () => {
  await mkdir(directory);
  const ended = spawnSync(process.execPath, ["--version"]).pid;
  const named = (pid: number, machine?: string): string =>
    temporaryName()
      .replace(`.${process.pid}.`, `.${pid}.`)
      .replace(/\.[0-9a-f]{8}\./, (own) => (machine === undefined ? own : `.${machine}.`));
  const anHour = 60 * 60;
  const now = Date.now() / 1000;
  const beforeThisProcess = now - process.uptime() - 100;
  const files = [
    { name: named(ended), modified: now, stays: false },
    { name: named(process.ppid), modified: now - anHour, stays: true },
    { name: named(process.pid), modified: now, stays: true },
    { name: named(process.pid), modified: beforeThisProcess, stays: false },
    { name: named(ended, "01234567"), modified: now - anHour, stays: true },
    { name: named(ended, "01234567"), modified: now - 25 * anHour, stays: false },
  ];
  for (const { name, modified } of files) {
    await writeFile(join(directory, name), "half");
    await utimes(join(directory, name), modified, modified);
  }
  await save();
  const names = await readdir(directory);
  expect(files.filter(({ name }) => names.includes(name))).toEqual(
    files.filter(({ stays }) => stays),
  );
});
