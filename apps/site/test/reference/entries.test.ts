import * as core from "@gradstep/core";
import type { OptimizerSpec } from "@gradstep/core";
import { counterpartsOf } from "@gradstep/core/interop";
import { expect, test } from "vitest";
import { ruleEntries, stageEntries } from "../../src/reference/entries.js";
import { libraries } from "../../src/reference/libraries.js";
import { settingsOf } from "../../src/reference/pages/counterparts.js";
import { scheduleInfos } from "../../src/reference/schedules/schedule-infos.js";
import { stageSpec } from "../../src/reference/stages/stage-step.js";

test.each(ruleEntries())("$title has a summary and names its source", (entry) => {
  const { summary, sources, documentation } = entry;
  expect(summary).toMatch(/\.$/);
  const [source] = sources;
  // The doc comment in core names the same paper: the family name of an author, and the year.
  expect(documentation).toContain(source.authors.split(", ")[0]);
  expect(documentation).toContain(String(source.year));
  expect(source.url).toMatch(/^https:/);
});

test.each(stageEntries())("$title has a summary, and the source of its doc comment", (entry) => {
  const { summary, sources, documentation } = entry;
  expect(summary).toMatch(/\.$/);
  for (const { authors, year } of sources.slice(0, 1)) {
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

const read = stageEntries().flatMap(({ rule: stage, counterparts }) =>
  counterparts.flatMap(({ there, settings, read: readSpec }) =>
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
  ({ counterparts, documentation }) => {
    const named = [
      ["keras", /Keras's `/],
      ["torch", /PyTorch's `/],
      ["optax", /Optax's `/],
    ] as const;
    const expected = named.filter(([, pattern]) => pattern.test(documentation));
    const listed = counterparts.map(({ library }) => library);
    expect(listed).toEqual(expect.arrayContaining(expected.map(([library]) => library)));
  },
);

const schedules = Object.values(scheduleInfos).flatMap(({ counterparts }) => counterparts);

test.each(schedules.filter((one) => one.read !== undefined))(
  "$there has the values of the schedule here",
  ({ here, read: readSchedule }) => {
    const theirs = readSchedule!();
    for (let step = 0; step <= 1000; step += 1)
      expect(Math.abs(theirs.valueAt(step) - here.valueAt(step))).toBeLessThanOrEqual(1e-18);
  },
);
