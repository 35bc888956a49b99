import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { seriousViolations } from "./serious-violations.js";
import { useSite } from "./site.js";

const site = useSite();

const paths = [
  "",
  "demos/train",
  "demos/playground",
  "demos/muon",
  "demos/splats",
  "demos/machine",
];

test("the first page loads at most 150 kB, compressed", async () => {
  const { page, responses, finish } = await site.open("");
  await page.waitForLoadState("networkidle");
  const bodies = await Promise.all(responses.map((response) => response.body()));
  const total = bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThanOrEqual(150_000);
  await finish();
});

test.each(paths)("axe finds nothing serious on /%s", async (path) => {
  const { page, finish } = await site.open(path);
  await page.waitForLoadState("networkidle");
  expect(await seriousViolations(page)).toEqual([]);
  await finish();
});

test("pages are cross-origin isolated, so that wasm can use threads", async () => {
  const { page, finish } = await site.open("");
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
  await finish();
});
