import { afterEach, expect, test, vi } from "vitest";
import { indexedDbStore, opfsStore, type CheckpointStore } from "../../src/index.js";
import { inChunks } from "../stores/store-bytes.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const chunks = (): AsyncIterable<Uint8Array> => inChunks(Uint8Array.of(1, 2, 3));

const callsOf = (store: CheckpointStore): (() => Promise<unknown>)[] => [
  () => store.list(),
  () => store.write(chunks()),
  () => store.open("x"),
  () => store.remove("x"),
];

/** What a method rejects with, where a store is not available. */
const unsupported = (text: string): unknown =>
  expect.objectContaining({
    name: "GradstepError",
    code: "UNSUPPORTED",
    message: expect.stringContaining(text) as string,
  });

const refusal = new DOMException("The operation is insecure.", "SecurityError");

test.each([indexedDbStore, opfsStore])("$name without Web Locks: UNSUPPORTED", async (create) => {
  vi.spyOn(navigator, "locks", "get").mockReturnValue(undefined as unknown as LockManager);
  // A context that is not secure does not have this, either.
  vi.spyOn(crypto, "randomUUID").mockImplementation(() => {
    throw new TypeError("crypto.randomUUID is not a function");
  });
  const store = create("no locks");
  await expect(store.write(chunks())).rejects.toEqual(unsupported("https or from localhost"));
  await expect(store.lock?.()).rejects.toEqual(unsupported("https or from localhost"));
});

test("indexedDbStore without IndexedDB: UNSUPPORTED", async () => {
  vi.stubGlobal("indexedDB", undefined);
  const store = indexedDbStore("no database");
  for (const call of callsOf(store))
    await expect(call()).rejects.toEqual(unsupported("IndexedDB is not available here"));
});

test("indexedDbStore where the page may store nothing: UNSUPPORTED", async () => {
  vi.spyOn(indexedDB, "open").mockImplementation(() => {
    throw refusal;
  });
  const store = indexedDbStore("private window");
  for (const call of callsOf(store))
    await expect(call()).rejects.toEqual(unsupported("private windows"));
});

test("opfsStore without an origin private file system: UNSUPPORTED", async () => {
  vi.spyOn(navigator, "storage", "get").mockReturnValue(undefined as unknown as StorageManager);
  const store = opfsStore("no files");
  for (const call of callsOf(store))
    await expect(call()).rejects.toEqual(unsupported("https or from localhost"));
});

test("opfsStore where the page may store nothing: UNSUPPORTED", async () => {
  vi.spyOn(navigator.storage, "getDirectory").mockRejectedValue(refusal);
  const store = opfsStore("private window");
  for (const call of callsOf(store))
    await expect(call()).rejects.toEqual(unsupported("private windows"));
});

test("opfsStore in windows of Safari before version 26: UNSUPPORTED, and nothing is left", async () => {
  const { prototype } = FileSystemFileHandle;
  const property = Object.getOwnPropertyDescriptor(prototype, "createWritable");
  Reflect.deleteProperty(prototype, "createWritable");
  try {
    const store = opfsStore("old Safari");
    await expect(store.write(chunks())).rejects.toEqual(unsupported("dedicated worker"));
    expect(await store.list()).toEqual([]);
  } finally {
    Object.defineProperty(prototype, "createWritable", property ?? {});
  }
});

test("other errors of the platform: STORE_FAILED, or OUT_OF_SPACE, with the error as cause", async () => {
  for (const [name, code] of [
    ["UnknownError", "STORE_FAILED"],
    ["QuotaExceededError", "OUT_OF_SPACE"],
  ] as const) {
    const cause = new DOMException("Of the platform.", name);
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw cause;
    });
    vi.spyOn(navigator.storage, "getDirectory").mockRejectedValue(cause);
    for (const create of [indexedDbStore, opfsStore])
      await expect(create("fails").list()).rejects.toMatchObject({ code, cause });
    vi.restoreAllMocks();
  }
});

test.each([indexedDbStore, opfsStore])("$name refuses a name that is none", (create) => {
  for (const name of ["", undefined, 1])
    expect(() => create(name as string)).toThrow(
      expect.objectContaining({ code: "INVALID_HYPERPARAMETER" }) as Error,
    );
});
