import { afterAll } from "vitest";
import { wasm, type Wasm } from "../src/index.js";

/**
 * Creates backends of three threads that run every step on all of them, however small. The tests of a file share a few,
 * because each has workers, which end with the file.
 */
export async function threaded(): Promise<() => Wasm> {
  const backends = Array.from({ length: 4 }, () => wasm({ threads: 3, parallelThreshold: 0 }));
  await Promise.all(backends.map((backend) => backend.ready()));
  afterAll(() => {
    for (const backend of backends) backend.dispose();
  });
  let next = 0;
  return () => {
    next += 1;
    return backends[next % backends.length];
  };
}
