import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { tests } from "../../vitest.base.js";
import { chromium } from "../webgpu/test/browser/chromium.js";

const launchOptions = await chromium();
if (launchOptions === undefined) console.warn("Skipped in a browser: found no Chrome.");

/** What makes a page cross-origin isolated, so that TF.js's wasm backend has threads. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  test: {
    projects: [
      { test: { ...tests.test, name: "node", include: ["test/*.test.ts"] } },
      {
        test: {
          ...tests.test,
          name: "webgpu",
          include: ["test/webgpu/*.test.ts"],
          setupFiles: ["test/webgpu/set-up.ts"],
          // The driver is found through the environment, which a worker thread has only a copy of.
          pool: "forks",
          isolate: false,
          // A driver in software takes all processors by itself.
          fileParallelism: false,
        },
      },
      ...(launchOptions === undefined
        ? []
        : [
            {
              server: { headers: isolation },
              // Found when the first test runs, they would make the page reload.
              optimizeDeps: {
                include: ["cpu", "wasm", "webgpu"]
                  .map((name) => `@tensorflow/tfjs-backend-${name}`)
                  .concat("@tensorflow/tfjs-core", "@tensorflow/tfjs-layers"),
              },
              test: {
                ...tests.test,
                name: "chromium",
                include: ["test/browser/*.test.ts"],
                browser: {
                  enabled: true,
                  headless: true,
                  screenshotFailures: false,
                  provider: playwright({ launchOptions }),
                  instances: [{ browser: "chromium" as const }],
                },
              },
            },
          ]),
    ],
  },
});
