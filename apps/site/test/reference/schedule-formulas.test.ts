import { expect, test } from "vitest";
import { initialSchedule, scheduleKinds, scheduleOf } from "../../src/controls/schedule-kinds.js";
import { scheduleInfos } from "../../src/reference/schedules/schedule-infos.js";
import { keyOf, treeOf, valueOfLatex } from "./latex-value.js";

const steps = [0, 1, 7, 99, 100, 101, 250, 300, 499, 500, 640, 999, 1000, 1500];

const formulas = scheduleKinds.flatMap((kind) => {
  const { formula } = scheduleInfos[kind.factory];
  return formula === undefined ? [] : [{ kind, ...formula }];
});

test.each(formulas)(
  "the formula of $kind.name gives the values of the schedule",
  ({ kind, lines, symbols }) => {
    const data = initialSchedule(kind, 0.001, 1000);
    const options: Record<string, unknown> = { ...data.options };
    if ("alpha" in options) options.alpha = 0.125;
    if ("heightFactor" in options) options.heightFactor = 0.75;
    const schedule = scheduleOf({ schedule: kind.name, options: options as typeof data.options });
    for (const t of steps) {
      const values = new Map<string, number>([
        [keyOf(treeOf("t")), t],
        [keyOf(treeOf("\\pi")), Math.PI],
      ]);
      for (const [name, symbol] of Object.entries(symbols))
        values.set(keyOf(treeOf(symbol)), options[name] as number);
      let value = Number.NaN;
      for (const [target, latex] of lines) {
        value = valueOfLatex(latex, values);
        values.set(keyOf(treeOf(target)), value);
      }
      expect(Math.abs(value - schedule.valueAt(t)), `step ${t}`).toBeLessThanOrEqual(1e-15);
    }
  },
);

test("every schedule has a formula, or is a table of values", () => {
  const without = scheduleKinds.filter(
    ({ factory }) => scheduleInfos[factory].formula === undefined,
  );
  expect(without.map(({ name }) => name)).toEqual(["piecewise-constant"]);
});
