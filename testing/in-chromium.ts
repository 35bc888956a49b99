import { playwright } from "@vitest/browser-playwright";
import type { TestProjectInlineConfiguration } from "vitest/config";
import { tests } from "../vitest.base.js";
import { chromium } from "./chromium.js";

/** Tests that run on a page. */
interface Lane {
  readonly name: string;
  readonly include: readonly string[];
  /** With which the page is served. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Packages that the tests import: found when the first of them runs, they would make the page reload. */
  readonly packages?: readonly string[];
}

/** Projects of vitest for a headless Chromium: none, and a line that says so, where there is no Chrome. */
export async function inChromium(
  ...lanes: readonly Lane[]
): Promise<TestProjectInlineConfiguration[]> {
  const launchOptions = await chromium();
  if (launchOptions === undefined) {
    console.warn("Skipped in a browser: found no Chrome.");
    return [];
  }
  return lanes.map(({ name, include, headers = {}, packages = [] }) => ({
    server: { headers },
    optimizeDeps: { include: [...packages] },
    test: {
      ...tests.test,
      isolate: true,
      name,
      include: [...include],
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions }),
        instances: [{ browser: "chromium" as const }],
      },
    },
  }));
}
