import type { Page } from "playwright";
import { describe, expect, test } from "vitest";
import { seriousViolations } from "./violations.js";
import { useSite } from "./site.js";

const site = useSite();

/** Shows the paths at once instead of playing them. */
const calm = { reducedMotion: "reduce" } as const;

/** The cells of the row of an optimizer in the table of values. */
async function valuesOf(page: Page, optimizer: string): Promise<readonly string[]> {
  const row = page.locator("tbody tr").filter({
    has: page.getByRole("rowheader", { name: optimizer, exact: true }),
  });
  return row.first().locator("td").allTextContents();
}

/** Waits until an optimizer has values, and returns them as numbers: f, x, y. */
async function numbersOf(page: Page, optimizer: string): Promise<readonly number[]> {
  let cells: readonly string[] = [];
  await expect
    .poll(async () => {
      cells = await valuesOf(page, optimizer);
      return cells.length;
    })
    .toBeGreaterThan(2);
  return cells.slice(0, 3).map((text) => Number(text.replaceAll("−", "-")));
}

/** Goes through the history by one entry, and waits until the page is told. Asks again if nothing comes for a minute. */
async function travel(page: Page, way: "back" | "forward"): Promise<void> {
  await page.evaluate(
    (direction) =>
      new Promise<void>((resolve) => {
        const again = setInterval(() => history[direction](), 60_000);
        const arrive = (): void => {
          clearInterval(again);
          resolve();
        };
        addEventListener("popstate", arrive, { once: true });
        history[direction]();
      }),
    way,
  );
}

const query =
  "surface=himmelblau&start=-1,-2&steps=80&runners=adam(learningRate:0.05);clip-by-norm(clipNorm:5)~sgd(learningRate:0.02)";

describe("the playground", () => {
  describe.each(["cpu-js", "cpu-js-exact", "wasm", "wasm-threads", "webgpu"])(
    "on %s",
    (backend) => {
      test("optimizers race, and end where they end everywhere", async () => {
        const { page, finish } = await site.open(
          `demos/playground?${query}&backend=${backend}`,
          calm,
        );
        const [value, x, y] = await numbersOf(page, "adam");
        expect(Math.hypot(x + 3.78, y + 3.283)).toBeLessThan(0.1);
        expect(value).toBeCloseTo((x ** 2 + y - 11) ** 2 + (x + y ** 2 - 7) ** 2, 1);
        const [, sgdX, sgdY] = await numbersOf(page, "clip-by-norm + sgd");
        expect(Math.hypot(sgdX + 3.78, sgdY + 3.283)).toBeLessThan(0.2);
        await page.getByText("Noise, map and backend").click();
        expect(await page.locator(`input[name="backend"]:checked`).count()).toBe(1);
        await finish();
      });
    },
  );

  test("a changed rule races at once, and a mistake is shown at its column", async () => {
    const { page, finish } = await site.open(
      "demos/playground?surface=himmelblau&start=-1,-2&steps=40&runners=sgd(learningRate:0.001)",
      calm,
    );
    const [before] = await numbersOf(page, "sgd");
    await page.locator("summary").filter({ hasText: "sgd" }).click();
    await page.getByRole("button", { name: "Edit the mathematics" }).click();
    const editor = page.getByRole("textbox", { name: "The text of the rule my-sgd" });
    await editor.waitFor();
    expect(await numbersOf(page, "my-sgd")).toEqual(await numbersOf(page, "sgd"));

    // The cursor stands at the end of the last line, `u = g * learningRate`.
    await editor.focus();
    await page.keyboard.press("Control+End");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.type(" * 4");
    const status = page.locator(".playground-editor [role=status]").first();
    await expect.poll(() => status.textContent()).toContain("races");
    await expect.poll(async () => (await numbersOf(page, "my-sgd"))[0]).not.toBe(before);
    const [faster] = await numbersOf(page, "my-sgd");
    expect(faster).toBeLessThan(before);
    expect((await numbersOf(page, "sgd"))[0]).toBe(before);

    await page.keyboard.type(" * xx");
    await expect
      .poll(() => status.textContent())
      .toMatch(/Line 7, column 30:.*"xx" has no value here/);
    await expect.poll(() => page.locator(".cm-lintRange-error").textContent()).toBe("xx");
    expect((await numbersOf(page, "my-sgd"))[0]).toBe(faster);

    for (let i = 0; i < " * xx".length; i += 1) await page.keyboard.press("Backspace");
    await expect.poll(() => status.textContent()).toContain("races");
    // The address holds the rule: the same view in a new page.
    await expect
      .poll(() => new URL(page.url()).searchParams.get("rule.my-sgd"))
      .toMatch(/u = g \* learningRate \* 4$/m);
    await page.reload();
    expect((await numbersOf(page, "my-sgd"))[0]).toBe(faster);

    // Buttons that disappear hand on the focus.
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await page.getByRole("button", { name: "Close the editor" }).press("Enter");
    await expect.poll(focused).toBe("sgd");
    await page.locator("summary").filter({ hasText: "my-sgd" }).click();
    await page.getByRole("button", { name: "Remove my-sgd" }).press("Enter");
    await expect.poll(focused).toBe("sgd");
    await finish();
  });

  test("weights to evaluate with have a row; rules of one's own have choices", async () => {
    const rule = `hyperparameters:
  learningRate = 0.02, min 0
options:
  direction = steepest, sign
perElement:
  when direction = steepest: u = g * learningRate
  when direction = sign: u = sign(g) * learningRate
`;
    const { page, finish } = await site.open(
      `demos/playground?surface=noisy&steps=60&runners=adam(learningRate:0.2)~ema;mine&rule.mine=${encodeURIComponent(rule)}`,
      calm,
    );
    const [, x, y] = await numbersOf(page, "adam + ema");
    const [, evaluatedX, evaluatedY] = await numbersOf(page, "adam + ema, to evaluate");
    expect(Math.hypot(x - evaluatedX, y - evaluatedY)).toBeGreaterThan(0.01);
    expect(await page.getByText("the weights to evaluate with").count()).toBe(1);

    const [before] = await numbersOf(page, "mine");
    await page.locator("summary").filter({ hasText: "mine" }).click();
    await page.locator("summary").filter({ hasText: "Options of" }).click();
    await page.getByLabel(/^direction/).selectOption("sign");
    await expect.poll(async () => (await numbersOf(page, "mine"))[0]).not.toBe(before);
    await expect.poll(() => page.url()).toContain("direction%3Asign");
    await finish();
  });

  test("a formula of one's own, with the column of a mistake", async () => {
    const { page, finish } = await site.open(
      "demos/playground?steps=200&runners=sgd(learningRate:0.1)",
      calm,
    );
    const formula = page.getByLabel("f(x, y) =");
    await formula.fill("(x - 1)^2 + (y + z)^2");
    await expect
      .poll(() => page.locator(".playground-formula [role=status]").textContent())
      .toContain("Column 18:");
    expect(await formula.getAttribute("aria-invalid")).toBe("true");
    await formula.fill("(x - 1)^2 + (y + 0.5)^2");
    await expect.poll(async () => (await numbersOf(page, "sgd")).slice(1)).toEqual([1, -0.5]);
    await expect.poll(() => page.url()).toContain("surface=own");
    await finish();
  });

  test("arrow keys move the start; a lesson sets the view", async () => {
    const { page, finish } = await site.open("demos/playground?surface=noisy&steps=10", calm);
    const start = page.locator(".playground-start");
    await start.focus();
    await page.keyboard.press("Shift+ArrowRight");
    await expect.poll(() => start.getAttribute("aria-label")).toContain("x -2.4, y 2.4");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => start.getAttribute("aria-label")).toContain("x -2.4, y 2.32");
    await expect.poll(() => new URL(page.url()).searchParams.get("start")).toBe("-2.4,2.32");

    await page.getByText("Momentum with and without nesterov").click();
    await expect.poll(() => new URL(page.url()).searchParams.get("surface")).toBe("valley");
    const [nesterov] = await numbersOf(page, "sgd, nesterov");
    const [plain] = await numbersOf(page, "sgd");
    expect([plain, nesterov].every((value) => Number.isFinite(value))).toBe(true);
    await finish();
  });

  test("a lesson is an entry of the history: the view before comes back, as it was left", async () => {
    const { page, finish } = await site.open("demos/playground?surface=noisy&steps=10", calm);
    const start = page.locator(".playground-start");
    await start.focus();
    await page.keyboard.press("Shift+ArrowRight");
    await page.getByText("Momentum with and without nesterov").click();
    await numbersOf(page, "sgd, nesterov");
    await page.getByText("β₁ of 0, 0.9 and 0.99").click();
    await numbersOf(page, "adam, beta1 0.99");
    await travel(page, "back");
    await numbersOf(page, "sgd, nesterov");
    await expect.poll(() => new URL(page.url()).searchParams.get("steps")).toBe("200");
    await travel(page, "back");
    await expect.poll(() => start.getAttribute("aria-label")).toContain("x -2.4, y 2.4");
    await expect.poll(() => new URL(page.url()).searchParams.get("surface")).toBe("noisy");
    await travel(page, "forward");
    await numbersOf(page, "sgd, nesterov");
    await finish();
  });

  test("keys that go through a list add nothing, and what is pressed keeps the focus", async () => {
    const { page, finish } = await site.open(
      "demos/playground?surface=noisy&steps=2&runners=sgd",
      calm,
    );
    await numbersOf(page, "sgd");
    const labels = () => page.locator(".playground-runner > summary").allTextContents();
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    const list = page.getByLabel("Add an optimizer");
    await list.focus();
    while ((await list.inputValue()) !== "adagrad") await page.keyboard.press("ArrowDown");
    expect(await labels()).toEqual(["sgd"]);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(labels).toEqual(["sgd", "adagrad"]);
    await expect.poll(focused).toBe("adagrad");

    const rule = page.locator(".playground-runner[open] select").first();
    await rule.focus();
    await page.keyboard.press("ArrowDown");
    await expect.poll(labels).not.toContain("adagrad");
    await expect
      .poll(() => rule.evaluate((select) => select === document.activeElement))
      .toBe(true);

    const back = page.getByRole("button", { name: "One step back" });
    await back.focus();
    for (let i = 0; i < 3; i += 1) await page.keyboard.press("Enter");
    await page.getByText("0 / 2", { exact: true }).waitFor();
    expect(await focused()).toContain("One step back");

    const race = page.getByRole("button", { name: "Race on every backend" });
    await race.press("Enter");
    await page.getByText("The races are finished.").waitFor();
    expect(await focused()).toBe("Race on every backend");
    await finish();
  });

  test("every lesson's view can be read and run", async () => {
    const { page, finish } = await site.open("demos/playground", calm);
    const lessons = page.locator(".playground-lesson");
    const count = await lessons.count();
    expect(count).toBeGreaterThan(10);
    for (let i = 0; i < count; i += 1) {
      await lessons.nth(i).evaluate((link: HTMLElement) => link.click());
      await expect
        .poll(() => page.locator(".playground-columns tbody tr td:nth-child(3)").count())
        .toBeGreaterThan(1);
      expect(await page.locator(".playground [role=alert]").allTextContents()).toEqual([]);
    }
    await finish();
  });

  test("a step is explained with its numbers", async () => {
    const { page, finish } = await site.open(
      "demos/playground?start=-1.2,1&steps=20&runners=sgd(learningRate:0.001)",
      calm,
    );
    await numbersOf(page, "sgd");
    await page.locator(".playground-explanation select").selectOption({ label: "sgd" });
    const line = page.locator(".playground-lines tr").filter({ hasText: "u = g * learningRate" });
    // ∂f/∂x = −2(1 − x) − 400x(y − x²) at (−1.2, 1)
    await expect.poll(() => line.textContent()).toContain("−0.2156= (−216) * 0.001");
    await finish();
  });

  test("a list of numbers that is being typed stays while the page draws itself", async () => {
    const { page, finish } = await site.open(
      "demos/playground?runners=sgd(learningRate:piecewise-constant(boundaries:[9],values:[0.001,0.0001]))",
      calm,
    );
    await page.locator("summary").filter({ hasText: "sgd" }).click();
    const boundaries = page.getByLabel("boundaries");
    await boundaries.fill("12");
    await page.getByRole("slider", { name: /^momentum/ }).evaluate((slider: HTMLInputElement) => {
      slider.value = "200";
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await expect.poll(() => page.url()).toContain("momentum");
    expect(await boundaries.inputValue()).toBe("12");
    await boundaries.blur();
    await expect.poll(() => decodeURIComponent(page.url())).toContain("boundaries:[12]");
    await finish();
  });

  test("the learning rate of an optimizer whose settings are closed can be moved", async () => {
    const { page, finish } = await site.open(
      "demos/playground?surface=own&formula=x^2%2By^2&start=2,1&steps=5&runners=sgd(learningRate:0.1)",
      calm,
    );
    const slider = page.getByRole("slider", { name: "Learning rate of sgd" });
    await slider.focus();
    for (let i = 0; i < 20; i += 1) await page.keyboard.press("ArrowLeft");
    const rate = async () => Number(await slider.getAttribute("aria-valuetext"));
    await expect.poll(rate).toBeLessThan(0.1);
    // Each step of gradient descent multiplies both by 1 − 2η.
    await expect
      .poll(async () => {
        const x = 2 * (1 - 2 * (await rate())) ** 5;
        return Math.abs((await numbersOf(page, "sgd"))[1] / x - 1);
      })
      .toBeLessThan(1e-3);
    await expect.poll(async () => page.url().includes(`learningRate%3A${await rate()}`)).toBe(true);
    // The line of the step shown is where the axis ends.
    await expect
      .poll(async () => {
        const [mark, axis] = await Promise.all(
          [".curves-mark", ".u-over"].map((name) => page.locator(name).boundingBox()),
        );
        return Math.abs(mark!.x - axis!.x - axis!.width);
      })
      .toBeLessThan(2);
    await finish();
  });

  test("all backends are compared with the exact one", async () => {
    const { page, finish } = await site.open(`demos/playground?${query}`, calm);
    await numbersOf(page, "adam");
    await page.getByRole("button", { name: "Race on every backend" }).click();
    const cells = page.locator(".playground-comparison tbody tr").first().locator("td");
    await expect.poll(() => cells.count()).toBe(5);
    const [, exact, wasm] = await cells.allTextContents();
    expect([exact, wasm]).toEqual(["same bits", "same bits"]);
    await finish();
  });

  test.each([
    ["light", 1280],
    ["dark", 390],
  ] as const)(
    "axe finds nothing serious with everything open, %s, %d wide",
    async (theme, width) => {
      const { page, finish } = await site.open(
        "demos/playground?steps=20&runners=adam;clip-by-norm~sgd(learningRate:linear(from:0.1,to:0,steps:20));my-rule&rule.my-rule=" +
          encodeURIComponent(
            "hyperparameters:\n  learningRate = 0.1\nperElement:\n  u = g * learningRate\n",
          ),
        { ...calm, colorScheme: theme, viewport: { width, height: 844 } },
      );
      await numbersOf(page, "my-rule");
      await page.locator("summary").filter({ hasText: "clip-by-norm" }).click();
      await page.locator("summary").filter({ hasText: "Options of" }).click();
      await page.getByText("Noise, map and backend").click();
      await page.locator(".playground-explanation select").selectOption({ label: "adam" });
      await page.locator(".playground-lines").waitFor();
      await page.locator(".cm-content").waitFor();
      expect(await seriousViolations(page, ".VPDoc")).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
      await finish();
    },
  );
});
