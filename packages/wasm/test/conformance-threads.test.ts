import { conformance } from "@gradstep/conformance";
import { afterAll } from "vitest";
import { wasm } from "../src/index.js";
import { runner } from "./runner.js";

// A few for all tests in turn, because each has workers; every step is shared, however small.
const backends = Array.from({ length: 4 }, () => wasm({ threads: 3, shareFrom: 0 }));
afterAll(() => {
  for (const backend of backends) backend.dispose();
});

let next = 0;
conformance({
  backend: () => {
    next += 1;
    return backends[next % backends.length];
  },
  ...runner,
});
