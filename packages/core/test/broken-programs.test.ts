// What authors of backends call with programs, called with programs of which a part is of the wrong kind.
import {
  adam,
  bytecodeOf,
  chain,
  clipByGlobalNorm,
  emit,
  flushedSlotsOf,
  GradstepError,
  knownScalarsOf,
  muon,
  specialize,
  variantOf,
  withOutputs,
  type Program,
} from "../src/index.js";
import { expect, test } from "vitest";
import { pathsIn, withPart, type Path } from "../../../testing/wrong-parts.js";
import { wrongValues } from "../../../testing/wrong-values.js";

/** Writes nothing but the names of operations, since their operands are what was given. */
const emitter = new Proxy(
  {},
  {
    get: (_, name) => () => String(name),
  },
) as Parameters<typeof emit<string>>[1];

const functions: readonly [string, (program: Program) => unknown][] = [
  ["emit", (program) => emit(program, emitter)],
  ["specialize", (program) => specialize(program, new Map())],
  ["knownScalarsOf", knownScalarsOf],
  ["flushedSlotsOf", flushedSlotsOf],
  ["bytecodeOf", (program) => bytecodeOf(program)],
  ["withOutputs", (program) => withOutputs(program, [])],
];

/** Others are of the right kind in some places. */
const wrong = wrongValues.filter(([what]) => !["a string", "an empty list"].includes(what));

const specs = [adam(), chain(clipByGlobalNorm(1), adam()), muon()];

/** The first parts of lists stand for the others. Numbers of uses are compared, and not checked. */
const isTried = (path: Path): boolean =>
  path.every((key) => key !== "uses" && (!/^\d+$/.test(key) || Number(key) < 6));

/** The errors without a code of calls with a part of each wrong kind in turn. */
function uncoded(program: Program, call: (broken: Program) => unknown): string[] {
  const found: string[] = [];
  for (const path of pathsIn(program).filter(isTried))
    for (const [what, make] of wrong)
      try {
        call(withPart(program, path, make()));
      } catch (error) {
        if (!(error instanceof GradstepError))
          found.push(`${what} at ${path.join(".")}: ${String(error)}`);
      }
  return found;
}

test.each(functions)("%s refuses broken programs with a code, or takes them", (_, call) => {
  for (const { perElement } of specs.map((spec) => variantOf(spec)))
    expect(uncoded(perElement, call)).toEqual([]);
});
