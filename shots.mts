import { chromium as pw } from "playwright";
import { chromium } from "./testing/chromium.js";
import { readdirSync } from "node:fs";
const dir = readdirSync("apps/site").includes("server") ? "./apps/site/server/serve-site.mjs" : "./apps/site/scripts/serve-site.mjs";
const { serveSite } = await import(dir);
const site = await serveSite();
const browser = await pw.launch((await chromium())!);
for (const path of process.argv[2]!.split(",")) for (const [size, width, height] of [["desk",1280,800],["phone",390,844]] as const) for (const scheme of ["light","dark"] as const) {
  if (process.argv[3] && !process.argv[3].split(",").includes(`${size}-${scheme}`)) continue;
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
  await page.goto(site.address + path);
  await page.waitForTimeout(400);
  await page.screenshot({ path: `/tmp/docs-shots/${path.replace(/\W/g,"-") || "index"}-${size}-${scheme}.png`, fullPage: process.argv[4] === "full" });
  await page.close();
}
await browser.close(); await site.close(); process.exit(0);
