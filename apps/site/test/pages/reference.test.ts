import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { phone } from "./reading-faults.js";
import { useSite } from "./site.js";

const site = useSite();

test("a formula that is wider than a phone can be scrolled to its end with the keyboard", async () => {
  const { page, finish } = await site.open("reference/rules/prodigy", { viewport: phone });
  const box = page.locator(".formula").nth(1);
  expect(await box.evaluate((one) => one.scrollWidth > one.clientWidth)).toBe(true);
  await box.focus();
  await page.keyboard.press("End");
  await page.keyboard.down("ArrowRight");
  await expect.poll(() => box.evaluate((one) => one.scrollLeft)).toBeGreaterThan(0);
  await finish();
});

test("no page of the API is larger than 100 kB", () => {
  const folder = fileURLToPath(new URL("../../dist/reference/api/", import.meta.url));
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".html"),
  );
  expect(pages.length).toBeGreaterThan(400);
  expect(pages.filter((path) => statSync(folder + path).size > 100_000)).toEqual([]);
});

test("the search has guides before the API, finds a function of the API, and its page links the types that it names", async () => {
  const { page, finish } = await site.open("reference/api/");
  await page.getByRole("button", { name: "Search" }).first().click();
  const search = page.getByRole("searchbox");
  const results = page.locator(".VPLocalSearchBox a");
  await search.fill("checkpoint");
  const first = () => results.first().getAttribute("href");
  await expect.poll(first).toMatch(/^(?!.*\/api\/).*checkpoint/);
  await search.fill("createOptimizer");
  await page.locator('.VPLocalSearchBox a[href*="functions/createOptimizer"]').first().click();
  await page.getByRole("heading", { level: 1, name: "createOptimizer" }).waitFor();
  await page.getByRole("main").getByRole("link", { name: "OptimizerSpec" }).first().click();
  await page.getByRole("heading", { level: 1, name: "OptimizerSpec" }).waitFor();
  expect(new URL(page.url()).pathname).toBe(
    "/reference/api/@gradstep/core/interfaces/OptimizerSpec",
  );
  await finish();
});
