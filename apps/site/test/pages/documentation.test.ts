import { expect, test } from "vitest";
import { everyNth, seed } from "../../../../testing/cases.js";
import { ruleEntries, scheduleEntries, stageEntries } from "../../src/reference/entries.js";
import { pagesByHand } from "../pages-by-hand.js";
import { useReader } from "./reading-faults.js";
import { useSite } from "./site.js";

const site = useSite();
const faultsOf = useReader(site);

/** The path of a page on the site. */
const addressOf = (page: string): string => page.replace(/\.md$/, "").replace(/^index$/, "");

const documents = pagesByHand.filter((page) => !page.startsWith("demos/")).map(addressOf);
const rules = ruleEntries().map(({ rule }) => `reference/rules/${rule.name}`);
const stages = stageEntries().map(({ rule }) => `reference/stages/${rule.name}`);
const schedules = scheduleEntries().map(({ kind }) => `reference/schedules/${kind.name}`);
const indexes = ["reference/", "reference/rules/", "reference/stages/", "reference/schedules/"];
const api = [
  "reference/api/",
  "reference/api/@gradstep/core/",
  "reference/api/@gradstep/core/functions/createOptimizer",
  "reference/api/@gradstep/core/interfaces/OptimizerMethods",
];

test.each([
  ...everyNth(documents, 6),
  ...everyNth(rules, 8),
  ...everyNth(stages, 6),
  ...everyNth(schedules, 4),
  ...everyNth(indexes, 2),
  ...everyNth(api, 2),
])(
  `/%s, of the pages that seed ${seed} chooses: axe finds nothing serious in light and dark, and nothing is missing`,
  async (path) => {
    expect(await faultsOf(path)).toEqual([]);
  },
);

test.each(["guide/rows", "comparison", "reference/rules/adam"])(
  "/%s on paper is the text alone, in light colors, and nothing of it is cut off",
  async (path) => {
    // A4 in pixels of CSS, less margins of 12 mm.
    const viewport = { width: 703, height: 1032 };
    const { page, finish } = await site.open(path, { viewport, colorScheme: "dark" });
    await page.waitForLoadState("networkidle");
    await page.emulateMedia({ media: "print" });
    for (const part of [".VPNav", ".VPLocalNav", ".VPDocFooter"])
      expect(await page.locator(part).isVisible()).toBe(false);
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll(".vp-doc :is(pre, table, .formula)")]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map(({ textContent }) => textContent),
    );
    expect(cut).toEqual([]);
    const isDark = () => page.evaluate(() => document.documentElement.classList.contains("dark"));
    const dispatch = (name: string) =>
      page.evaluate((event) => dispatchEvent(new Event(event)), name);
    expect(await isDark()).toBe(true);
    await dispatch("beforeprint");
    expect(await isDark()).toBe(false);
    await dispatch("afterprint");
    expect(await isDark()).toBe(true);
    await finish();
  },
);

test("a phone shows every page without scrolling sideways", async () => {
  const viewport = { width: 375, height: 812 };
  // Without scripts, a page is shown as it was built: a fraction of the time.
  const { page, goTo, finish } = await site.open("", { viewport, javaScriptEnabled: false });
  const wide: string[] = [];
  for (const path of [...documents, ...indexes, ...rules, ...stages, ...schedules, ...api]) {
    await goTo(path);
    const needed = await page.evaluate(() => document.documentElement.scrollWidth);
    if (needed > viewport.width) wide.push(`${path}: ${needed}`);
  }
  expect(wide).toEqual([]);
  await finish();
});
