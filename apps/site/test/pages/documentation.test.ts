import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "vitest";
import { pagesByHand } from "../pages-by-hand.js";
import { useSite } from "./site.js";

const site = useSite();
const phone = { width: 390, height: 844 };
const desktop = { width: 1280, height: 800 };

/** The path of a page on the site. */
const addressOf = (page: string): string => page.replace(/\.md$/, "").replace(/^index$/, "");

const documents = pagesByHand.filter((page) => !page.startsWith("demos/"));

test.each(documents)(
  "%s: axe finds nothing serious in light and dark, and a phone shows it without scrolling sideways",
  async (path) => {
    for (const [colorScheme, viewport] of [
      ["light", desktop],
      ["dark", phone],
    ] as const) {
      const { page, finish } = await site.open(addressOf(path), { colorScheme, viewport });
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
