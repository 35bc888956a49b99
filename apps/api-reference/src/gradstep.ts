/**
 * Everything of `@gradstep/core`, `cpuJs`, `wasm` and `autoBackend`.
 * @module gradstep
 */
export * from "gradstep";
