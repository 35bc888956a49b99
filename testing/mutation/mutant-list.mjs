import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { Instrumenter } from "@stryker-mutator/instrumenter";
import { strykerPlugins } from "./ignore-messages.mjs";

/** Tells a mutant from all others of the same sources. */
export function keyOf({ fileName, location: { start, end }, mutatorName, replacement }) {
  const at = ({ line, column }) => `${line}:${column}`;
  return `${relative(process.cwd(), fileName)}:${at(start)}-${at(end)} ${mutatorName} ${replacement}`;
}

/** Every mutant of some files that a test could be run for; positions are counted from 0. */
export async function mutantsOf(files) {
  const silent = { isDebugEnabled: () => false, info() {}, warn() {}, debug() {} };
  const { mutants } = await new Instrumenter(silent).instrument(
    files.map((name) => ({ name, mutate: true, content: readFileSync(name, "utf8") })),
    { ignorers: strykerPlugins.map(({ value }) => value), excludedMutations: [], plugins: null },
  );
  return mutants.filter(({ status }) => status !== "Ignored");
}
