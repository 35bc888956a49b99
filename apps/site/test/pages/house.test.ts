import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { seriousViolations } from "./violations.js";
import { useSite } from "./site.js";

const site = useSite();

const paths = [
  "",
  "demos/train",
  "demos/playground",
  "demos/muon",
  "demos/splats",
  "demos/machine",
];

test("the first page loads at most 150 kB, compressed", async () => {
  const { page, responses, finish } = await site.open("");
  await page.waitForLoadState("networkidle");
  const bodies = await Promise.all(responses.map((response) => response.body()));
  const total = bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThanOrEqual(150_000);
  await finish();
});

test("optimizers race on the first page, until they are paused, and from where it is clicked", async () => {
  const { page, finish } = await site.open("");
  const map = page.locator(".home-race-map");
  const picture = (): Promise<string> =>
    map
      .locator("canvas")
      .nth(1)
      .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  const first = await picture();
  await expect.poll(picture).not.toBe(first);
  await page.getByRole("button", { name: "Pause" }).click();
  const paused = await picture();
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
  expect(await picture()).toBe(paused);
  await map.click({ position: { x: 40, y: 30 } });
  const start = map.locator(".home-race-start");
  await expect
    .poll(() => start.evaluate(({ style }) => parseFloat(style.left)))
    .toBeCloseTo(39, -1);
  expect(await picture()).not.toBe(paused);
  await page.getByRole("button", { name: "Play" }).waitFor();
  await finish();
});

test.each(paths)("axe finds nothing serious on /%s", async (path) => {
  const { page, finish } = await site.open(path);
  const controls = path === "" ? ".home-race-buttons button" : ".demo :is(button, input, select)";
  await page.locator(controls).first().waitFor();
  await page.waitForLoadState("networkidle");
  expect(await seriousViolations(page)).toEqual([]);
  await finish();
});

test("pages are cross-origin isolated, so that wasm can use threads", async () => {
  const { page, finish } = await site.open("");
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
  await finish();
});

test.each(paths.slice(1))(
  "on /%s, Tab goes through all controls, each with a name and a ring",
  async (path) => {
    const { page, finish } = await site.open(path, { reducedMotion: "reduce" });
    await page.locator(".demo :is(button, input, select)").first().waitFor();
    await page.locator(".demo").evaluate((demo) => {
      demo.tabIndex = -1;
      demo.focus();
    });
    const names: string[] = [];
    const ringless: string[] = [];
    // A trap would never end.
    while (names.length < 200) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate(() => {
        const element = document.activeElement!;
        if (element.closest(".demo") === null) return undefined;
        const labels = [...((element as HTMLInputElement).labels ?? [])];
        const name =
          element.getAttribute("aria-label") ??
          [...labels, element].map(({ textContent }) => textContent.trim()).join(" ");
        // A file is chosen with an input that is not seen: its label has the ring.
        const hasRing = [element, ...labels].some((one) => {
          const { outlineStyle, outlineWidth } = getComputedStyle(one);
          return outlineStyle === "solid" && outlineWidth === "2px";
        });
        return { name, hasRing };
      });
      if (focused === undefined) break;
      names.push(focused.name);
      if (!focused.hasRing) ringless.push(focused.name);
    }
    expect(ringless).toEqual([]);
    expect(names.filter((name) => name.trim() === "")).toEqual([]);
    expect(names.length).toBeGreaterThan(4);
    expect(names.length).toBeLessThan(200);
    await finish();
  },
);
