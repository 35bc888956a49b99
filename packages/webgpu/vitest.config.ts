import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { tests } from "../../vitest.base.js";
import { chromium } from "./test/browser/chromium.js";

const launchOptions = await chromium();
if (launchOptions === undefined) console.warn("Skipped in a browser: found no Chrome.");

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
          // A driver in software takes all processors by itself.
          fileParallelism: false,
        },
      },
      ...(launchOptions === undefined
        ? []
        : [
            {
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
