import type { Page } from "playwright";
import { expect, test } from "vitest";
import type { RunDocument } from "../../src/train/run-document.js";
import { seriousViolations } from "./violations.js";
import { useSite } from "./site.js";
import { trainedHere } from "./trained-here.js";
import { digest, documents, query, start, states } from "./training-page.js";

const site = useSite();

test("a run trains on wasm and on wasm with threads, with the bits of a process of Node", async () => {
  const settings = { epochs: "1", batch: "200" };
  const expected = await trainedHere(settings);
  const { page, finish } = await site.open(query(settings));
  await start(page);
  await states(page, "finished");
  expect(await digest(page)).toMatch(/^[0-9a-f]{64}$/);
  expect(await digest(page)).toBe(expected.digest);
  const [alone] = await documents(page);
  await expectLegends(page, alone);

  await page.getByRole("radio", { name: "WebAssembly, threads" }).click();
  await start(page);
  await states(page, "finished", "finished");
  expect(await digest(page)).toBe(expected.digest);
  const runs = await documents(page);
  expect(runs.map(({ settings: { backend } }) => backend)).toEqual(["wasm", "wasm-threads"]);
  for (const { batchLosses, result, settings: used } of runs) {
    expect(used).toMatchObject({ optimizer: "adam", batchSize: 200 });
    expect(batchLosses).toEqual(expected.losses);
    expect(result).toMatchObject({ accuracy: expected.accuracy, loss: expected.loss });
  }
  // Before anything is learned, all ten classes are about as probable.
  expect(expected.losses).toHaveLength(40);
  expect(Math.abs(expected.losses[0] - Math.log(10))).toBeLessThan(0.3);
  expect(expected.losses[39]).toBeLessThan(expected.losses[0]);
  await finish();
});

/** Every chart of the only run has a legend, with the values under the pointer. */
async function expectLegends(page: Page, run: RunDocument): Promise<void> {
  const charts = page.locator(".train-charts .curves");
  expect(await charts.count()).toBe(3);
  const valuesAt = async (chart: number): Promise<readonly string[]> => {
    await charts.nth(chart).locator(".u-over").hover();
    const values = charts.nth(chart).locator(".u-legend td");
    await expect.poll(async () => (await values.allTextContents()).join("")).toMatch(/\d/);
    return values.allTextContents();
  };
  const [, loss] = await valuesAt(0);
  expect(Number(loss)).toBeGreaterThan(Math.min(...run.batchLosses) - 0.01);
  expect(Number(loss)).toBeLessThan(Math.max(...run.batchLosses) + 0.01);
  const [epoch, accuracy] = await valuesAt(1);
  expect(epoch).toBe("1");
  expect(Number(accuracy)).toBeCloseTo(run.result!.accuracy * 100, 1);
  const [, rate] = await valuesAt(2);
  const closest = Math.min(...run.learningRates.map((one) => Math.abs(one / Number(rate) - 1)));
  expect(closest).toBeLessThan(1e-3);
}

test("a run whose tab was killed continues with the bits of one that was not", async () => {
  // Saved every 50 batches; killed in the second epoch.
  const settings = { epochs: "2", batch: "64", optimizer: "adamw", ema: "0.9" };
  const expected = await trainedHere(settings);
  const { page, finish } = await site.open(query(settings));
  await start(page);
  const context = page.context();
  const session = await context.newCDPSession(page);
  await page.waitForFunction(
    (batches) =>
      document.querySelector<HTMLProgressElement>(".train-table progress")!.value > batches,
    expected.losses.length * 0.55,
  );
  const address = page.url();
  const crashed = page.waitForEvent("crash");
  // Its answer never comes.
  session.send("Page.crash").catch(() => {});
  await crashed;
  await page.close();

  const again = await context.newPage();
  await again.goto(address);
  await states(again, "paused");
  await again.waitForFunction(
    () => document.querySelector<HTMLProgressElement>(".train-table progress")!.value > 0,
  );
  const [saved] = await documents(again);
  expect(saved.batchLosses.length % 50).toBe(0);
  expect(saved.batchLosses.length).toBeLessThan(expected.losses.length);
  await again.getByRole("button", { name: "Continue" }).click();
  await states(again, "finished");
  expect(await digest(again)).toBe(expected.digest);
  const [continued] = await documents(again);
  expect(continued.batchLosses).toEqual(expected.losses);

  await again.reload();
  await states(again, "finished");
  expect(await digest(again)).toBe(expected.digest);
  await finish();
});

test("a run can be paused, take one batch, get another rate, and go on", async () => {
  const { page, finish } = await site.open(query({ epochs: "40", batch: "100" }));
  await start(page);
  await states(page, "trains");
  await page.getByRole("button", { name: "Pause" }).press("Enter");
  await states(page, "paused");
  const focused = () => page.evaluate(() => document.activeElement?.textContent);
  expect(await focused()).toBe("Continue");
  const [before] = await documents(page);
  const paused = await digest(page);
  await page.getByRole("button", { name: "One batch" }).press("Enter");
  await page.waitForFunction(
    (old) =>
      ![old, undefined].includes(document.querySelector(".train-digest")?.textContent ?? undefined),
    paused,
  );
  await states(page, "paused");
  expect(await focused()).toBe("One batch");
  const [after] = await documents(page);
  expect(after.batchLosses).toHaveLength(before.batchLosses.length + 1);

  await page.getByText("Change its hyperparameters while it trains").click();
  const details = page.getByRole("region", { name: "Selected run" });
  await details.getByLabel("Schedule of learningRate").selectOption("Constant");
  const rate = details.getByLabel(/^learningRate .*, as a number$/);
  await rate.fill("0.0007");
  await rate.press("Enter");
  await details.getByText(/changes? of hyperparameters/).waitFor();
  await page.getByRole("button", { name: "One batch" }).click();
  await states(page, "paused");
  await page.waitForFunction(
    (count) =>
      document.querySelector<HTMLProgressElement>(".train-table progress")!.value === count,
    after.batchLosses.length + 1,
  );
  const [changed] = await documents(page);
  expect(changed.learningRates.at(-1)).toBe(0.0007);
  expect(changed.changes.at(-1)).toEqual({
    batch: after.batchLosses.length,
    name: "learningRate",
    value: 0.0007,
  });
  // The change is in the address.
  await page.waitForURL((url) =>
    (url.searchParams.get("runs") ?? "").includes(`\\"batch\\":${after.batchLosses.length},`),
  );
  await page.getByRole("button", { name: "Continue" }).click();
  await states(page, "trains");
  await finish();
});

test("a digit is drawn with a pointer or with keys, and recognised", async () => {
  const { page, finish } = await site.open(query({ epochs: "1", batch: "100" }));
  await start(page);
  await states(page, "finished");
  const pad = page.getByRole("application", { name: /^Drawing pad/ });
  await pad.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await pad.boundingBox())!;
  const at = (right: number, down: number) => [x + right * width, y + down * height] as const;
  await page.mouse.move(...at(0.3, 0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.7, 0.2), { steps: 10 });
  await page.mouse.move(...at(0.45, 0.85), { steps: 10 });
  await page.mouse.up();
  const sees = page.locator(".train-best");
  await expect.poll(() => sees.textContent()).toBe("7");
  await expect.poll(() => page.getByRole("status").textContent()).toBe("Adam sees a 7");

  await pad.press("Delete");
  await sees.waitFor({ state: "detached" });
  const press = async (times: number, ...keys: string[]): Promise<void> => {
    for (let i = 0; i < times; i += 1) for (const key of keys) await pad.press(key);
  };
  await press(7, "ArrowLeft");
  await press(1, "Space");
  await press(12, "ArrowRight");
  await press(8, "ArrowDown", "ArrowDown", "ArrowLeft");
  await press(1, "Space");
  await expect.poll(() => sees.textContent()).toBe("7");

  await page.getByRole("button", { name: "A held-out digit" }).click();
  await page.getByText(/^a held-out \d$/).waitFor();
  expect(await seriousViolations(page, ".train")).toEqual([]);
  await finish();
});
