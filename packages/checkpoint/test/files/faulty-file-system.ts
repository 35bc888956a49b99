import {
  type FileSystem,
  nodeFileSystem,
  type OpenFile,
} from "../../src/stores/files/file-system.js";

export type Call = keyof FileSystem | keyof OpenFile | `directory ${"open" | "sync" | "close"}`;

/** An error as Node throws it for a call of the operating system. */
export function systemError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: injected, ${call}`), { code });
}

/** What happens instead of, or besides, a call: it may throw. `perform` makes the call. */
export type Fault = (call: Call, index: number, perform: () => Promise<void>) => Promise<void>;

/** A file system that asks `fault` about each of its calls, and knows which handles are open. */
export class FaultyFileSystem implements FileSystem {
  /** The calls so far. */
  readonly calls: Call[] = [];
  openHandles = 0;
  /** How many bytes one call writes or reads at most. */
  maxBytes = Infinity;
  readonly #fault: Fault;

  constructor(fault: Fault = (_call, _index, perform) => perform()) {
    this.#fault = fault;
  }

  async mkdir(path: string): Promise<void> {
    await this.#call("mkdir", () => nodeFileSystem.mkdir(path));
  }

  readdir(...parameters: Parameters<FileSystem["readdir"]>): ReturnType<FileSystem["readdir"]> {
    return this.#call("readdir", () => nodeFileSystem.readdir(...parameters));
  }

  stat(path: string): ReturnType<FileSystem["stat"]> {
    return this.#call("stat", () => nodeFileSystem.stat(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call("rename", () => nodeFileSystem.rename(from, to));
  }

  unlink(path: string): Promise<void> {
    return this.#call("unlink", () => nodeFileSystem.unlink(path));
  }

  async open(path: string, flags: "r" | "wx"): Promise<OpenFile> {
    const isDirectory =
      flags === "r" &&
      (await nodeFileSystem.stat(path).then(
        (status) => !status.isFile(),
        () => false,
      ));
    const name = <C extends "open" | "sync" | "close">(call: C): C | `directory ${C}` =>
      isDirectory ? `directory ${call}` : call;
    let opened: OpenFile | undefined;
    try {
      await this.#call(name("open"), async () => {
        opened = await nodeFileSystem.open(path, flags);
      });
    } catch (error) {
      await opened?.close();
      throw error;
    }
    const file = opened as OpenFile;
    this.openHandles++;
    return {
      write: (bytes, offset, length) =>
        this.#call("write", () => file.write(bytes, offset, Math.min(length, this.maxBytes))),
      read: (bytes, offset, length, position) =>
        this.#call("read", () =>
          file.read(bytes, offset, Math.min(length, this.maxBytes), position),
        ),
      sync: () => this.#call(name("sync"), () => file.sync()),
      close: async () => {
        // As in Linux, the handle is closed even if this fails.
        this.openHandles--;
        await file.close();
        await this.#call(name("close"), () => Promise.resolve());
      },
    };
  }

  async #call<T>(call: Call, perform: () => Promise<T>): Promise<T> {
    const index = this.calls.push(call) - 1;
    let result: { readonly value: T } | undefined;
    await this.#fault(call, index, async () => {
      result = { value: await perform() };
    });
    if (result === undefined) throw new Error("A fault neither performed the call nor threw");
    return result.value;
  }
}
