import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { expect, test } from "vitest";
import { scheduleKinds } from "../../src/controls/schedule-kinds.js";
import { phone, readingFaults } from "./reading-faults.js";
import { useSite } from "./site.js";

const site = useSite();

const all = [
  "reference/",
  "reference/rules/",
  "reference/stages/",
  "reference/schedules/",
  ...rules.map(({ name }) => `reference/rules/${name}`),
  ...stages.map(({ name }) => `reference/stages/${name}`),
  ...scheduleKinds.map(({ name }) => `reference/schedules/${name}`),
];

test.each(all)(
  "%s: axe finds nothing serious, and formulas scroll in their own boxes on a phone",
  async (path) => {
    expect(await readingFaults(site, path)).toEqual([]);
  },
);

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
