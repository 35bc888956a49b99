// How long the main threads of the demos' pages are busy at a time: `pnpm --filter @gradstep/site measure:tasks`, after
// `pnpm run docs`. A page stays responsive if no task takes over 50 ms. Nothing else should run on the machine.
import { chromium as playwright, type Page } from "playwright";
import { chromium } from "../../../testing/chromium.js";
import { serveSite } from "../server/serve-site.mjs";
import { mainThreadTasks } from "./main-thread-tasks.js";

/** What a page does while it is measured. */
interface Work {
  readonly title: string;
  readonly path: string;
  readonly run: (page: Page) => Promise<void>;
}

const click = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name }).click();

const racing = "sgd adam adamw rmsprop lion adagrad adadelta nadam radam adamax".split(" ");

const works: readonly Work[] = [
  {
    title: "the first page: a race",
    path: "",
    run: async (page) => {
      await page.getByRole("button", { name: "Another start" }).click();
      await page.locator(".home-race-map").click({ position: { x: 60, y: 60 } });
      await page.waitForTimeout(6000);
    },
  },
  {
    title: "train: four runs",
    path: "demos/train?epochs=2&batch=64",
    run: async (page) => {
      await page.getByLabel("Compare").selectOption({ label: "Adam, SGD, Lion and Muon" });
      await click(page, "Start all");
      await page.waitForFunction(
        () =>
          Array.from(document.querySelectorAll(".train-table td small")).filter(
            ({ textContent }) => textContent === "finished",
          ).length === 4,
        undefined,
        { timeout: 600_000, polling: 500 },
      );
    },
  },
  ...(["wasm", "webgpu"] as const).map((backend) => ({
    title: `splats on ${backend}`,
    path: `demos/splats?size=48&splats=100&steps=${backend === "wasm" ? 1500 : 80}&backend=${backend}`,
    run: async (page: Page) => {
      await click(page, "Restart");
      await page.waitForFunction(
        () => document.querySelector(".splats-primary")!.textContent === "Train again",
        undefined,
        { timeout: 600_000, polling: 500 },
      );
    },
  })),
  {
    title: "playground: ten runs, the start moves",
    path: `demos/playground?surface=rastrigin&steps=300&runners=${racing.join(";")}`,
    run: async (page) => {
      await page.locator(".playground-start").focus();
      for (let i = 0; i < 40; i += 1) await page.keyboard.press(i % 2 ? "ArrowUp" : "ArrowRight");
      await page.waitForTimeout(3000);
    },
  },
  {
    title: "on your machine: all checks",
    path: "demos/machine?without=webgpu",
    run: async (page) => {
      await click(page, "Check the backends");
      await page.getByText(/^16 of 16 backends .* failed\.$/).waitFor({ timeout: 600_000 });
    },
  },
];

const launch = await chromium();
if (launch === undefined) throw new Error("Found no Chrome.");
const [browser, site] = await Promise.all([playwright.launch(launch), serveSite()]);
console.log("longest task, processor ms | longest long task, ms | tasks | work");
for (const { title, path, run } of works) {
  const page = await browser.newPage({ locale: "en-US" });
  await page.goto(site.address + path);
  // What Playwright adds to a page takes 30 ms to load, and is no part of it.
  await page.getByRole("button").first().waitFor({ state: "attached" });
  await page.waitForFunction(() => true);
  await page.evaluate(() => {
    const entries: number[] = [];
    Object.assign(globalThis, { longTasks: entries });
    new PerformanceObserver((list) => {
      entries.push(...list.getEntries().map(({ duration }) => duration));
    }).observe({ type: "longtask" });
  });
  const tasks = await mainThreadTasks(page, () => run(page));
  const long = await page.evaluate(
    () => (globalThis as unknown as { longTasks: number[] }).longTasks,
  );
  const longest = long.length === 0 ? "none over 50" : Math.max(...long).toFixed(0);
  const cells = [Math.max(...tasks).toFixed(1), longest, String(tasks.length), title];
  console.log(cells.map((cell, i) => (i === 3 ? cell : cell.padStart(12))).join(" | "));
  await page.close();
}
await Promise.all([browser.close(), site.close()]);
