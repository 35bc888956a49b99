import { readFile } from "node:fs/promises";
import type { Page } from "playwright";
import { describe, expect, test } from "vitest";
import type { RunDocument } from "../../src/train/run-document.js";
import type { TrainingBackend } from "../../src/train/run-settings.js";
import { phone } from "./reading-faults.js";
import { seriousViolations } from "./violations.js";
import { useSite } from "./site.js";
import { trainedHere } from "./trained-here.js";
import { start, startPaused, startWithOneBatch, states } from "./training-page.js";

const site = useSite();

/** The SHA-256 of the weights of the selected run. */
async function digest(page: Page): Promise<string> {
  return (await page.locator(".train-digest").textContent()) ?? "";
}

async function downloaded(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button }).click(),
  ]);
  return readFile(await download.path(), "utf8");
}

async function documents(page: Page): Promise<readonly RunDocument[]> {
  const { runs } = JSON.parse(await downloaded(page, "Download JSON")) as { runs: RunDocument[] };
  return runs;
}

const query = (state: Readonly<Record<string, string>>): string =>
  `demos/train?${new URLSearchParams(state).toString()}`;

test("a run trains on wasm and on wasm with threads, with the same bits", async () => {
  const { page, finish } = await site.open(query({ epochs: "1", batch: "2000" }));
  await start(page);
  await states(page, "finished");
  const alone = await digest(page);
  expect(alone).toMatch(/^[0-9a-f]{64}$/);
  await page.getByRole("radio", { name: "WebAssembly, threads" }).click();
  await start(page);
  await states(page, "finished", "finished");
  expect(await digest(page)).toBe(alone);
  const [{ batchLosses, settings }, threaded] = await documents(page);
  expect(settings).toMatchObject({ optimizer: "adam", backend: "wasm", batchSize: 2000 });
  expect(threaded.settings.backend).toBe("wasm-threads");
  // Before anything is learned, all ten classes are about as probable.
  expect(batchLosses).toHaveLength(4);
  expect(Math.abs(batchLosses[0] - Math.log(10))).toBeLessThan(0.3);
  expect(batchLosses[3]).toBeLessThan(batchLosses[0]);
  expect(threaded.batchLosses).toEqual(batchLosses);
  await finish();
});

test("every chart has a legend, with the values under the pointer", async () => {
  const { page, finish } = await site.open(query({ epochs: "1", batch: "2000" }));
  await start(page);
  await states(page, "finished");
  const [run] = await documents(page);
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
  await finish();
});

describe("the page", () => {
  test.each<TrainingBackend>(["wasm", "wasm-threads"])(
    "trains on %s with the bits of a process of Node",
    async (backend) => {
      const settings = { epochs: "1", batch: "200" };
      const expected = await trainedHere(settings);
      const { page, finish } = await site.open(query({ ...settings, backend }));
      await start(page);
      await states(page, "finished");
      expect(await digest(page)).toBe(expected.digest);
      const [{ batchLosses, result }] = await documents(page);
      expect(batchLosses).toEqual(expected.losses);
      expect(result).toMatchObject({ accuracy: expected.accuracy, loss: expected.loss });
      await finish();
    },
  );

  test.each<TrainingBackend>(["cpu-js", "webgpu"])(
    "trains on %s, with losses within 1e-4 of those on wasm",
    async (backend) => {
      const settings = { epochs: "1", batch: "800" };
      const expected = await trainedHere(settings);
      const { page, finish } = await site.open(query({ ...settings, backend }));
      await start(page);
      await states(page, "finished");
      const [{ batchLosses }] = await documents(page);
      expect(batchLosses).toHaveLength(expected.losses.length);
      batchLosses.forEach((loss, batch) =>
        expect(Math.abs(loss - expected.losses[batch])).toBeLessThan(1e-4),
      );
      await finish();
    },
  );

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
        ![old, undefined].includes(
          document.querySelector(".train-digest")?.textContent ?? undefined,
        ),
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

  test("a run that is paused while it loads waits before its first batch", async () => {
    const { page, finish } = await site.open(query({ epochs: "1", batch: "2000" }));
    await startPaused(page);
    const [{ batchLosses }] = await documents(page);
    expect(batchLosses).toEqual([]);
    await page.getByRole("button", { name: "Continue" }).click();
    await states(page, "finished");
    await finish();
  });

  test("a run whose rate was changed on the way ends with the same bits in a browser that has its address", async () => {
    const { page, finish } = await site.open(query({ epochs: "1", batch: "400" }));
    await startWithOneBatch(page);
    await page.getByText("Change its hyperparameters while it trains").click();
    const beta1 = page
      .getByRole("region", { name: "Selected run" })
      .getByLabel(/^beta1 .*, as a number$/);
    await beta1.fill("0.6");
    await beta1.press("Enter");
    await page.getByText("1 change of hyperparameters").waitFor();
    await page.getByRole("button", { name: "Continue" }).click();
    await states(page, "finished");
    await page.waitForURL(/runs=.*beta1/);
    const expected = await digest(page);
    const { pathname, search } = new URL(page.url());
    // The run is this browser's own.
    await page.reload();
    await states(page, "finished");
    const offer = (one: Page) => one.getByRole("region", { name: "Runs of the address" });
    expect(await offer(page).count()).toBe(0);
    await finish();

    const other = await site.open(`${pathname.slice(1)}${search}`);
    await offer(other.page).getByRole("button", { name: "Train it" }).click();
    await states(other.page, "finished");
    await other.page.getByText("1 change of hyperparameters").waitFor();
    expect(await digest(other.page)).toBe(expected);
    await other.finish();
  });

  test("runs can be compared, named, hidden, downloaded and deleted; the settings are in the address", async () => {
    const { page, finish } = await site.open(query({ epochs: "1", batch: "2000" }));
    await page.getByLabel("Compare").selectOption({ label: "Adam, SGD, Lion and Muon" });
    await page.getByRole("button", { name: "Start all" }).click();
    await states(page, "finished", "finished", "finished", "finished");
    await page.getByRole("button", { name: "SGD" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("plain descent");
    await page.getByRole("textbox", { name: "Name" }).press("Enter");
    await page.getByLabel("Show Lion").uncheck();
    const names = (await documents(page)).map(({ name }) => name);
    expect(names).toEqual(["Adam", "plain descent", "Muon"]);
    const rows = (await downloaded(page, "Download CSV")).trimEnd().split("\r\n");
    expect(rows).toHaveLength(1 + 3 * 4);
    expect(rows[5]).toMatch(/^"plain descent",sgd,wasm,1,0\.3,2\.\d+$/);
    await page.getByRole("button", { name: "Use its settings" }).click();
    await page.waitForURL(/optimizer=sgd/);
    await page.getByRole("button", { name: "Delete" }).click();
    await states(page, "finished", "finished", "finished");
    expect(await seriousViolations(page, ".train")).toEqual([]);
    await page.reload();
    await states(page, "finished", "finished", "finished");
    expect((await documents(page)).map(({ name }) => name)).toEqual(["Adam", "Muon"]);
    await finish();
  });

  test("a comparison is in the address: another browser offers its runs, and they end with the same bits", async () => {
    const { page, finish } = await site.open(query({ epochs: "1", batch: "2000" }));
    await page.getByLabel("Compare").selectOption("rates");
    await page.getByRole("button", { name: "Start all" }).click();
    await states(page, "finished", "finished", "finished");
    await page.waitForURL(
      ({ searchParams }) =>
        (JSON.parse(searchParams.get("runs") ?? "[]") as unknown[]).length === 3,
    );
    const digests = (await documents(page)).map(({ result }) => result!.digest);
    const { pathname, search } = new URL(page.url());
    const address = `${pathname.slice(1)}${search}`;
    await finish();

    const other = await site.open(address, { colorScheme: "dark", viewport: phone });
    const offer = other.page.getByRole("region", { name: "Runs of the address" });
    await offer.waitFor();
    expect(await seriousViolations(other.page, ".train")).toEqual([]);
    // Also after a reload, until the visitor has decided.
    await other.page.reload();
    await offer.getByRole("button", { name: "Train them" }).click();
    await states(other.page, "finished", "finished", "finished");
    const again = await documents(other.page);
    expect(again.map(({ result }) => result!.digest)).toEqual(digests);
    expect(new Set(digests).size).toBe(3);
    await other.page.reload();
    await states(other.page, "finished", "finished", "finished");
    expect(await offer.count()).toBe(0);
    await other.finish();
  });

  test("a checkpoint is downloaded, and loaded in another browser, where the run ends with the same bits", async () => {
    const settings = { epochs: "1", batch: "400", optimizer: "muon" };
    const expected = await trainedHere(settings);
    const { page, finish } = await site.open(query(settings));
    await startWithOneBatch(page);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download checkpoint" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("muon.safetensors");
    const buffer = await readFile(await download.path());
    await finish();

    const other = await site.open("demos/train");
    const file = other.page.getByLabel("Load a checkpoint");
    const name = "muon.safetensors";
    const mimeType = "application/octet-stream";
    await file.setInputFiles({ name, mimeType, buffer: buffer.subarray(0, 1000) });
    await other.page.getByRole("alert").waitFor();
    await file.setInputFiles({ name, mimeType, buffer });
    await states(other.page, "paused");
    expect(await other.page.getByRole("alert").count()).toBe(0);
    const [loaded] = await documents(other.page);
    expect(loaded.batchLosses).toEqual(expected.losses.slice(0, loaded.batchLosses.length));
    await other.page.getByRole("button", { name: "Continue" }).click();
    await states(other.page, "finished");
    expect(await digest(other.page)).toBe(expected.digest);
    await other.finish();
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
});
