import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";

/** What axe calls serious or critical on a page, or in a part of it: the rule and the elements. */
export const seriousViolations = (page: Page, within?: string): Promise<readonly string[]> =>
  violationsOf(page, within, ["serious", "critical"]);

/** What axe finds on a page, or in a part of it, of some impacts or of all: the rule and the elements. */
export async function violationsOf(
  page: Page,
  within?: string,
  impacts?: readonly string[],
): Promise<readonly string[]> {
  // The legacy mode opens no page of its own, for frames, which the site does not have.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] });
  const { violations } = await (within === undefined ? axe : axe.include(within)).analyze();
  return violations
    .filter(({ impact }) => impacts === undefined || impacts.includes(impact ?? ""))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
