import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sampled } from "../../../../testing/cases.js";
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
const site = useSite({ folder });

/** What shows that a demo has computed something, and what has to be clicked before. */
const demos: readonly [query: string, result: string, button?: string][] = [
  ["muon&rows=4&columns=4", "canvas[aria-label^='Iteration 5: 4 × 4 values']"],
  ["playground&steps=20", "tbody tr td:nth-child(3)"],
  ["splats&backend=wasm", "canvas"],
  ["machine&without=cpu-js,wasm,wasm-threads,webgpu", "td.machine-right", "Check the backends"],
  [
    "train&epochs=1&batch=2000&backend=wasm",
    ".train-table td small:has-text('finished')",
    "Start the run",
  ],
];

test.each(sampled(demos, 1))("%s computes", async (query, result, button) => {
  const { page, finish } = await site.open(`?demo=${query}`);
  if (button !== undefined) await page.getByRole("button", { name: button }).click();
  const shown = page.locator(result).first();
  await shown.waitFor();
  expect(await shown.isVisible()).toBe(true);
  await finish();
});
