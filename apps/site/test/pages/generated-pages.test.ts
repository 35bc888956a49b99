import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as core from "@gradstep/core";
import type { OptimizerSpec } from "@gradstep/core";
import { counterpartsOf } from "@gradstep/core/interop";
import { expect, test } from "vitest";
import { ruleEntries, scheduleEntries, stageEntries } from "../../src/reference/entries.js";
import { libraries, settingsOf } from "../../src/reference/pages/counterparts.js";
import { sourcesOf } from "../../src/reference/papers.js";
import { summaryOf } from "../../src/reference/summaries.js";

/** What `pnpm generate` has written. */
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

test.each(ruleEntries())("$title has a summary and names its source", ({ rule, documentation }) => {
  expect(summaryOf(rule.name)).toMatch(/\.$/);
  const [source] = sourcesOf(rule.name);
  // The doc comment in core names the same paper: the family name of an author, and the year.
  expect(documentation).toContain(source.authors.split(", ")[0]);
  expect(documentation).toContain(String(source.year));
  expect(source.url).toMatch(/^https:/);
});

test.each(stageEntries())("$title has a summary, and the source of its doc comment", (entry) => {
  const { rule, documentation } = entry;
  expect(summaryOf(rule.name)).toMatch(/\.$/);
  for (const { authors, year } of sourcesOf(rule.name).slice(0, 1)) {
    expect(documentation).toContain(authors.split(", ")[0]);
    expect(documentation).toContain(String(year));
  }
});

test.each(ruleEntries())("the settings of $title are those of its counterparts", (entry) => {
  const make = (core as Readonly<Record<string, unknown>>)[entry.factory] as (
    settings: object,
  ) => OptimizerSpec;
  for (const counterpart of counterpartsOf(entry.rule.name)) {
    const { hyperparameters, options } = make(settingsOf(counterpart, entry.rule));
    const theirs = libraries[counterpart.library].make(counterpart.name);
    expect({ ...hyperparameters, ...options }).toEqual({
      ...theirs.hyperparameters,
      ...theirs.options,
    });
  }
});
