import { fileURLToPath } from "node:url";
import type { ConsoleMessage, Page } from "playwright";
import { ChromiumProfile, type RunningChromium } from "../../../../testing/chromium-profile.js";
import { hangTimeout } from "../../../../testing/chromium.js";
import { PageServer } from "../../../../testing/page-server.js";
import type { Tab } from "./tab-program.js";

/** Tabs of one browser whose profile outlives it. Each runs the tab program. */
export class Tabs {
  readonly #profile: ChromiumProfile;
  readonly #server: PageServer;
  #running: RunningChromium | undefined;

  private constructor(profile: ChromiumProfile, server: PageServer) {
    this.#profile = profile;
    this.#server = server;
  }

  /** Undefined where there is no Chromium. */
  static async create(): Promise<Tabs | undefined> {
    const profile = await ChromiumProfile.create();
    if (profile === undefined) return undefined;
    const program = fileURLToPath(new URL("tab-program.ts", import.meta.url));
    return new Tabs(profile, await PageServer.start(program));
  }

  get origin(): string {
    return this.#server.origin;
  }

  /** A new tab; starts the browser if it does not run. */
  async open(): Promise<Page> {
    this.#running ??= await this.#profile.start();
    const page = await this.#running.browser.contexts()[0].newPage();
    page.setDefaultTimeout(hangTimeout);
    await page.goto(this.#server.address);
    await page.waitForFunction(() => "tab" in globalThis);
    return page;
  }

  async killRenderers(): Promise<void> {
    await this.#running?.killRenderers();
  }

  async killBrowser(): Promise<void> {
    await this.#running?.kill();
    this.#running = undefined;
  }

  async close(): Promise<void> {
    await this.#profile.remove();
    this.#server.stop();
  }
}

/** Calls a function of the tab program. */
export function call<K extends keyof Tab>(
  page: Page,
  name: K,
  ...args: Parameters<Tab[K]>
): Promise<Awaited<ReturnType<Tab[K]>>> {
  return page.evaluate(
    ([key, values]) => {
      const { tab } = globalThis as unknown as {
        tab: Record<string, (...args: unknown[]) => unknown>;
      };
      return tab[key](...values);
    },
    [name, args] as [string, unknown[]],
  ) as Promise<Awaited<ReturnType<Tab[K]>>>;
}

/** Waits until a page writes a text that starts like this. */
export function written(page: Page, start: string): Promise<ConsoleMessage> {
  return page.waitForEvent("console", (message) => message.text().startsWith(start));
}
