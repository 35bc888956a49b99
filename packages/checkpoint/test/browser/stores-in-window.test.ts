import { expect, test } from "vitest";
import { indexedDbStore, opfsStore } from "../../src/index.js";
import { storeContract } from "../stores/store-contract.js";

for (const create of [indexedDbStore, opfsStore])
  for (const [title, check] of Object.entries(storeContract))
    test(`${create.name}: ${title}`, async () => {
      const name = `contract ${crypto.randomUUID()}`;
      const under = { store: create(name), reopen: () => create(name) };
      await expect(check(under)).resolves.toBeUndefined();
    });
