import { defineConfig } from "vitest/config";
import { isFull } from "../../testing/cases.js";
import { inChromium } from "../../testing/in-chromium.js";
import { tests } from "../../vitest.base.js";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...tests.test,
          name: "node",
          include: ["test/*.test.ts"],
          // The driver is found through the environment, which a worker thread has only a copy of.
          pool: "forks",
          // A driver in software takes all processors by itself; but slow tests often wait for it.
          maxWorkers: isFull ? 2 : 1,
        },
      },
      ...(await inChromium({
        name: "chromium",
        include: ["test/browser/*.test.ts"],
        packages: ["@gradstep/core", "@gradstep/core/internal", "@gradstep/conformance"],
      })),
    ],
  },
});
