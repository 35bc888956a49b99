import * as core from "@gradstep/core";
import type { OptimizerSpec } from "@gradstep/core";
import { counterpartsOf } from "@gradstep/core/interop";
import { expect, test } from "vitest";
import { ruleEntries, stageEntries } from "../../src/reference/entries.js";
import { libraries, settingsOf } from "../../src/reference/pages/counterparts.js";
import { sourcesOf } from "../../src/reference/papers.js";
import { scheduleCounterparts } from "../../src/reference/schedule-counterparts.js";
import { stageCounterpartsOf } from "../../src/reference/stages/stage-counterparts.js";
import { stageSpec } from "../../src/reference/stages/stage-step.js";
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

const read = stageEntries().flatMap(({ rule: stage }) =>
  stageCounterpartsOf(stage.name).flatMap(({ there, settings, read: readSpec }) =>
    readSpec === undefined ? [] : [{ there, stage, settings, readSpec }],
  ),
);

test.each(read)("$there is the stage with these settings", ({ stage, settings, readSpec }) => {
  const spec = readSpec();
  expect(spec.rule.name.split("+")).toContain(stage.name);
  const { hyperparameters, options } = stageSpec(stage, settings);
  expect(spec.hyperparameters).toMatchObject(hyperparameters);
  expect(spec.options).toMatchObject(options);
});

test.each(stageEntries())(
  "the counterparts of $title are in the libraries that its doc comment names",
  ({ rule: stage, documentation }) => {
    const named = [
      ["keras", /Keras's `/],
      ["torch", /PyTorch's `/],
      ["optax", /Optax's `/],
    ] as const;
    const expected = named.filter(([, pattern]) => pattern.test(documentation));
    const listed = stageCounterpartsOf(stage.name).map(({ library }) => library);
    expect(listed).toEqual(expect.arrayContaining(expected.map(([library]) => library)));
  },
);

const schedules = Object.values(scheduleCounterparts).flat();

test.each(schedules.filter((one) => one.read !== undefined))(
  "$there has the values of the schedule here",
  ({ here, read: readSchedule }) => {
    const theirs = readSchedule!();
    for (let step = 0; step <= 1000; step += 1)
      expect(Math.abs(theirs.valueAt(step) - here.valueAt(step))).toBeLessThanOrEqual(1e-18);
  },
);
