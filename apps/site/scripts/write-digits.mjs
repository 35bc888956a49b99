// Writes src/generated/digits.bin, the digits that the page trains on: the file of `encodeDigits`, compressed with gzip.
import { mkdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { encodeDigits } from "@gradstep/digits";
import { readDigits } from "@gradstep/digits/read";

const folder = new URL("../src/generated/", import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL("digits.bin", folder), gzipSync(encodeDigits(readDigits()), { level: 9 }));
