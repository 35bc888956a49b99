import AxeBuilder from "@axe-core/playwright";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { expect, test } from "vitest";
import { isFull } from "../../../../testing/cases.js";
import { scheduleKinds } from "../../src/controls/schedule-kinds.js";
import { useSite } from "./site.js";

const site = useSite();
const phone = { width: 390, height: 844 };
const desktop = { width: 1280, height: 800 };

const all = [
  "reference/",
  "reference/rules/",
  "reference/stages/",
  "reference/schedules/",
  ...rules.map(({ name }) => `reference/rules/${name}`),
  ...stages.map(({ name }) => `reference/stages/${name}`),
  ...scheduleKinds.map(({ name }) => `reference/schedules/${name}`),
];
/** Formulas that are wider than a phone, options, pictures. */
const sample = ["reference/rules/prodigy", "reference/schedules/one-cycle"];

test.each(isFull ? all : sample)(
  "%s: axe finds nothing serious, and formulas scroll in their own boxes on a phone",
  async (path) => {
    for (const [colorScheme, viewport] of [
      ["light", desktop],
      ["dark", phone],
    ] as const) {
      const { page, finish } = await site.open(path, { colorScheme, viewport });
      await page.waitForLoadState("networkidle");
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(
        violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`),
      ).toEqual([]);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(viewport.width);
      await finish();
    }
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
