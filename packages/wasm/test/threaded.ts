import { afterAll } from "vitest";
import { wasm, type Wasm } from "../src/index.js";

/**
 * Backends of three threads that share every step, however small. A few for all tests of a file in turn, because each
 * has workers, which end with the file.
 */
export function threaded(): () => Wasm {
  const backends = Array.from({ length: 4 }, () => wasm({ threads: 3, shareFrom: 0 }));
  afterAll(() => {
    for (const backend of backends) backend.dispose();
  });
  let next = 0;
  return () => {
    next += 1;
    return backends[next % backends.length];
  };
}
