import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { serveSite } from "../server/serve-site.mjs";

const folder = mkdtempSync(join(tmpdir(), "site-"));
for (const name of ["index", "page", "404"]) writeFileSync(join(folder, `${name}.html`), name);
writeFileSync(join(folder, "data.txt"), "data");
const site = await serveSite({ folder });

afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

test.each([
  ["", 200, "index"],
  ["?query", 200, "index"],
  ["page", 200, "page"],
  ["page?query=1", 200, "page"],
  ["page.html", 200, "page"],
  ["data.txt", 200, "data"],
  ["other", 404, "404"],
  ["other.html?query", 404, "404"],
  ["page/other", 404, "404"],
  ["%E0%A4%A", 404, "404"],
])("/%s answers %d with %s, cross-origin isolated", async (path, status, text) => {
  const response = await fetch(site.address + path);
  expect([response.status, await response.text()]).toEqual([status, text]);
  expect(response.headers.get("cross-origin-opener-policy")).toBe("same-origin");
  expect(response.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
});
