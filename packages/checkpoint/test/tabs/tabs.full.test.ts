import { afterAll, describe, expect, test } from "vitest";
import type { StoreName } from "./tab-program.js";
import { call, Tabs, written } from "./tabs.js";

/** 12 MiB: three pieces, and more than twelve chunks. */
const length = 3 * 2 ** 20;

const id = expect.stringMatching(/^checkpoint-/) as string;
const found = await Tabs.create();
const tabs = found as Tabs;

afterAll(() => found?.close());

describe.skipIf(found === undefined).each(["indexedDbStore", "opfsStore"] as const)(
  "%s",
  (kind) => {
    const nameOf = (name: string): StoreName => ({ kind, name });

    test("a second tab gets the lock when the first one is closed, killed or reloaded", async () => {
      const store = nameOf("locked");
      const refusal = { code: "STORE_LOCKED", message: expect.stringContaining("Another tab") };
      const ends = [
        () => first.close(),
        () => tabs.killRenderers(),
        () => first.goto("about:blank"),
        () => call(first, "unlock"),
      ];
      let first = await tabs.open();
      for (const end of ends) {
        first = await tabs.open();
        let second = await tabs.open();
        await expect.poll(() => call(first, "lock", store)).toBe("locked");
        expect(await call(second, "lock", store)).toEqual(refusal);
        await end();
        // The tabs of one site can have one process.
        if (end === ends[1]) second = await tabs.open();
        const next = second;
        await expect.poll(() => call(next, "lock", store)).toBe("locked");
        await second.close();
      }
      for (let i = 0; i < 3; i++) {
        await first.goto(`${tabs.origin}/?${i}`);
        await expect.poll(() => call(first, "lock", store)).toBe("locked");
      }
      await first.close();
    });

    test("a used up quota is OUT_OF_SPACE, and what was there stays", async () => {
      const store = nameOf("quota");
      let page = await tabs.open();
      expect(await call(page, "save", store, 1, length)).toEqual(id);
      // Chromium asks for the quota of IndexedDB when it starts, and then twice a minute.
      await tabs.killBrowser();
      page = await tabs.open();
      const session = await page.context().newCDPSession(page);
      const { origin } = tabs;
      const { usage } = await session.send("Storage.getUsageAndQuota", { origin });
      const quotaSize = kind === "opfsStore" ? usage + 6_000_000 : 1_000_000;
      await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize });
      try {
        for (let i = 0; i < 3; i++) {
          expect(await call(page, "save", store, 2, length)).toEqual({
            code: "OUT_OF_SPACE",
            message: expect.stringContaining("quota") as string,
          });
          expect(await call(page, "saved", store)).toEqual([1]);
          expect(await call(page, "unfinished", store)).toBe(0);
        }
      } finally {
        await session.send("Storage.overrideQuotaForOrigin", { origin });
      }
      expect(await call(page, "save", store, 3, length)).toEqual(id);
      expect(await call(page, "saved", store)).toEqual([1, 3]);
      await page.close();
    });

    test("data of the site cleared during a save: STORE_FAILED, and the next save starts an empty store", async () => {
      const store = nameOf("cleared");
      const page = await tabs.open();
      expect(await call(page, "save", store, 1, length)).toEqual(id);
      const session = await page.context().newCDPSession(page);
      const stopped = written(page, "stopped");
      const save = call(page, "saveInTwoParts", store, 2, length, 6);
      await stopped;
      await session.send("Storage.clearDataForOrigin", {
        origin: tabs.origin,
        storageTypes: "all",
      });
      await call(page, "goOn");
      expect(await save).toEqual({
        code: "STORE_FAILED",
        message: expect.stringContaining("data of this site was cleared"),
      });
      expect(await call(page, "saved", store)).toEqual([]);
      expect(await call(page, "save", store, 3, length)).toEqual(id);
      expect(await call(page, "saved", store)).toEqual([3]);
      await page.close();
    });

    test("data of the site cleared during a read: STORE_FAILED", async () => {
      const store = nameOf("cleared");
      const page = await tabs.open();
      expect(await call(page, "save", store, 1, length)).toEqual(id);
      const session = await page.context().newCDPSession(page);
      const begun = written(page, "read");
      const read = call(page, "readInTwoParts", store);
      await begun;
      await session.send("Storage.clearDataForOrigin", {
        origin: tabs.origin,
        storageTypes: "all",
      });
      await call(page, "goOn");
      expect(await read).toMatchObject({ code: "STORE_FAILED" });
      await page.close();
    });
  },
);

test.skipIf(found === undefined)(
  "a tab that deletes the database does not wait for one that saves, whose save fails",
  async () => {
    const store: StoreName = { kind: "indexedDbStore", name: "deleted" };
    const [saving, other] = [await tabs.open(), await tabs.open()];
    await call(saving, "save", store, 1, length);
    const stopped = written(saving, "stopped");
    const save = call(saving, "saveInTwoParts", store, 2, length, 6);
    await stopped;
    expect(await call(other, "deleteDatabase", "deleted")).toBe("success");
    await call(saving, "goOn");
    expect(await save).toMatchObject({ code: "STORE_FAILED" });
    await call(saving, "save", store, 3, length);
    expect(await call(other, "saved", store)).toEqual([3]);
    await saving.close();
    await other.close();
  },
);
