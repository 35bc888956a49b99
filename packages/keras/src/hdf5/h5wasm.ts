import { GradstepError } from "@gradstep/core";
import type * as h5wasm from "h5wasm";
import { outOfMemory } from "./out-of-memory.js";

/** The module h5wasm. */
export type Library = typeof h5wasm;

/** The part of Emscripten's file system that is used here. */
interface FileSystem {
  writeFile(path: string, bytes: Uint8Array): void;
  readFile(path: string): Uint8Array;
  unlink(path: string): void;
  /** The stream of a file descriptor. */
  getStream(descriptor: number): { readonly tty?: Terminal } | null | undefined;
}

/** Where Emscripten writes standard output and errors. */
interface Terminal {
  ops?: object;
}

let count = 0;

/**
 * Calls `use` with h5wasm and the path of a file in its memory, and removes the file afterwards, whatever happens. h5wasm
 * is loaded by the first call.
 * @param bytes the content of the file; none if left out
 * @throws what `use` throws; `UNSUPPORTED` where WebAssembly cannot be compiled, `OUT_OF_MEMORY`
 */
export async function withHdf5File<T>(
  bytes: Uint8Array | undefined,
  use: (library: Library, path: string, files: FileSystem) => T,
): Promise<T> {
  const library = await load();
  const files = library.FS as unknown as FileSystem;
  count += 1;
  const path = `/gradstep-${count}.h5`;
  // HDF5 prints what it finds wrong, in addition to returning it.
  const terminal = files.getStream(2)?.tty;
  const output = terminal?.ops;
  if (terminal !== undefined && output !== undefined)
    terminal.ops = { ...output, put_char() {}, fsync() {} };
  try {
    if (bytes !== undefined) writeFile(files, path, bytes);
    return use(library, path, files);
  } finally {
    if (terminal !== undefined && output !== undefined) terminal.ops = output;
    removeFile(files, path);
  }
}

async function load(): Promise<Library> {
  try {
    const library = await import("h5wasm");
    await library.ready;
    return library;
  } catch (cause) {
    throw new GradstepError(
      "h5wasm could not be loaded, which reads HDF5 files with WebAssembly. If the page has a Content-Security-Policy, it needs script-src 'wasm-unsafe-eval'.",
      { code: "UNSUPPORTED", cause },
    );
  }
}

/** @throws {GradstepError} `OUT_OF_MEMORY` */
function writeFile(files: FileSystem, path: string, bytes: Uint8Array): void {
  try {
    files.writeFile(path, bytes);
  } catch (cause) {
    throw outOfMemory("read", cause);
  }
}

function removeFile(files: FileSystem, path: string): void {
  try {
    files.unlink(path);
  } catch {
    // There is no file if h5wasm could not create one.
  }
}
