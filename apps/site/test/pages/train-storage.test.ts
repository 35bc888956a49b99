import type { Page } from "playwright";
import { expect, test } from "vitest";
import { useSiteWithFewDigits } from "./site-with-few-digits.js";
import { rows, start, startWithOneBatch, states } from "./training-page.js";

const site = useSiteWithFewDigits();

const quickRun = "demos/train?epochs=1&batch=100";
const continueRun = (page: Page) => page.getByRole("button", { name: "Continue" }).click();

test("a run that trains in one tab cannot be continued in another, which follows what the first does", async () => {
  const { page, finish } = await site.open("demos/train?epochs=100&batch=1");
  await start(page);
  await states(page, "trains");
  const other = await page.context().newPage();
  await other.goto(page.url());
  await states(other, "paused");
  await continueRun(other);
  await other.getByText("The run is open in another tab.").waitFor();
  await states(other, "paused");

  // What one tab adds, names and removes, the other shows.
  await other.getByRole("spinbutton", { name: "Epochs" }).fill("1");
  await other.getByRole("spinbutton", { name: "Epochs" }).press("Enter");
  await other.getByRole("spinbutton", { name: "Batch size" }).fill("100");
  await other.getByRole("spinbutton", { name: "Batch size" }).press("Enter");
  await start(other);
  await states(other, "paused", "finished");
  await states(page, "trains", "finished");
  await other.getByRole("textbox", { name: "Name" }).fill("short");
  await other.getByRole("textbox", { name: "Name" }).press("Enter");
  await rows(page).nth(1).getByText("short").waitFor();
  await rows(other).first().getByRole("button").click();
  await other.getByRole("button", { name: "Delete" }).press("Enter");
  await states(other, "finished");
  // The button that had the focus is gone.
  const focused = () => other.evaluate(() => document.activeElement?.textContent);
  await expect.poll(focused).toBe("short");
  await states(page, "finished");
  await page.reload();
  await states(page, "finished");
  expect(await rows(page).first().textContent()).toContain("short");
  await finish();
});

test("a run that is paused in a tab that closes is continued in another", async () => {
  const { page, finish } = await site.open("demos/train?epochs=2&batch=100");
  await startWithOneBatch(page);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await states(other, "paused");
  await page.close();
  await continueRun(other);
  await states(other, "finished");
  expect(await rows(other).count()).toBe(1);
  await finish();
});

test("a run trains where the browser forbids IndexedDB, and the page says that it is not kept", async () => {
  const { page, finish } = await site.open("");
  // Workers have a scope of their own: what they load gets the line.
  await page.context().route("**/train.worker-*.js", async (route) => {
    const response = await route.fetch();
    const forbid =
      'IDBFactory.prototype.open=()=>{throw new DOMException("denied","SecurityError")};';
    await route.fulfill({ response, body: forbid + (await response.text()) });
  });
  await page.goto(new URL(quickRun, page.url()).href);
  await start(page);
  await states(page, "finished");
  const notice = page.getByText("the run is lost when the tab is closed");
  await notice.waitFor();
  expect(await notice.count()).toBe(1);
  await finish();
});

test("what is stored and is no list of runs does not keep the page from starting", async () => {
  const { page, goTo, finish } = await site.open("");
  const address = new URL(quickRun, page.url()).href;
  for (const text of ["[[[", "[null, {}, 1]", '[{"id":"a","name":"b","settings":{}}]']) {
    await page.evaluate((stored) => localStorage.setItem("gradstep.train.runs", stored), text);
    await page.goto(address);
    await start(page);
    await states(page, "finished");
    expect(await rows(page).count()).toBe(1);
    // Away from the demo, which writes its list.
    await goTo("");
  }
  await finish();
});
