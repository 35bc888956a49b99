import { byAge, checkpointId, sequenceOf } from "../checkpoint-id.js";
import { accessError, missing, storeError } from "./store-error.js";
import { ifAbandoned } from "./web-locks.js";

/** The folder of a store in the origin private file system, and what the names in it mean. */
export class OpfsFolder {
  readonly #handle: FileSystemDirectoryHandle;
  readonly #store: string;

  private constructor(handle: FileSystemDirectoryHandle, store: string) {
    this.#handle = handle;
    this.#store = store;
  }

  /** Makes the folder if it is not there. @throws {GradstepError} `UNSUPPORTED`, `STORE_FAILED`, `OUT_OF_SPACE` */
  static async open(name: string, store: string): Promise<OpfsFolder> {
    const { navigator } = globalThis as { readonly navigator?: Partial<Navigator> };
    const storage = navigator?.storage as Partial<StorageManager> | undefined;
    if (storage?.getDirectory === undefined)
      throw missing(
        "The origin private file system",
        "Browsers have it in secure contexts: serve the page over https or from localhost. Outside browsers, use fileStore or memoryStore.",
      );
    try {
      const root = await storage.getDirectory();
      const stores = await root.getDirectoryHandle("gradstep-checkpoints", { create: true });
      const handle = await stores.getDirectoryHandle(`store-${encodeURIComponent(name)}`, {
        create: true,
      });
      return new OpfsFolder(handle, store);
    } catch (cause) {
      throw accessError(cause, `open ${store}`);
    }
  }

  /** The ids that have a marker and data, oldest first. */
  async wholeIds(): Promise<string[]> {
    const names = await this.#names();
    return [...names]
      .filter((name) => name === markerOf(idIn(name)) && names.has(dataOf(idIn(name))))
      .map(idIn)
      .sort(byAge);
  }

  /** An id that is greater than all that are here. */
  async newId(): Promise<string> {
    let last = 0;
    for (const name of await this.#names()) last = Math.max(last, sequenceOf(idIn(name)) ?? 0);
    return checkpointId(last + 1, crypto.randomUUID().slice(0, 8));
  }

  /** Makes the file for a checkpoint's bytes. Rejects with the platform's error. */
  async createData(id: string): Promise<FileSystemFileHandle> {
    return this.#handle.getFileHandle(dataOf(id), { create: true });
  }

  /** The bytes of a checkpoint. Rejects with the platform's error. */
  async data(id: string): Promise<File> {
    return (await this.#handle.getFileHandle(dataOf(id))).getFile();
  }

  /** Makes a checkpoint listed. Rejects with the platform's error. */
  async mark(id: string): Promise<void> {
    await this.#handle.getFileHandle(markerOf(id), { create: true });
  }

  /** Removes what there is of a checkpoint, the marker first. Rejects with the platform's error. */
  async remove(id: string): Promise<void> {
    const names = await this.#names();
    if (names.has(markerOf(id))) await this.#handle.removeEntry(markerOf(id));
    for (const name of names)
      if (idIn(name) === id && name !== markerOf(id)) await this.#handle.removeEntry(name);
  }

  /** Removes the files whose writers ended before they were a checkpoint. Rejects with the platform's error. */
  async removeUnfinished(): Promise<void> {
    const ids = new Set([...(await this.#names())].map(idIn));
    for (const id of await this.wholeIds()) ids.delete(id);
    for (const id of ids)
      await ifAbandoned(this.#store, id, async () => {
        // The writer may have finished since.
        if (!(await this.wholeIds()).includes(id)) await this.remove(id);
      });
  }

  async #names(): Promise<Set<string>> {
    try {
      const names = new Set<string>();
      for await (const name of this.#handle.keys()) names.add(name);
      return names;
    } catch (cause) {
      throw storeError(cause, `list ${this.#store}`);
    }
  }
}

function dataOf(id: string): string {
  return `${id}.safetensors`;
}

function markerOf(id: string): string {
  return `${id}.whole`;
}

/** Also of the file in which Chromium keeps what is written until `close`: `<id>.safetensors.crswap`. */
function idIn(name: string): string {
  return name.split(".", 1)[0];
}
