import { defineConfig } from "vitest/config";
import { inChromium } from "../../testing/in-chromium.js";
import { tests } from "../../vitest.base.js";

/** What makes a page cross-origin isolated, so that TF.js's wasm backend has threads. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  test: {
    projects: [
      // TF.js has one engine for all.
      { test: { ...tests.test, isolate: true, name: "node", include: ["test/*.test.ts"] } },
      {
        test: {
          ...tests.test,
          name: "webgpu",
          include: ["test/webgpu/*.test.ts"],
          setupFiles: ["test/webgpu/set-up.ts"],
          // The driver is found through the environment, which a worker thread has only a copy of.
          pool: "forks",
          // A driver in software takes all processors by itself.
          fileParallelism: false,
        },
      },
      ...(await inChromium({
        name: "chromium",
        include: ["test/browser/*.test.ts"],
        headers: isolation,
        packages: ["backend-cpu", "backend-wasm", "backend-webgpu", "core", "layers"].map(
          (name) => `@tensorflow/tfjs-${name}`,
        ),
      })),
    ],
  },
});
