import { GradstepError } from "@gradstep/core";

type Library = typeof import("h5wasm");

/** The part of Emscripten's file system that is used here. */
interface FileSystem {
  writeFile(path: string, bytes: Uint8Array): void;
  readFile(path: string): Uint8Array;
  unlink(path: string): void;
}

let count = 0;

/**
 * Calls `use` with h5wasm and the path of a file in its memory, and removes the file afterwards, whatever happens. h5wasm
 * is loaded by the first call.
 * @param bytes the content of the file; none if left out
 * @throws what `use` throws; `UNSUPPORTED` where WebAssembly cannot be compiled
 */
export async function withHdf5File<T>(
  bytes: Uint8Array | undefined,
  use: (library: Library, path: string, files: FileSystem) => T,
): Promise<T> {
  const library = await load();
  const files = library.FS as unknown as FileSystem;
  count += 1;
  const path = `/gradstep-${count}.h5`;
  if (bytes !== undefined) files.writeFile(path, bytes);
  try {
    return use(library, path, files);
  } finally {
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

function removeFile(files: FileSystem, path: string): void {
  try {
    files.unlink(path);
  } catch {
    // There is no file if h5wasm could not create one.
  }
}
