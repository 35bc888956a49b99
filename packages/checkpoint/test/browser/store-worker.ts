import { indexedDbStore, opfsStore } from "../../src/index.js";
import { storeContract } from "../stores/store-contract.js";

const stores = { indexedDbStore, opfsStore };

/** Runs one check of the contract, and answers how it went. */
addEventListener(
  "message",
  ({ data }: MessageEvent<{ store: keyof typeof stores; title: string }>) => {
    const name = `worker ${crypto.randomUUID()}`;
    const create = (): ReturnType<typeof indexedDbStore> => stores[data.store](name);
    storeContract[data.title]({ store: create(), reopen: create }).then(
      () => {
        postMessage("as promised");
      },
      (error: unknown) => {
        postMessage(String(error));
      },
    );
  },
);
