import { readFile } from "node:fs/promises";
import type { Page } from "playwright";
import { expect, test } from "vitest";
import type { TrainingBackend } from "../../src/train/run-settings.js";
import { fewDigits } from "../few-digits.js";
import { phone } from "./reading-faults.js";
import { useSiteWithFewDigits } from "./site-with-few-digits.js";
import { trainedHere } from "./trained-here.js";
import {
  digest,
  documents,
  downloaded,
  query,
  start,
  startPaused,
  startWithOneBatch,
  states,
} from "./training-page.js";
import { seriousViolations } from "./violations.js";

const site = useSiteWithFewDigits();
const digits = fewDigits();

test.each<TrainingBackend>(["cpu-js", "webgpu"])(
  "a run trains on %s, with losses within 1e-4 of those on wasm",
  async (backend) => {
    const settings = { epochs: "1", batch: "40" };
    const expected = await trainedHere(settings, digits);
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

test("a run that is paused while it loads waits before its first batch", async () => {
  const { page, finish } = await site.open(query({ epochs: "1", batch: "100" }));
  await startPaused(page);
  const [{ batchLosses }] = await documents(page);
  expect(batchLosses).toEqual([]);
  await page.getByRole("button", { name: "Continue" }).click();
  await states(page, "finished");
  await finish();
});

test("a run whose rate was changed on the way ends with the same bits in a browser that has its address", async () => {
  const { page, finish } = await site.open(query({ epochs: "1", batch: "20" }));
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
  const { page, finish } = await site.open(query({ epochs: "1", batch: "100" }));
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
  const { page, finish } = await site.open(query({ epochs: "1", batch: "100" }));
  await page.getByLabel("Compare").selectOption("rates");
  await page.getByRole("button", { name: "Start all" }).click();
  await states(page, "finished", "finished", "finished");
  await page.waitForURL(
    ({ searchParams }) => (JSON.parse(searchParams.get("runs") ?? "[]") as unknown[]).length === 3,
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
  const settings = { epochs: "1", batch: "20", optimizer: "muon" };
  const expected = await trainedHere(settings, digits);
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
