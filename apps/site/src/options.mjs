// Plain JavaScript without dependencies, so that a command line can be checked before anything is installed or built.
import {
  OptionsError,
  programHelp,
  readOptions,
  wholeNumber,
} from "../../shared/src/command-line.mjs";

export { OptionsError };

/**
 * @typedef {object} Options
 * @property {number} port
 * @property {boolean} open
 * @property {boolean} help
 */

/** In the order of the help. */
const definitions = {
  port: { value: "N", help: "the port; another one if it is taken (4173)" },
  "no-open": { help: "do not open the browser" },
  help: { short: "h", help: "print this" },
};

/** The names of all options, without dashes; also for `scripts/start.mjs`. */
export const optionNames = Object.keys(definitions);

/**
 * Reads a command line, without the program's name.
 *
 * @param {readonly string[]} args
 * @returns {Options}
 * @throws {OptionsError}
 */
export function parseOptions(args) {
  const given = readOptions(args, definitions);
  return {
    port: wholeNumber("port", given.get("port")?.at(-1), 1, 65_535, 4173),
    open: !given.has("no-open"),
    help: given.has("help"),
  };
}

/**
 * @param {number} columns The width of the terminal.
 * @returns {string}
 */
export function helpText(columns) {
  return programHelp(
    {
      summary: "Serves gradstep's demos and documentation on this machine, and opens the browser.",
      usage: "npm run demo -- [options]",
      definitions,
    },
    columns,
  );
}
