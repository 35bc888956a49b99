import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";

/** What axe calls serious or critical on a page, or in a part of it: the rule and the elements. */
export async function seriousViolations(page: Page, within?: string): Promise<readonly string[]> {
  // The legacy mode opens no page of its own, for frames, which the site does not have.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] });
  const { violations } = await (within === undefined ? axe : axe.include(within)).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
