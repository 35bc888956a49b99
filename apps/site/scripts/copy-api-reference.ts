// Copies the API reference to content/reference/api, where `pnpm run docs` makes pages of it.
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const from = new URL("../../api-reference/dist/", import.meta.url);
const to = new URL("../content/reference/api/", import.meta.url);
rmSync(to, { recursive: true, force: true });
cpSync(fileURLToPath(from), fileURLToPath(to), { recursive: true });
