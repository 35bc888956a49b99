import { playwright } from "@vitest/browser-playwright";
import type { TestProjectInlineConfiguration } from "vitest/config";
import { tests } from "../vitest.base.js";
import { chromium } from "./chromium.js";

/** Tests that run on a page. */
interface BrowserTests {
  /** The name of the vitest project. */
  readonly name: string;
  readonly include: readonly string[];
  /** Headers with which the page is served. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Packages that the tests import. Vite would otherwise find them late, and reload the page. */
  readonly packages?: readonly string[];
}

/** vitest projects that run in a headless Chromium. Without Chrome: no projects, and a warning. */
export async function inChromium(
  ...projects: readonly BrowserTests[]
): Promise<TestProjectInlineConfiguration[]> {
  const launchOptions = await chromium();
  if (launchOptions === undefined) {
    console.warn("Skipped in a browser: found no Chrome.");
    return [];
  }
  return projects.map(({ name, include, headers = {}, packages = [] }) => ({
    server: { headers },
    // Built packages are bundled, too: a page would load each of their hundreds of modules, for each file of tests. Vite
    // would not notice that they were built again.
    optimizeDeps: {
      include: [...packages],
      force: packages.some((name) => name.startsWith("@gradstep/")),
    },
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
