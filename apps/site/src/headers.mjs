/** Headers with which a page may share memory between threads, as wasm with threads needs. */
export const crossOriginIsolation = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};
