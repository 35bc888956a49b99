import { expect, test } from "vitest";
import { memoryStore } from "../src/stores/memory-store.js";
import { storeContract } from "./stores/store-contract.js";

test.each(Object.keys(storeContract))("memoryStore: %s", async (title) => {
  await expect(storeContract[title]?.({ store: memoryStore() })).resolves.toBeUndefined();
});
