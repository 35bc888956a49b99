import { defineConfig } from "vitest/config";
import { inChromium } from "../../testing/in-chromium.js";
import { notDue } from "../../testing/not-due.js";
import { tests } from "../../vitest.base.js";

const slow =
  "accumulated-masks bundle caller-slots device-loss encode-remap fused-rows guard guard-every \
guard-persistent-scalars guard-sparse guard-stops labels layouts limits plan-memory readme reductions reset row-lists \
row-remap rows rule-names shaders splat-trainer step-signals strided-rules working-directory".split(
    " ",
  );

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...tests.test,
          name: "node",
          include: ["test/*.test.ts"],
          exclude: notDue(import.meta.dirname, 3, slow),
          // The driver is found through the environment, which a worker thread has only a copy of.
          pool: "forks",
          // A driver in software takes all processors by itself.
          fileParallelism: false,
        },
      },
      ...(await inChromium({
        name: "chromium",
        include: ["test/browser/*.test.ts"],
        packages: ["@gradstep/core", "@gradstep/conformance"],
      })),
    ],
  },
});
