// Random optimizers whose states move from backend to backend at random calls.
import { Checker, describeViolation, emptyStats, snapshot, wgsl } from "@gradstep/conformance";
import { GradstepError, type Backend } from "gradstep";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { backends } from "./backends.js";
import {
  randomCase,
  start,
  take,
  valuesOf,
  type Case,
  type Run,
  type StepCall,
  type Values,
} from "./random-calls.js";
import { bitsOf, randomOf, type Random } from "./random.js";

type Makers = readonly (() => Backend)[];

/** The run on another backend: with the values and the state of this one, of which no bit may change. */
async function moved(run: Run, one: Case, backend: Backend, what: string): Promise<Run> {
  const state = await run.optimizer.state();
  const next = start(backend, one, await valuesOf(run));
  expect([what, next.optimizer.restore(structuredClone(state))]).toEqual([what, []]);
  expect([what, bitsOf(await next.optimizer.state())]).toEqual([what, bitsOf(state)]);
  run.optimizer.dispose();
  return next;
}

/** All that the next steps depend on. */
async function dataOf(run: Run): Promise<unknown> {
  const state = await run.optimizer.state();
  const { accumulated = {}, ...control } = state.control ?? {};
  // Where a device decides on skips, the host may sum what the next step does not take.
  const due = Object.entries(accumulated).filter(([name]) => {
    const { every, frozen } = run.optimizer.groups.find(({ parameters }) =>
      parameters.includes(name),
    ) ?? { every: 1, frozen: false };
    return !frozen && (state.iterations + 1) % every === 0;
  });
  const values = await valuesOf(run);
  return bitsOf({ ...state, control, accumulated: Object.fromEntries(due), values });
}

/** A case, a run of it, and its backends, each of which can take it. @throws {GradstepError} if one cannot */
function startAnywhere(makers: Makers, random: Random, isPlain: boolean) {
  const { one, values } = randomCase(random, random.integer(4, 18), isPlain);
  const made = makers.map((make) => make());
  for (const backend of made) start(backend, one, values).optimizer.dispose();
  return { one, values, made, run: start(random.pick(made), one, values) };
}

/** Counts what was compared in `count` cases that nothing refuses. */
async function inCases(count: number, compare: (random: Random, what: string) => Promise<number>) {
  const all = randomOf(seed + 17);
  let compared = 0;
  let found = 0;
  for (let i = 0; compared < count; i += 1) {
    expect(i).toBeLessThan(10 * count);
    try {
      found += await compare(randomOf(all.integer(0, 2 ** 31)), `case ${i} of seed ${seed}`);
      compared += 1;
    } catch (error) {
      // Not everything can be combined.
      if (!(error instanceof GradstepError)) throw error;
    }
  }
  return found;
}

const makerOf = new Map(backends);
const among = (...names: readonly string[]): Makers =>
  names.flatMap((name) => makerOf.get(name) ?? []);
const ways: readonly [string, Makers, isExact: boolean, count: number][] = [
  ["reference, cpu-js exact and wasm", among("reference", "cpu-js exact", "wasm"), true, 1000],
  ["two of webgpu", among("webgpu", "webgpu"), true, 100],
  ["all backends", backends.map(([, make]) => make), false, 200],
];

test.each(ways.filter(([, makers]) => makers.length > 1))(
  `no bit is lost where states move among %s (seed ${seed})`,
  async (_, makers, isExact, count) => {
    const moves = await inCases(cases(count, 10), async (random, what) => {
      const { one, values, made, run } = startAnywhere(makers, random, false);
      const whole = start(made[0], one, values);
      let moving = run;
      let moves = 0;
      for (const [i, call] of one.calls.entries()) {
        const at = `${what}, call ${i}: ${one.spec.rule.name} ${JSON.stringify(one.options)}`;
        if (random.chance(0.25)) {
          moving = await moved(moving, one, random.pick(made), at);
          moves += 1;
        }
        const results = await take(moving, [call]);
        expect([at, results]).toEqual([at, isExact ? await take(whole, [call]) : results]);
      }
      const data = await dataOf(moving);
      expect([what, data]).toEqual([what, isExact ? await dataOf(whole) : data]);
      for (const { optimizer } of [whole, moving]) optimizer.dispose();
      for (const backend of made) backend.dispose?.();
      return moves;
    });
    expect(moves).toBeGreaterThan(cases(count, 10));
  },
);

/** Checkers of a case that see all its calls and never a state: for most backends, and for webgpu. */
function checkersOf({ spec, options }: Case, values: Values) {
  const shapes = Object.fromEntries(Object.entries(values).map(([name, [shape]]) => [name, shape]));
  const arrays = Object.fromEntries(Object.entries(values).map(([name, [, one]]) => [name, one]));
  const checked = { spec, shapes, groups: options.groups, values: arrays };
  return { others: new Checker(checked), webgpu: new Checker({ ...checked, model: wgsl }) };
}

/** Takes a step, whose values have to be inside the bounds of the backend. @returns whether it was taken */
async function checkedStep(
  run: Run,
  call: StepCall,
  checkers: ReturnType<typeof checkersOf>,
  what: string,
): Promise<boolean> {
  const before = await snapshot(run.optimizer, run.tensors);
  const [result] = await take(run, [call]);
  if (result !== "taken") return false;
  const after = await snapshot(run.optimizer, run.tensors);
  const gradients = call.gradients as Readonly<Record<string, Float32Array>>;
  for (const checker of Object.values(checkers))
    checker.step({ before, gradients, after, stats: emptyStats(), options: call.options });
  const isGpu = run.tensors["w"].backend.name === "webgpu";
  const { violation } = checkers[isGpu ? "webgpu" : "others"];
  expect([what, violation && describeViolation(violation)]).toEqual([what, undefined]);
  return true;
}

test(`steps are inside their bounds where states move among all backends (seed ${seed})`, async () => {
  const steps = await inCases(cases(100, 10), async (random, what) => {
    const { one, values, made, run } = startAnywhere(ways[2][1], random, true);
    const checkers = checkersOf(one, values);
    let moving = run;
    let steps = 0;
    for (const [i, call] of one.calls.entries()) {
      const at = `${what}, call ${i}: ${one.spec.rule.name} ${JSON.stringify(one.options)}`;
      if (random.chance(0.5)) moving = await moved(moving, one, random.pick(made), at);
      if (typeof call !== "function") {
        if (await checkedStep(moving, call, checkers, at)) steps += 1;
        continue;
      }
      for (const { optimizer } of [moving, checkers.others, checkers.webgpu]) call(optimizer);
    }
    moving.optimizer.dispose();
    for (const backend of made) backend.dispose?.();
    return steps;
  });
  expect(steps).toBeGreaterThan(cases(100, 10));
});
