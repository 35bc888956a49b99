import * as core from "@gradstep/core";
import type { OptimizerSpec } from "@gradstep/core";
import { counterpartsOf } from "@gradstep/core/interop";
import { expect, test } from "vitest";
import { ruleEntries, stageEntries } from "../../src/reference/entries.js";
import { libraries, settingsOf } from "../../src/reference/pages/counterparts.js";
import { sourcesOf } from "../../src/reference/papers.js";
import { summaryOf } from "../../src/reference/summaries.js";

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
