import { afterAll } from "vitest";
import { seriousViolations } from "./violations.js";
import type { OpenPage, Site } from "./site.js";

export const phone = { width: 390, height: 844 };
const desktop = { width: 1280, height: 800 };

/**
 * Opens the pages of one file of tests, in light on a desktop and in dark on a phone.
 * @returns what keeps a reader from a page: what axe calls serious, what a phone would have to scroll sideways, and
 *   errors, missing files and requests to other hosts
 */
export function useReader(site: Site): (path: string) => Promise<readonly string[]> {
  const views = [
    { colorScheme: "light", viewport: desktop },
    { colorScheme: "dark", viewport: phone },
  ] as const;
  let opened: readonly OpenPage[] | undefined;
  afterAll(async () => {
    for (const { page } of opened ?? []) await page.context().close();
  });

  return async (path) => {
    // Pages that are opened in one another's place share what they load.
    opened ??= await Promise.all(views.map((view) => site.open("404", view)));
    const found = await Promise.all(
      opened.map((view, i) => faultsOf(view, path, views[i].viewport.width)),
    );
    return found.flat();
  };
}

async function faultsOf(view: OpenPage, path: string, width: number): Promise<readonly string[]> {
  const { page, faults } = view;
  const before = faults.length;
  await view.goTo(path);
  await page.waitForLoadState("networkidle");
  const violations = await seriousViolations(page);
  const needed = await page.evaluate(() => document.documentElement.scrollWidth);
  return [
    ...violations,
    ...(needed > width ? [`${needed} wide, on a screen of ${width}`] : []),
    ...faults.slice(before),
  ];
}
