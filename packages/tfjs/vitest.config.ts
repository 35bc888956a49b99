import { defineConfig } from "vitest/config";
import { inChromium } from "../../testing/in-chromium.js";
import { tests } from "../../vitest.base.js";

/** What makes a page cross-origin isolated, so that TF.js's wasm backend has threads. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Tests that leave TF.js's engine as it was, and so share one. */
const sharing = [
  "checkpoint-names",
  "checkpoint-resume",
  "curves",
  "disposed-variables",
  "errors",
  "groups",
  "leaks",
  "parameters",
  "reduce-on-plateau",
  "settings",
  "step-control",
  "training-loop",
].map((name) => `test/${name}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      { test: { ...tests.test, name: "node", include: sharing } },
      // TF.js has one global engine, which these change: backends, registered classes, counts of its memory.
      {
        test: {
          ...tests.test,
          isolate: true,
          name: "node, isolated",
          include: ["test/*.test.ts"],
          exclude: sharing,
        },
      },
      {
        test: {
          ...tests.test,
          name: "webgpu",
          include: ["test/webgpu/*.test.ts"],
          setupFiles: ["test/webgpu/set-up.ts"],
          // The driver is found through the environment, of which a worker thread only has a copy.
          pool: "forks",
          // A software driver uses all processors.
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
