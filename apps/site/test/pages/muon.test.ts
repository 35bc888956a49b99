import { expect, test } from "vitest";
import { backendTitles } from "../../src/backends/browser-backends.js";
import { phone } from "./reading-faults.js";
import { useSite } from "./site.js";

const site = useSite();

test("a picture on every backend, of settings that are in the address", async () => {
  const { page, finish } = await site.open("demos/muon?kind=random&rows=4&columns=3&iterations=2");
  const map = page.getByRole("img", { name: /^Iteration 2: 4 × 3 values/ });
  await map.waitFor();
  const first = await map.getAttribute("aria-label");
  for (const title of Object.values(backendTitles)) {
    await page
      .getByLabel(title, { exact: title === "JavaScript" })
      .first()
      .check();
    // A picture of another seed has to arrive from this backend, and then the first one again.
    const seed = page.getByLabel("Seed, as a number");
    await seed.fill("2");
    await seed.blur();
    await expect.poll(() => map.getAttribute("aria-label")).not.toBe(first);
    await seed.fill("1");
    await seed.blur();
    await expect.poll(() => map.getAttribute("aria-label")).toBe(first);
  }
  await expect.poll(() => new URL(page.url()).searchParams.get("backend")).toBe("webgpu");
  await finish();
});

test("by keyboard", async () => {
  const { page, finish } = await site.open("demos/muon?rows=4&columns=4");
  await page.getByRole("img", { name: /^Iteration 5/ }).waitFor();
  await page.getByRole("slider", { name: "Iterations" }).focus();
  await page.keyboard.press("End");
  await page.getByRole("img", { name: /^Iteration 10/ }).waitFor();
  await expect.poll(() => new URL(page.url()).searchParams.get("iterations")).toBe("10");
  await finish();
});

test("on a phone, the pictures stay visible while a slider is moved", async () => {
  const { page, finish } = await site.open("demos/muon", { viewport: phone });
  const map = page.getByRole("img", { name: /^Iteration 5/ });
  await map.waitFor();
  for (const name of ["Iterations", "Noise", "Seed"]) {
    const slider = page.getByRole("slider", { name, exact: true });
    await slider.evaluate((one) => one.scrollIntoView({ block: "center" }));
    const [above, below] = await Promise.all([map.boundingBox(), slider.boundingBox()]);
    expect(above!.y).toBeGreaterThan(0);
    expect(below!.y).toBeGreaterThan(above!.y + above!.height);
    expect(below!.y).toBeLessThan(phone.height);
  }
  await finish();
});

test("a number that is being typed stays while a picture arrives", async () => {
  const { page, finish } = await site.open("demos/muon?rows=4&columns=4");
  await page.getByRole("img", { name: /^Iteration 5/ }).waitFor();
  const seed = page.getByLabel("Seed, as a number");
  await seed.fill("27");
  await page.getByRole("slider", { name: "Iterations" }).evaluate((slider: HTMLInputElement) => {
    slider.value = slider.max;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await page.getByRole("img", { name: /^Iteration 10/ }).waitFor();
  expect(await seed.inputValue()).toBe("27");
  await seed.blur();
  await expect.poll(() => new URL(page.url()).searchParams.get("seed")).toBe("27");
  await finish();
});
