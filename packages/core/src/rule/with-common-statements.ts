import { parse } from "../language/parse.js";
import type { Source } from "../language/build-program.js";
import { application } from "./common-statements.js";

/** A rule's text between the statements of all rules. */
export function withCommonStatements(before: string, text: string): readonly Source[] {
  const common = (statements: string): Source => ({ text: statements, isCommon: true });
  return [common(before), { text }, ...(assignsUpdate(text) ? [common(application)] : [])];
}

/** Whether a text leaves it to the common statements to apply `u`. */
function assignsUpdate(text: string): boolean {
  let names: readonly string[];
  try {
    names = parse(text).map(({ name }) => name);
  } catch {
    // What is wrong with it is reported when the variant is built.
    return false;
  }
  return names.includes("u") && !names.includes("p");
}
