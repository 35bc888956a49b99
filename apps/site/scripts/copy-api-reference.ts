// Copies the API reference to content/reference/api, where `pnpm run docs` makes pages of it.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const from = fileURLToPath(new URL("../../api-reference/dist/", import.meta.url));
const to = fileURLToPath(new URL("../content/reference/api/", import.meta.url));
rmSync(to, { recursive: true, force: true });
cpSync(from, to, { recursive: true });

/** For the style of these pages. */
const head = "---\npageClass: api-page\neditLink: false\nlastUpdated: false\n---\n\n";
for (const path of readdirSync(to, { recursive: true, encoding: "utf8" })) {
  if (!path.endsWith(".md")) continue;
  // In tables, names of packages break after a slash, where a phone has no room for them.
  const text = readFileSync(to + path, "utf8").replaceAll(
    /^\| \[@gradstep\/[\w/-]+\]\(/gm,
    (link) => link.replaceAll("/", "/<wbr>"),
  );
  writeFileSync(to + path, head + text);
}
