import {
  chromium as playwrightChromium,
  type Browser,
  type BrowserContextOptions,
  type Page,
  type Response,
} from "playwright";
import { afterAll, beforeAll, expect } from "vitest";
import { chromium, hangTimeout, type PageNeeds } from "../../../../testing/chromium.js";
import { serveSite } from "../../server/serve-site.mjs";

/** A page of the site, and what must not have happened on it. */
export interface OpenPage {
  readonly page: Page;
  /** What the page loaded so far. */
  readonly responses: readonly Response[];
  /** Opens another page of the site in its place. */
  readonly goTo: (path: string) => Promise<void>;
  /** What must not have happened: errors on the console, uncaught ones, missing files, requests to other hosts. */
  readonly faults: readonly string[];
  /** Closes the page. Fails if there are faults. */
  readonly finish: () => Promise<void>;
}

/** The pages of a served folder. */
export interface Site {
  /** Opens a page by its path, such as `demos/train?rule=lion`. */
  readonly open: (path: string, options?: BrowserContextOptions) => Promise<OpenPage>;
}

/** What is served, and what its pages need. */
export interface SiteOptions extends PageNeeds {
  /** The built site if left out. */
  readonly folder?: string;
}

/** Serves the built site, or another folder, to a headless Chromium for the tests of one file. */
export function useSite({ folder, ...needs }: SiteOptions = {}): Site {
  let browser: Browser;
  let site: Awaited<ReturnType<typeof serveSite>>;
  beforeAll(async () => {
    const launch = await chromium(needs);
    if (launch === undefined) throw new Error("The pages are tested in Chrome; found none.");
    [browser, site] = await Promise.all([
      playwrightChromium.launch(launch),
      serveSite({ ...(folder && { folder }) }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  return {
    open: async (path, options = {}) => {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(hangTimeout);
      const page = await context.newPage();
      const faults: string[] = [];
      const responses: Response[] = [];
      page.on("response", (response) => {
        responses.push(response);
        if (response.status() >= 400) faults.push(`${response.status()} of ${response.url()}`);
      });
      page.on("console", (message) => {
        if (message.type() === "error") faults.push(message.text());
      });
      page.on("pageerror", (error) => faults.push(String(error)));
      page.on("request", (request) => {
        const url = request.url();
        if (!url.startsWith(site.address) && !/^(?:blob|data):/.test(url))
          faults.push(`request to ${url}`);
      });
      const goTo = async (address: string): Promise<void> => {
        await page.goto(site.address + address);
        // Until then, clicks on its frame do nothing.
        if (options.javaScriptEnabled !== false) await hasStarted(page);
      };
      await goTo(path);
      return {
        page,
        responses,
        goTo,
        faults,
        finish: async () => {
          await context.close();
          expect(faults).toEqual([]);
        },
      };
    },
  };
}

/** Waits until the scripts of a page of the site have taken over what was built. Other pages have none. */
const hasStarted = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => {
    const app = document.querySelector("#app");
    return app === null || "__vue_app__" in app;
  });
