import { createReadStream, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";
import { type Browser, chromium as playwright } from "playwright";
import { chromium } from "../../testing/chromium.js";
import type { StepResults } from "./step-results.js";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** Chromium and a server for the pages of a folder, which are isolated, so that memory can be shared. */
export class Pages {
  readonly #browser: Browser;
  readonly #server: Server;

  private constructor(browser: Browser, server: Server) {
    this.#browser = browser;
    this.#server = server;
  }

  /** Undefined where there is no Chromium. */
  static async open(folder: string): Promise<Pages | undefined> {
    const launch = await chromium();
    if (launch === undefined) return undefined;
    const browser = await playwright.launch(launch);
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      const file = join(
        folder,
        normalize(pathname.endsWith("/") ? `${pathname}index.html` : pathname),
      );
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, {
        "content-type": types[extname(file)] ?? "application/octet-stream",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      });
      createReadStream(file).pipe(response);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new Pages(browser, server);
  }

  /** The results that a page's program gives. @throws what the page throws or fails to load */
  async results(path: string): Promise<StepResults> {
    const address = this.#server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const page = await this.#browser.newPage();
    try {
      const failed = new Promise<never>((_, reject) => {
        page.on("pageerror", reject);
        page.on("requestfailed", (request) => {
          reject(new Error(`${request.url()}: ${request.failure()?.errorText ?? "failed"}`));
        });
        page.on("response", (response) => {
          if (response.status() >= 400)
            reject(new Error(`${response.url()}: status ${response.status()}`));
        });
      });
      const read = async (): Promise<StepResults> => {
        await page.goto(`http://127.0.0.1:${port}/${path}/`);
        await page.waitForFunction(() => "results" in globalThis, undefined, { timeout: 30_000 });
        return page.evaluate(
          () => (globalThis as unknown as { results: Promise<StepResults> }).results,
        );
      };
      return await Promise.race([read(), failed]);
    } finally {
      await page.close();
    }
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
  }
}
