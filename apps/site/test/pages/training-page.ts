import type { Locator, Page } from "playwright";
import { expect } from "vitest";

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
