import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cases, seed } from "../../../../testing/cases.js";
import type { StoreName } from "./tab-program.js";
import { call, Tabs, written } from "./tabs.js";

/** 6 MiB: two pieces, and more than six chunks. */
const length = 1.5 * 2 ** 20;

const ends: Readonly<Record<string, (page: Page, tabs: Tabs) => Promise<unknown>>> = {
  "kill -9 of the browser": (_, tabs) => tabs.killBrowser(),
  "kill -9 of the renderer": (_, tabs) => tabs.killRenderers(),
  "closed tab": (page) => page.close(),
  "crashed tab": async (page) => {
    const session = await page.context().newCDPSession(page);
    const crashed = page.waitForEvent("crash");
    // It has no answer.
    session.send("Page.crash").catch(() => {});
    await crashed;
    await page.close();
  },
  "left page": (page) => page.goto("about:blank"),
};

const found = await Tabs.create();

beforeAll(() => {
  console.log(`Seed ${seed}`);
});

afterAll(() => found?.close());

const stores = [
  ["indexedDbStore", "indexedDbStore", "saveForever"],
  ["opfsStore", "opfsStore", "saveForever"],
  ["opfsStore in a worker", "opfsStore", "saveForeverInWorker"],
] as const;

for (const [title, kind, run] of stores)
  test.skipIf(found === undefined)(
    `${title}: after each tab that was killed while it saved, the last whole checkpoint is there`,
    async () => {
      const tabs = found as Tabs;
      const store: StoreName = { kind, name: run };
      const random = randomNumbers(seed);
      let number = 1;
      let page = await tabs.open();
      await call(page, "save", store, number++, length);

      for (let round = 0; round < cases(50, 2); round++) {
        const [how, end] = Object.entries(ends)[round % 5];
        let last = number - 1;
        page.on("console", (line) => {
          const [, saved] = /^saved (\d+)$/.exec(line.text()) ?? [];
          if (saved !== undefined) last = Number(saved);
        });
        // Half of the tabs are killed at a random moment, the others while a save is known to be unfinished.
        const stopAfter = round % 2 === 0 ? 5 + Math.floor(random() * 2) : undefined;
        const begun = written(page, stopAfter === undefined ? "saving" : "stopped");
        void call(page, run, { ...store, first: number, length, stopAfter }).catch(() => {});
        await begun;
        if (stopAfter === undefined) await sleep(random() * 300);
        await end(page, tabs);

        if (how !== "closed tab" && how !== "kill -9 of the browser") await page.close();
        page = await tabs.open();
        const numbers = await call(page, "saved", store);
        if (!Array.isArray(numbers)) throw new Error(`Round ${round}, ${how}: ${numbers.message}`);
        const newest = numbers.at(-1) ?? 0;
        const stopped = stopAfter !== undefined;
        const unfinished = stopped ? await call(page, "unfinished", store) : 0;
        expect({ round, how, lost: newest < last, unfinished }).toEqual({
          round,
          how,
          lost: false,
          unfinished: stopped ? 1 : 0,
        });

        number = newest + 1;
        await call(page, "save", store, number++, length);
        expect({
          round,
          how,
          saved: await call(page, "saved", store),
          unfinished: await call(page, "unfinished", store),
        }).toEqual({ round, how, saved: [...numbers, newest + 1], unfinished: 0 });
        await call(page, "keepTwo", store);
      }
      await page.close();
    },
  );

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
function randomNumbers(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
