import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { build } from "vite";
import { afterAll, beforeAll, test } from "vitest";
import { useSite } from "../pages/site.js";

// Each demo in a page of its own, bundled by Vite: seconds, where the whole site takes a minute. The tests of the
// whole site are in `pages`.
const folder = mkdtempSync(join(tmpdir(), "gradstep-demos-"));
beforeAll(() =>
  build({
    root: fileURLToPath(new URL(".", import.meta.url)),
    configFile: false,
    logLevel: "error",
    build: { outDir: folder, minify: false, target: "es2022", emptyOutDir: true },
    worker: { format: "es" },
  }),
);
afterAll(() => rmSync(folder, { recursive: true }));
const site = useSite(folder);

/** Opens a demo, and waits for what it shows when it has computed something. */
async function computes(
  query: string,
  waitForResult: (page: Page) => Promise<unknown>,
): Promise<void> {
  const { page, finish } = await site.open(`?demo=${query}`);
  await waitForResult(page);
  await finish();
}

test("muon", () =>
  computes("muon&rows=4&columns=4", (page) =>
    page.getByRole("img", { name: /^Iteration 5: 4 × 4 values/ }).waitFor(),
  ));

test("playground", () =>
  computes("playground&steps=20", (page) => page.locator("tbody tr td").nth(2).waitFor()));

test("splats", () =>
  computes("splats&backend=wasm", (page) => page.locator("canvas").first().waitFor()));

test("train", () =>
  computes("train&epochs=1&batch=2000&backend=wasm", async (page) => {
    await page.getByRole("button", { name: "Start the run" }).click();
    await page.locator(".train-table").getByText("finished").waitFor();
  }));
