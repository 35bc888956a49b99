import {
  indexedDbStore,
  opfsStore,
  type CheckpointStore,
  type StoreLock,
} from "../../src/index.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/safetensors/index.js";

/** What runs on the pages of these tests. A test calls `tab`; a page may run the same program in a worker. */

const stores = { indexedDbStore, opfsStore };

export interface StoreName {
  readonly kind: keyof typeof stores;
  readonly name: string;
}

/** A promise that rejected, in a form that leaves the page. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface Saves extends StoreName {
  /** The number that is saved first; the next ones follow. */
  readonly first: number;
  /** How many values each has. */
  readonly length: number;
  /** The first save stops after this many chunks, and does not go on. */
  readonly stopAfter?: number | undefined;
}

const locks: StoreLock[] = [];
let goOn = (): void => {};

const tab = {
  /** Saves one number after the other, and keeps two. Tells on the console what it does. */
  async saveForever({ first, length, stopAfter, ...name }: Saves): Promise<void> {
    const store = open(name);
    for (let number = first; ; number++) {
      console.log(`saving ${number}`);
      await store.write(
        number === first ? stopping(number, length, stopAfter) : file(number, length),
      );
      console.log(`saved ${number}`);
      await tab.keepTwo(name);
    }
  },

  async keepTwo(name: StoreName): Promise<void> {
    const store = open(name);
    for (const id of (await store.list()).slice(0, -2)) await store.remove(id);
  },

  /** The same as `saveForever`, in a worker. */
  saveForeverInWorker(saves: Saves): void {
    const worker = new Worker("/program.js", { type: "module" });
    worker.addEventListener("message", ({ data }) => {
      console.log(data);
    });
    worker.postMessage(saves);
  },

  async save(name: StoreName, number: number, length: number): Promise<string | Failure> {
    return open(name).write(file(number, length)).catch(failure);
  },

  /** Saves; the source waits after the chunk until `goOn` is called. */
  async saveInTwoParts(
    name: StoreName,
    number: number,
    length: number,
    chunk: number,
  ): Promise<string | Failure> {
    const going = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const chunks = stopping(number, length, chunk, going);
    return open(name).write(chunks).catch(failure);
  },

  goOn(): void {
    goOn();
  },

  /** The numbers of all that is listed. Each is read and compared with its digest. */
  async saved(name: StoreName): Promise<number[] | Failure> {
    const store = open(name);
    const numbers: number[] = [];
    try {
      for (const id of await store.list()) numbers.push(await numberIn(store, id));
    } catch (error) {
      return failure(error);
    }
    return numbers;
  },

  /** Reads the newest; waits after its first part until `goOn` is called. */
  async readInTwoParts(name: StoreName): Promise<number | Failure> {
    const store = open(name);
    const id = (await store.list()).at(-1) ?? "";
    const going = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    try {
      const source = await store.open(id);
      const reader = source.stream().getReader();
      let size = 0;
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        size += next.value.length;
        console.log(`read ${size}`);
        await going;
      }
      return size;
    } catch (error) {
      return failure(error);
    }
  },

  async lock(name: StoreName): Promise<"locked" | Failure> {
    try {
      const lock = await open(name).lock?.();
      if (lock !== undefined) locks.push(lock);
      return "locked";
    } catch (error) {
      return failure(error);
    }
  },

  unlock(): void {
    for (const lock of locks.splice(0)) lock.release();
  },

  /** How many saves have left data of which no checkpoint is listed. */
  async unfinished({ kind, name }: StoreName): Promise<number> {
    const whole = (await stores[kind](name).list()).length;
    if (kind === "opfsStore") {
      const root = await navigator.storage.getDirectory();
      const folder = await (
        await root.getDirectoryHandle("gradstep-checkpoints")
      ).getDirectoryHandle(`store-${name}`);
      const ids = new Set<string>();
      for await (const file of folder.keys()) ids.add(file.split(".")[0]);
      return ids.size - whole;
    }
    const database = await result(indexedDB.open(`gradstep/checkpoints/${name}`));
    const keys = await result(database.transaction("pieces").objectStore("pieces").getAllKeys());
    database.close();
    return new Set(keys.map((key) => (key as [string, number])[0])).size - whole;
  },

  async deleteDatabase(name: string): Promise<string> {
    const request = indexedDB.deleteDatabase(`gradstep/checkpoints/${name}`);
    return new Promise((resolve) => {
      for (const type of ["success", "blocked", "error"])
        request.addEventListener(type, () => {
          resolve(type);
        });
    });
  },
};

export type Tab = typeof tab;

function open({ kind, name }: StoreName): CheckpointStore {
  return stores[kind](name);
}

/** A file whose values all follow from its number. */
function file(number: number, length: number): AsyncGenerator<Uint8Array> {
  const data = Uint32Array.from({ length }, (_, index) => valueAt(number, index));
  return encodeSafetensors(new Map([["w", { dtype: "U32", shape: [length], data }]]), {
    metadata: new Map([["number", String(number)]]),
    digest: true,
  });
}

/** Looks random, so that a browser cannot compress it. */
function valueAt(number: number, index: number): number {
  let bits = Math.imul(number + 1, 0x9e3779b1) ^ index;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

async function* stopping(
  number: number,
  length: number,
  stopAfter = Infinity,
  going: Promise<void> = new Promise(() => {}),
): AsyncGenerator<Uint8Array> {
  let chunks = 0;
  for await (const chunk of file(number, length)) {
    yield chunk;
    if (++chunks !== stopAfter) continue;
    console.log(`stopped in ${number}`);
    await going;
  }
}

async function numberIn(store: CheckpointStore, id: string): Promise<number> {
  const { metadata, tensors } = await decodeSafetensors(await store.open(id), {
    digest: "require",
  });
  const number = Number(metadata.get("number"));
  const values = tensors.get("w")?.data as Uint32Array;
  for (let index = 0; index < values.length; index++)
    if (values[index] !== valueAt(number, index))
      throw new Error(`${id} has other values than ${number}`);
  return number;
}

function failure(error: unknown): Failure {
  const { code, message } = error as Partial<Failure>;
  return { code: code ?? "", message: message ?? String(error) };
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => {
      resolve(request.result);
    });
    request.addEventListener("error", () => {
      reject(request.error);
    });
  });
}

if ("document" in globalThis) {
  Object.assign(globalThis, { tab });
} else {
  console.log = (text: string) => {
    postMessage(text);
  };
  addEventListener("message", ({ data }: MessageEvent<Saves>) => {
    void tab.saveForever(data);
  });
}
