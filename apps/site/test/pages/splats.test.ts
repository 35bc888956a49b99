import type { Locator, Page } from "playwright";
import { describe, expect, test } from "vitest";
import { violationsOf } from "./violations.js";
import { useSite } from "./site.js";

const site = useSite({ webgpuCanvas: true });

/** An animated GIF of one pixel, red and then blue. */
const animation = Buffer.from(
  [
    "474946383961" + "01000100" + "800000" + "ff0000" + "0000ff",
    "21f90400320000" + "00" + "2c00000000" + "01000100" + "00" + "02024401" + "00",
    "21f90400320000" + "00" + "2c00000000" + "01000100" + "00" + "02024c01" + "00",
    "3b",
  ].join(""),
  "hex",
);

/** A small training. */
const query = "size=48&splats=100&steps=60";

const numberOf = (page: Page, name: string): Locator =>
  page
    .locator(".splats-numbers div")
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator("dd");

const finished = (page: Page): Promise<void> =>
  page.getByRole("button", { name: "Train again" }).waitFor();

/** The mean difference of what two canvases show, from 0 to 255, and the range of values in the first. */
async function compare(page: Page, one: Locator, other: Locator) {
  const pictures = await Promise.all(
    [one, other].map(async (canvas) => (await canvas.screenshot()).toString("base64")),
  );
  return page.evaluate(async (files) => {
    const [a, b] = await Promise.all(
      files.map(async (file) => {
        const response = await fetch(`data:image/png;base64,${file}`);
        const bitmap = await createImageBitmap(await response.blob());
        const context = new OffscreenCanvas(120, 90).getContext("2d")!;
        context.drawImage(bitmap, 0, 0, 120, 90);
        return context.getImageData(0, 0, 120, 90).data;
      }),
    );
    const sum = a.reduce((total, value, i) => total + Math.abs(value - b[i]), 0);
    return { difference: sum / a.length, range: Math.max(...a) - Math.min(...a) };
  }, pictures);
}

describe("the splats", () => {
  test.each(["webgpu", "wasm"])(
    "on %s, the canvases show the picture and splats that are like it",
    async (backend) => {
      const { page, finish } = await site.open(`demos/splats?${query}&backend=${backend}`);
      await finished(page);
      expect(await numberOf(page, "Step").textContent()).toBe("60 of 60");
      expect(await numberOf(page, "Rounds").textContent()).toBe("12");
      expect(parseFloat((await numberOf(page, "PSNR").textContent())!)).toBeGreaterThan(24);
      await page
        .getByRole("status")
        .getByText(/^\d+ splats after 60 of 60 steps: /)
        .waitFor();
      const picture = page.locator(".splats-panel-picture canvas");
      const fit = page.locator(".splats-panel-fit canvas");
      // The browser shows a picture some frames after it was drawn.
      await expect
        .poll(async () => {
          const { range, difference } = await compare(page, picture, fit);
          return range > 150 && difference < 10;
        })
        .toBe(true);
      // Ellipses are something else.
      await page.getByLabel("Ellipses").check();
      await page.getByText("Splats, as ellipses").waitFor();
      await expect
        .poll(async () => (await compare(page, picture, fit)).difference)
        .toBeGreaterThan(10);
      expect(await violationsOf(page, ".splats")).toEqual([]);
      await finish();
    },
  );

  test("on a GPU without timestamps, the same training, and a word about it", async () => {
    const { page, finish } = await site.open("");
    await page.context().route("**/splats.worker-*.js", async (route) => {
      const response = await route.fetch();
      const withoutTimestamps = `{
        const { get } = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, "features");
        Object.defineProperty(GPUAdapter.prototype, "features", {
          get() {
            return new Set([...get.call(this)].filter((name) => name !== "timestamp-query"));
          },
        });
      }`;
      await route.fulfill({ response, body: `${withoutTimestamps}\n${await response.text()}` });
    });
    await page.goto(new URL(`demos/splats?${query}&backend=webgpu`, page.url()).href);
    await finished(page);
    expect(await numberOf(page, "GPU, per step").textContent()).toBe("has no timestamps");
    expect(await numberOf(page, "Step").textContent()).toBe("60 of 60");
    expect(parseFloat((await numberOf(page, "PSNR").textContent())!)).toBeGreaterThan(24);
    await finish();
  });

  test("after the GPU is lost, the page says what to do, and Restart trains on a new one", async () => {
    const { page, finish } = await site.open("");
    const worker = "**/splats.worker-*.js";
    await page.context().route(worker, async (route) => {
      const response = await route.fetch();
      // While values are read, which fails before the page is told of the loss.
      const lose = `{
        const { requestDevice } = GPUAdapter.prototype;
        const { mapAsync } = GPUBuffer.prototype;
        let device;
        GPUAdapter.prototype.requestDevice = async function (...options) {
          device = await requestDevice.apply(this, options);
          return device;
        };
        GPUBuffer.prototype.mapAsync = function (...options) {
          const mapped = mapAsync.apply(this, options);
          device.destroy();
          return mapped;
        };
      }`;
      await route.fulfill({ response, body: `${lose}\n${await response.text()}` });
    });
    await page.goto(
      new URL("demos/splats?size=48&splats=60&steps=4000&backend=webgpu", page.url()).href,
    );
    await page.getByRole("alert").getByText("Restart begins again at step 0.").waitFor();
    expect(await page.getByRole("button", { name: "One step" }).isDisabled()).toBe(true);
    await page.context().unroute(worker);
    await page.getByRole("button", { name: "Restart" }).press("Enter");
    await page.getByRole("alert").waitFor({ state: "detached" });
    await expect.poll(() => numberOf(page, "Step").textContent()).toMatch(/ of 4000$/);
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.textContent))
      .toBe("Restart");
    await finish();
  });

  test("pause, step and restart; changes are in the address", async () => {
    const { page, finish } = await site.open(
      "demos/splats?size=48&splats=60&steps=4000&backend=wasm",
    );
    await page.getByRole("button", { name: "Pause" }).press("Enter");
    await page.getByRole("button", { name: "Train", exact: true }).waitFor();
    const stepNow = async () => parseInt((await numberOf(page, "Step").textContent())!, 10);
    await expect.poll(stepNow).toBeGreaterThan(0);
    const step = await stepNow();
    await page.getByRole("button", { name: "One step" }).press("Enter");
    await expect.poll(stepNow).toBe(step + 1);

    await page.getByLabel("Opacity, as a number").fill("0.01");
    await page.getByLabel("Opacity, as a number").blur();
    await page.getByLabel("Layout").selectOption("slider");
    await page.getByRole("slider", { name: "Picture on the left" }).press("End");
    const fromAddress = (name: string) => new URL(page.url()).searchParams.get(name);
    await expect
      .poll(() => [fromAddress("opacity"), fromAddress("layout")])
      .toEqual(["0.01", "slider"]);

    // A change of the training starts it again.
    await page.getByLabel("Steps, as a number").fill("50");
    await page.getByLabel("Steps, as a number").blur();
    await expect.poll(() => numberOf(page, "Step").textContent()).toBe("50 of 50");
    await finished(page);
    expect(fromAddress("steps")).toBe("50");
    await finish();
  });

  test("a file of the visitor, and one that is no picture", async () => {
    const { page, finish } = await site.open(`demos/splats?${query}&backend=wasm`);
    await finished(page);
    const red = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(40, 80);
      const context = canvas.getContext("2d")!;
      context.fillStyle = "#f00";
      context.fillRect(0, 0, 40, 80);
      return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
    });
    const files = page.getByLabel("Your own picture");
    await files.setInputFiles({ name: "red.png", mimeType: "image/png", buffer: Buffer.from(red) });
    await expect
      .poll(() =>
        page.locator(".splats-panel-fit canvas").evaluate((canvas) => {
          const { width, height } = canvas as HTMLCanvasElement;
          return height / width;
        }),
      )
      .toBe(2);
    // Its canvas has its shape before the page knows that the training has begun again.
    await expect
      .poll(async () => parseFloat((await numberOf(page, "PSNR").textContent())!))
      .toBeGreaterThan(30);
    await finished(page);

    const line = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(170, 10);
      canvas.getContext("2d")!.fillRect(0, 0, 170, 10);
      const blob = await canvas.convertToBlob();
      return [...new Uint8Array(await blob.arrayBuffer())];
    });
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
    for (const [name, content, message] of [
      ["line.png", line, /^line\.png has 170 × 10 pixels\. Crop it/],
      ["text.png", Buffer.from("no"), /^text\.png cannot be read/],
      ["drawing.svg", Buffer.from(svg), /^drawing\.svg cannot be read: .* as PNG first\.$/],
    ] as const) {
      await files.setInputFiles({ name, mimeType: "image/png", buffer: Buffer.from(content) });
      await page.getByRole("alert").getByText(message).waitFor();
    }
    await page.getByRole("button", { name: "Lake at sunset" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });

    // While a file is decoded, the page says so. The one that is chosen last is the picture.
    await page.evaluate(() => {
      const decode = globalThis.createImageBitmap;
      globalThis.createImageBitmap = async (source: ImageBitmapSource) => {
        globalThis.createImageBitmap = decode;
        await new Promise((resolve) => addEventListener("focusin", resolve, { once: true }));
        return decode(source);
      };
    });
    await files.setInputFiles({
      name: "huge.png",
      mimeType: "image/png",
      buffer: Buffer.from(red),
    });
    await page.getByRole("status").getByText("Reading huge.png …").waitFor();
    await files.setInputFiles({ name: "two.gif", mimeType: "image/gif", buffer: animation });
    const ratio = () =>
      page.locator(".splats-panel-fit canvas").evaluate((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement;
        return height / width;
      });
    await expect.poll(ratio).toBe(1);
    await page.getByRole("button", { name: "Restart" }).focus();
    await finished(page);
    await page
      .getByRole("status")
      .getByText(/after 60 of 60 steps/)
      .waitFor();
    expect(await ratio()).toBe(1);
    await finish();
  });
});
