import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { tests } from "../../vitest.base.js";
import { chromium } from "../webgpu/test/browser/chromium.js";

const launchOptions = await chromium();
if (launchOptions === undefined) console.warn("Skipped in a browser: found no Chrome.");

/** What makes a page cross-origin isolated, so that it can share memory with its workers. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

const inChromium = (name: string, folder: string, headers: Record<string, string>) => ({
  server: { headers },
  test: {
    ...tests.test,
    name,
    include: [`test/${folder}/*.test.ts`],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: launchOptions! }),
      instances: [{ browser: "chromium" as const }],
    },
  },
});

export default defineConfig({
  test: {
    projects: [
      { test: { ...tests.test, name: "node", include: ["test/*.test.ts"] } },
      ...(launchOptions === undefined
        ? []
        : [
            inChromium("chromium", "browser", {}),
            inChromium("chromium, isolated", "isolated", isolation),
          ]),
    ],
  },
});
