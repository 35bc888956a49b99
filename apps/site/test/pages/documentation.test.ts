import { expect, test } from "vitest";
import { pagesByHand } from "../pages-by-hand.js";
import { readingFaults } from "./reading-faults.js";
import { useSite } from "./site.js";

const site = useSite();

/** The path of a page on the site. */
const addressOf = (page: string): string => page.replace(/\.md$/, "").replace(/^index$/, "");

const documents = pagesByHand.filter((page) => !page.startsWith("demos/"));

test.each(documents)(
  "%s: axe finds nothing serious in light and dark, and a phone shows it without scrolling sideways",
  async (path) => {
    expect(await readingFaults(site, addressOf(path))).toEqual([]);
  },
);
