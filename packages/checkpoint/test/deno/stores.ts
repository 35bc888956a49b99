import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileStore } from "../../src/stores/files/file-store.js";
import { memoryStore } from "../../src/stores/memory-store.js";
import { storeContract } from "../stores/store-contract.js";

// Deno and Bun run this program. It prints the titles of the checks, and those that failed with their errors.
const directory = await mkdtemp(join(tmpdir(), "file-store-"));
const passed: string[] = [];
const failed: string[] = [];

async function run(title: string, check: Promise<void> | undefined): Promise<void> {
  try {
    await check;
    passed.push(title);
  } catch (error) {
    failed.push(`${title}: ${String(error)}`);
  }
}

for (const [title, check] of Object.entries(storeContract)) {
  const path = join(directory, title);
  await run(
    `fileStore: ${title}`,
    check({ store: fileStore(path), reopen: () => fileStore(path) }),
  );
  await run(`memoryStore: ${title}`, check({ store: memoryStore() }));
}
await rm(directory, { recursive: true });
console.log(JSON.stringify({ passed, failed }));
