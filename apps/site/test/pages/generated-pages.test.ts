import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ruleEntries, scheduleEntries, stageEntries } from "../../src/reference/entries.js";

/** What the task `reference` has written. */
const reference = fileURLToPath(new URL("../../content/reference/", import.meta.url));
const pages = readdirSync(reference, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".md") && !path.startsWith("api/"));

test("there is a page for each rule, stage and schedule", () => {
  expect(pages.sort()).toEqual(
    [
      "index.md",
      "rules/index.md",
      "stages/index.md",
      "schedules/index.md",
      ...ruleEntries().map(({ rule }) => `rules/${rule.name}.md`),
      ...stageEntries().map(({ rule }) => `stages/${rule.name}.md`),
      ...scheduleEntries().map(({ kind }) => `schedules/${kind.name}.md`),
    ].sort(),
  );
});

/** The anchors of a page, as VitePress makes them of its headings. */
function anchorsOf(path: string): readonly string[] {
  const text = readFileSync(join(reference, path), "utf8");
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading.toLowerCase().replaceAll("`", "").replaceAll(/\W+/g, "-"),
  );
}

test.each(pages)("links and pictures of %s lead somewhere", (path) => {
  const text = readFileSync(join(reference, path), "utf8");
  const links = [...text.matchAll(/\]\((\.[^)\s]*)\)|src="([^"]*)"/g)].map(
    (match) => match[1] ?? match[2],
  );
  const faults = links.filter((link) => {
    const [file, anchor] = link.split("#");
    const target = join(dirname(path), file);
    const found = [target, `${target}.md`, join(target, "index.md")].find((one) =>
      pages.includes(one),
    );
    if (found === undefined) return !existsSync(join(reference, target)) || anchor !== undefined;
    return anchor !== undefined && !anchorsOf(found).includes(anchor);
  });
  expect(faults).toEqual([]);
});
