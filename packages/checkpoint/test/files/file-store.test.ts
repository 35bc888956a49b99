import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileStore } from "../../src/stores/files/file-store.js";
import { storeContract } from "../stores/store-contract.js";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "file-store-"));
});
afterAll(() => rm(directory, { recursive: true }));

test.each(Object.keys(storeContract))("fileStore: %s", async (title) => {
  const path = join(directory, title);
  const check = storeContract[title]?.({
    store: fileStore(path),
    reopen: () => fileStore(path),
  });
  await expect(check).resolves.toBeUndefined();
});
