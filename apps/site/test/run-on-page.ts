import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { chromium as playwright, type Browser } from "playwright";
import { afterAll } from "vitest";
import { chromium, hangTimeout } from "../../../testing/chromium.js";
import { PageServer } from "../../../testing/page-server.js";
import type { RunProgram } from "../../../testing/readme.js";

let browser: Promise<Browser> | undefined;

async function launch(): Promise<Browser> {
  const options = await chromium();
  if (options === undefined) throw new Error("Found no Chrome, which runs snippets of pages.");
  return playwright.launch(options);
}

/** Bundles a module and runs it on an empty page. */
export const runOnPage: RunProgram = async (path, onLog) => {
  browser ??= launch();
  const program = path.replace(/\.mjs$/, ".page.mjs");
  writeFileSync(program, `import "./${basename(path)}";\nglobalThis.isFinished = true;\n`);
  const server = await PageServer.start(program);
  const page = await (await browser).newPage();
  page.setDefaultTimeout(hangTimeout);
  try {
    const logs: Promise<unknown[]>[] = [];
    page.on("console", (message) => {
      if (message.type() === "log")
        logs.push(Promise.all(message.args().map((value) => value.jsonValue() as unknown)));
    });
    const failed = new Promise<never>((_, reject) => {
      page.on("pageerror", reject);
    });
    await page.goto(server.address);
    await Promise.race([page.waitForFunction("globalThis.isFinished"), failed]);
    for (const values of await Promise.all(logs)) onLog(...values);
  } finally {
    await page.close();
    server.stop();
  }
};

afterAll(async () => {
  await (await browser)?.close();
});
