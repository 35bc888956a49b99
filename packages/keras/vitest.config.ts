import { defineConfig } from "vitest/config";
import { inChromium } from "../../testing/in-chromium.js";
import { leftOut, tests } from "../../vitest.base.js";

export default defineConfig({
  test: {
    projects: [
      { test: { ...tests.test, name: "node", exclude: ["test/browser/**", ...leftOut] } },
      ...(await inChromium({
        name: "chromium",
        include: ["test/browser/*.test.ts"],
        packages: [
          "h5wasm",
          "fflate",
          "@gradstep/core",
          "@gradstep/core/internal",
          "@gradstep/core/interop",
          "@gradstep/core/by-name",
        ],
      })),
    ],
  },
});
