import type { CheckpointStore, WriteOptions } from "../../src/stores/store.js";
import {
  codeOfRejection,
  expectEqual,
  inChunks,
  randomBytes,
  readAll,
  rejectionOf,
} from "./store-bytes.js";

/** A new empty store. `reopen` gives another store object on the same data, where the store outlives its object. */
export interface StoreUnderTest {
  readonly store: CheckpointStore;
  readonly reopen?: () => CheckpointStore;
}

export type StoreCheck = (under: StoreUnderTest) => Promise<void>;

const notIds = [
  "",
  ".",
  "..",
  "../x",
  "/etc/hostname",
  "__proto__",
  "checkpoint-00000001-nothex",
  "checkpoint-99999999",
  "checkpoint-00000001\0",
];

/** What every store promises, by title. A check rejects if the store does otherwise. It runs in every environment. */
export const storeContract: Readonly<Record<string, StoreCheck>> = {
  "is empty at first": async ({ store }) => {
    expectEqual(await store.list(), []);
  },

  "gives back the bytes that it got": async ({ store }) => {
    for (const [length, chunk] of [
      [1, 1],
      [1000, 7],
      [70_000, 70_000],
      [5_000_001, 2 ** 20],
    ] as const) {
      const bytes = randomBytes(length, length);
      const source = await store.open(await store.write(inChunks(bytes, chunk)));
      expectEqual(source.size, length);
      expectEqual(await readAll(source), bytes);
    }
  },

  "takes no chunks, and empty ones": async ({ store }) => {
    const none = await store.open(await store.write(inChunks(new Uint8Array())));
    expectEqual([none.size, (await readAll(none)).length], [0, 0]);
    const empty = (async function* () {
      yield new Uint8Array();
      yield* inChunks(Uint8Array.of(1, 2));
      yield new Uint8Array();
    })();
    expectEqual(await readAll(await store.open(await store.write(empty))), Uint8Array.of(1, 2));
  },

  "lists ids by age, oldest first": async ({ store, reopen }) => {
    const ids: string[] = [];
    for (let i = 0; i < 12; i++)
      ids.push(await (i < 6 ? store : (reopen?.() ?? store)).write(inChunks(randomBytes(9, i))));
    expectEqual(await store.list(), ids);
    expectEqual(ids, [...ids].sort());
    if (reopen !== undefined) expectEqual(await reopen().list(), ids);
  },

  "lists a new checkpoint as the newest after the newest was removed": async ({ store }) => {
    const [first, second] = [
      await store.write(inChunks(randomBytes(9, 1))),
      await store.write(inChunks(randomBytes(9, 2))),
    ];
    await store.remove(second);
    const third = await store.write(inChunks(randomBytes(9, 3)));
    expectEqual(await store.list(), [first, third]);
    expectEqual(await readAll(await store.open(third)), randomBytes(9, 3));
  },

  "reads a checkpoint as often as it is asked to": async ({ store }) => {
    const bytes = randomBytes(300_000, 5);
    const source = await store.open(await store.write(inChunks(bytes, 2 ** 16)));
    const [first, second] = await Promise.all([readAll(source), readAll(source)]);
    expectEqual(first, bytes);
    expectEqual(second, bytes);
    const reader = source.stream().getReader();
    await reader.read();
    await reader.cancel();
    await source.stream().cancel();
    expectEqual(await readAll(source), bytes);
  },

  "copies a chunk before it asks for the next": async ({ store }) => {
    const reused = (async function* () {
      const chunk = new Uint8Array(1000);
      for (let i = 0; i < 20; i++) {
        await Promise.resolve();
        yield chunk.fill(i);
      }
      chunk.fill(99);
    })();
    const bytes = await readAll(await store.open(await store.write(reused)));
    expectEqual(
      bytes,
      Uint8Array.from({ length: 20_000 }, (_, i) => Math.floor(i / 1000)),
    );
  },

  "takes views of shared memory": async ({ store }) => {
    if (typeof SharedArrayBuffer === "undefined") return;
    const shared = new Uint8Array(new SharedArrayBuffer(64), 8, 40);
    shared.set(randomBytes(40, 3));
    const id = await store.write(inChunks(shared, 16));
    expectEqual(await readAll(await store.open(id)), randomBytes(40, 3));
  },

  "writes several checkpoints at the same time": async ({ store, reopen }) => {
    const stores = [store, store, reopen?.() ?? store, reopen?.() ?? store];
    const ids = await Promise.all(
      stores.map((one, i) => one.write(inChunks(randomBytes(50_000, i), 4096))),
    );
    expectEqual(new Set(ids).size, 4);
    expectEqual([...(await store.list())].sort(), [...ids].sort());
    for (const [i, id] of ids.entries())
      expectEqual(await readAll(await store.open(id)), randomBytes(50_000, i));
  },

  "rejects with what the source throws, and lists nothing new": async ({ store }) => {
    const old = await store.write(inChunks(randomBytes(100, 1)));
    const thrown = new RangeError("the source");
    const source = (async function* () {
      yield* inChunks(randomBytes(100_000, 2), 4096);
      throw thrown;
    })();
    expectEqual((await rejectionOf(store.write(source))) === thrown, true);
    expectEqual(await store.list(), [old]);
    expectEqual(await readAll(await store.open(old)), randomBytes(100, 1));
  },

  "asks an aborted source for nothing": async ({ store }) => {
    let asked = false;
    const source = (async function* () {
      asked = true;
      yield* inChunks(randomBytes(9, 1));
    })();
    const reason = new Error("before");
    const write = store.write(source, { signal: AbortSignal.abort(reason) });
    expectEqual((await rejectionOf(write)) === reason, true);
    expectEqual([asked, await store.list()], [false, []]);
  },

  "ends an aborted write with the reason, and lists nothing new": async ({ store }) => {
    const old = await store.write(inChunks(randomBytes(100, 1)));
    for (const length of [1, 5, 9]) {
      const abort = new AbortController();
      const reason = new Error(`after ${length} chunks`);
      let closed = false;
      const source = (async function* () {
        try {
          for (let i = 0; i < 9; i++) {
            yield randomBytes(10_000, i);
            if (i + 1 === length) abort.abort(reason);
          }
        } finally {
          closed = true;
        }
      })();
      const write = store.write(source, { signal: abort.signal });
      expectEqual((await rejectionOf(write)) === reason, true);
      expectEqual([closed, await store.list()], [true, [old]]);
    }
  },

  "ends an aborted write whose source gives nothing": async ({ store }) => {
    const abort = new AbortController();
    const source = (async function* () {
      yield randomBytes(10_000, 1);
      setTimeout(() => abort.abort());
      await new Promise(() => {});
    })();
    const error = await rejectionOf(store.write(source, { signal: abort.signal }));
    expectEqual((error as Error).name, "AbortError");
    expectEqual(await store.list(), []);
  },

  "removes a checkpoint, once or more often": async ({ store }) => {
    const [first, second] = [
      await store.write(inChunks(randomBytes(9, 1))),
      await store.write(inChunks(randomBytes(9, 2))),
    ];
    await store.remove(first);
    await store.remove(first);
    for (const id of notIds) await store.remove(id);
    expectEqual(await store.list(), [second]);
    expectEqual(await codeOfRejection(store.open(first)), "STORE_FAILED");
  },

  "rejects ids that it does not have": async ({ store }) => {
    await store.write(inChunks(randomBytes(9, 1)));
    for (const id of notIds) expectEqual(await codeOfRejection(store.open(id)), "STORE_FAILED");
  },

  "refuses what is not chunks of bytes": async ({ store }) => {
    const bad = ["text", new Float32Array(2), new ArrayBuffer(2), [1], 1, null, undefined];
    for (const chunk of bad) {
      const chunks = (async function* () {
        yield chunk as unknown as Uint8Array;
      })();
      expectEqual(await codeOfRejection(store.write(chunks)), "STORE_FAILED");
    }
    for (const chunks of [...bad, {}, [randomBytes(9, 1)]]) {
      const write = store.write(chunks as AsyncIterable<Uint8Array>);
      expectEqual(await codeOfRejection(write), "STORE_FAILED");
    }
    expectEqual(await store.list(), []);
  },

  "refuses options that it does not have, and a signal that is none": async ({ store }) => {
    const codeOf = (options: unknown): Promise<unknown> =>
      codeOfRejection(store.write(inChunks(randomBytes(9, 1)), options as WriteOptions));
    for (const options of [null, 1, "text", [], new Map(), Promise.resolve(), { unknown: 1 }])
      expectEqual(await codeOf(options), "UNKNOWN_OPTION");
    for (const signal of [null, 1, true, {}, Promise.resolve(), new AbortController()])
      expectEqual(await codeOf({ signal }), "INVALID_HYPERPARAMETER");
    expectEqual(await store.list(), []);
  },

  "has one writer while it is locked": async ({ store, reopen }) => {
    if (store.lock === undefined) return;
    const lock = await store.lock();
    for (const other of [store, reopen?.() ?? store])
      if (other.lock !== undefined)
        expectEqual(await codeOfRejection(other.lock()), "STORE_LOCKED");
    lock.release();
    lock.release();
    (await store.lock()).release();
  },
};
