import { defineConfig } from "vitest/config";
import { inChromium } from "../../testing/in-chromium.js";
import { notDue } from "../../testing/not-due.js";
import { tests } from "../../vitest.base.js";

const slow = [
  "bridges/optax-files",
  "bridges/torch-files",
  "deno",
  "files/faults",
  "files/kills",
  "new-process",
  "safetensors/half-floats",
  "safetensors/limits",
  "safetensors/malformed",
  "safetensors/round-trip",
  "tabs/killed-tabs",
  "tabs/tabs",
];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...tests.test,
          name: "node",
          exclude: ["test/browser/**", ...notDue(import.meta.dirname, 3, slow)],
        },
      },
      ...(await inChromium({
        name: "chromium",
        include: ["test/browser/*.test.ts"],
        packages: ["@gradstep/core", "@gradstep/core/interop"],
      })),
    ],
  },
});
