import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encodeDigits } from "@gradstep/digits";
import { afterAll } from "vitest";
import { fewDigits } from "../few-digits.js";
import { dist } from "./dist.js";
import { useSite, type Site } from "./site.js";

/**
 * The built site without its reference, and with a twentieth of the digits: for tests in which a run has to end, but need
 * not learn much.
 */
export function useSiteWithFewDigits(): Site {
  const folder = mkdtempSync(join(tmpdir(), "gradstep-few-digits-"));
  cpSync(dist, folder, { recursive: true, filter: (path) => path !== join(dist, "reference") });
  const assets = join(folder, "assets");
  const files = readdirSync(assets).filter((name) => /^digits-.*\.bin$/.test(name));
  if (files.length !== 1) throw new Error(`Of the files of ${assets}, one has the digits.`);
  writeFileSync(join(assets, files[0]), gzipSync(encodeDigits(fewDigits())));
  const site = useSite({ folder });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return site;
}
