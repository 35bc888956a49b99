import { expect, test } from "vitest";
import { useSite } from "./site.js";

const site = useSite();

test.each([
  ["train", "Start the run"],
  ["playground", undefined],
  ["muon", undefined],
  ["splats", undefined],
  ["machine", "Check the backends"],
])("/demos/%s says that its worker could not be loaded", async (demo, button) => {
  const { page, goTo, faults } = await site.open("");
  await page.context().route("**/*.worker-*.js", (route) => route.abort());
  await goTo(`demos/${demo}`);
  if (button !== undefined) await page.getByRole("button", { name: button }).click();
  await page
    .getByRole("alert")
    .getByText(/could not be loaded/)
    .first()
    .waitFor();
  expect(faults.every((fault) => fault.includes("ERR_FAILED"))).toBe(true);
  await page.context().close();
});
