import { readFile } from "node:fs/promises";
import type { Locator, Page } from "playwright";
import { expect } from "vitest";
import type { RunDocument } from "../../src/train/run-document.js";

/** The path of the demo with settings, as in a query string. */
export const query = (state: Readonly<Record<string, string>>): string =>
  `demos/train?${new URLSearchParams(state).toString()}`;

/** The rows of the table of runs. */
export const rows = (page: Page): Locator => page.locator(".train-table tbody tr");

/** Starts the run of the page's settings. */
export const start = (page: Page): Promise<void> =>
  page.getByRole("button", { name: "Start the run" }).click();

/** Waits until the runs of the table have these states, in order. */
export async function states(page: Page, ...expected: string[]): Promise<void> {
  await expect.poll(() => rows(page).locator("small").allTextContents()).toEqual(expected);
}

/** Starts the only run, and pauses it while it loads. */
export async function startPaused(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Start the run" }).waitFor();
  // On the page: a message from here may come when the run is finished.
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const press = (text: string): void => {
          const buttons = [...document.querySelectorAll<HTMLButtonElement>(".train button")];
          buttons.find(({ textContent }) => textContent === text)!.click();
        };
        const observer = new MutationObserver(() => {
          if (document.querySelector(".train-table small")?.textContent !== "loads") return;
          observer.disconnect();
          press("Pause");
          resolve();
        });
        observer.observe(document, { subtree: true, childList: true, characterData: true });
        press("Start the run");
      }),
  );
  await states(page, "paused");
}

/** Starts the only run, and pauses it after its first batch. */
export async function startWithOneBatch(page: Page): Promise<void> {
  await startPaused(page);
  await page.getByRole("button", { name: "One batch" }).click();
  await page.getByText(/, 1 of \d+ batches/).waitFor();
  await states(page, "paused");
}

/** The SHA-256 of the weights of the selected run. */
export async function digest(page: Page): Promise<string> {
  return (await page.locator(".train-digest").textContent()) ?? "";
}

/** The text of the file that a button downloads. */
export async function downloaded(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button }).click(),
  ]);
  return readFile(await download.path(), "utf8");
}

/** The runs of the table, as the page downloads them. */
export async function documents(page: Page): Promise<readonly RunDocument[]> {
  const { runs } = JSON.parse(await downloaded(page, "Download JSON")) as { runs: RunDocument[] };
  return runs;
}
