import { seriousViolations } from "./serious-violations.js";
import type { Site } from "./site.js";

export const phone = { width: 390, height: 844 };
const desktop = { width: 1280, height: 800 };

/** What axe calls serious on a page in light and dark, and whether a phone would have to scroll it sideways. */
export async function readingFaults(site: Site, path: string): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [colorScheme, viewport] of [
    ["light", desktop],
    ["dark", phone],
  ] as const) {
    const { page, finish } = await site.open(path, { colorScheme, viewport });
    await page.waitForLoadState("networkidle");
    faults.push(...(await seriousViolations(page)));
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > viewport.width) faults.push(`${width} wide, on a screen of ${viewport.width}`);
    await finish();
  }
  return faults;
}
