import { afterAll, expect, test } from "vitest";
import { storeContract } from "../stores/store-contract.js";

const worker = new Worker(new URL("store-worker.ts", import.meta.url), { type: "module" });

afterAll(() => {
  worker.terminate();
});

for (const store of ["indexedDbStore", "opfsStore"])
  for (const title of Object.keys(storeContract))
    test(`${store} in a worker: ${title}`, async () => {
      const answer = new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => {
          resolve(data);
        };
        worker.onerror = reject;
      });
      worker.postMessage({ store, title });
      expect(await answer).toBe("as promised");
    });
