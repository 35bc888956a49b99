import { defineConfig } from "vitest/config";
import { inChromium } from "../../testing/in-chromium.js";
import { leftOut, tests } from "../../vitest.base.js";

/** What makes a page cross-origin isolated, so that TF.js's wasm backend has threads. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Tests of what happens before, or instead of, the registration that importing the package does: each has a TF.js of its own. */
const alone = ["optimizer-first.full", "readme.full", "register.full"].map(
  (name) => `test/${name}.test.ts`,
);

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...tests.test,
          name: "node",
          include: ["test/*.test.ts"],
          exclude: [...alone, ...leftOut],
        },
      },
      { test: { ...tests.test, isolate: true, name: "node, isolated", include: alone } },
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
        packages: [
          ...["backend-cpu", "backend-wasm", "backend-webgpu", "core", "layers"].map(
            (name) => `@tensorflow/tfjs-${name}`,
          ),
          ...[
            "core",
            "core/by-name",
            "core/interop",
            "core/reference",
            "core/rules",
            "core/stages",
            "core/internal",
          ].map((name) => `@gradstep/${name}`),
          ...["cpu-js", "wasm", "webgpu"].map((name) => `@gradstep/${name}`),
        ],
      })),
    ],
  },
});
