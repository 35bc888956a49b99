import { readFileSync } from "node:fs";
import type { Page } from "playwright";
import { describe, expect, test } from "vitest";
import { rules } from "@gradstep/core/rules";
import type { MachineDocument } from "../../src/machine/machine-document.js";
import { useSite } from "./site.js";

const site = useSite();

/** The document that the page downloads. */
async function documentOf(page: Page): Promise<MachineDocument> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download the results as JSON" }).click(),
  ]);
  return JSON.parse(readFileSync(await download.path(), "utf8")) as MachineDocument;
}

describe("the whole page", () => {
  test("every backend of the browser is right, every bug is noticed, and the document says so", async () => {
    const { page, finish } = await site.open("demos/machine");
    const verdicts = page.getByRole("list", { name: "Verdicts" });
    await page.getByRole("button", { name: "Check the backends" }).click();
    for (const title of ["JavaScript", "WebAssembly", "WebAssembly, threads", "WebGPU"])
      await verdicts.getByText(new RegExp(`^${title} ✓ right`)).waitFor({ timeout: 300_000 });
    await page.getByText(/^16 of 16 backends .* failed\.$/).waitFor({ timeout: 120_000 });
    const { backends, mutants, machine, interrupted } = await documentOf(page);
    expect(interrupted).toBe(false);
    expect(machine.crossOriginIsolated).toBe(true);
    expect(machine.gpu?.isFallbackAdapter).toBe(true);
    expect(backends.map(({ name, status }) => [name, status])).toEqual(
      ["cpu-js", "cpu-js-exact", "wasm", "wasm-threads", "webgpu"].map((name) => [name, "right"]),
    );
    for (const backend of backends) {
      if (backend.status === "missing") throw new Error(backend.reason);
      expect(backend.checks.map(({ name }) => name)).toEqual(rules.map(({ name }) => name));
      expect(backend.worstErrorOverBound).toBeLessThanOrEqual(1);
      expect(backend.differingBits === 0).toBe(/exact|wasm/.test(backend.name));
    }
    expect(mutants).toMatchObject({ total: 16, killed: 16, falseAlarms: [] });
    await finish();
  }, 600_000);

  test("the benchmark loads TensorFlow.js when it starts, and measures every contender", async () => {
    const { page, responses, finish } = await site.open("demos/machine");
    await page.waitForLoadState("networkidle");
    const loaded = (): boolean => responses.some((one) => /benchmark\.worker/.test(one.url()));
    expect(loaded()).toBe(false);
    await page.getByRole("button", { name: "Measure the speed" }).click();
    await expect.poll(loaded).toBe(true);
    await page.getByRole("region", { name: /on the GPU/ }).waitFor({ timeout: 300_000 });
    await page.getByRole("button", { name: "Measure the speed" }).waitFor({ timeout: 60_000 });
    const { benchmark } = await documentOf(page);
    expect(benchmark.map(({ workload, processor }) => [workload, processor])).toEqual([
      ["adam-1e5", "CPU"],
      ["adam-1e6", "CPU"],
      ["adam-1e6", "GPU"],
    ]);
    expect(benchmark.flatMap(({ failures }) => failures)).toEqual([]);
    const names = benchmark.map(({ rows }) => rows.map(({ name }) => name));
    expect(names[0]).toEqual(expect.arrayContaining(["hand", "cpu-js", "wasm", "tfjs-wasm"]));
    expect(names[2]).toEqual(["copy", "wgsl", "webgpu", "tfjs-webgpu", "tfjs-fused"]);
    for (const { rows } of benchmark)
      for (const { stepNs } of rows) expect(stepNs).toBeGreaterThan(0);
    await finish();
  }, 600_000);
});

test("the address chooses backends, a run can be stopped, and keeps what it has", async () => {
  const { page, finish } = await site.open("demos/machine?without=wasm-threads,webgpu");
  const threads = page.getByRole("checkbox", { name: /^WebAssembly, threads/ });
  await threads.waitFor();
  expect(await threads.isChecked()).toBe(false);
  await page.getByRole("button", { name: "Check the backends" }).click();
  await page
    .getByRole("cell", { name: /^[01]\.\d{3}$/ })
    .first()
    .waitFor();
  await page.getByRole("button", { name: "Stop the checks" }).click();
  await page
    .getByText(/then stopped$/)
    .first()
    .waitFor();
  const { backends, interrupted } = await documentOf(page);
  expect(interrupted).toBe(true);
  expect(backends.every(({ status }) => status !== "wrong")).toBe(true);
  await page.getByRole("checkbox", { name: /^JavaScript, exact/ }).uncheck();
  await expect
    .poll(() => new URL(page.url()).searchParams.get("without"))
    .toBe("wasm-threads,webgpu,cpu-js-exact");
  await finish();
});
