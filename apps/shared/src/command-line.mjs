// Plain JavaScript without dependencies, so that a command line can be checked before anything is installed or built.
import { parseArgs } from "node:util";

/**
 * An option of a program.
 * @typedef {object} OptionDefinition
 * @property {string} [value] The help's name for its value. A flag has none.
 * @property {string} [short] A letter that stands for the option: `h` for `-h`.
 * @property {string} help
 */

/** A command line that the program does not understand. The message is one line: what was given, what was expected. */
export class OptionsError extends Error {
  /** @override */
  name = "OptionsError";
}

/**
 * Reads a command line, without the program's name.
 *
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, OptionDefinition>>} definitions By name, without the dashes.
 * @returns {ReadonlyMap<string, readonly string[]>} The values of each option that was given, in order. The value of a
 *   flag is an empty string.
 * @throws {OptionsError}
 */
export function readOptions(args, definitions) {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(definitions).map(([name, { value, short }]) => [
        name,
        {
          type: value === undefined ? /** @type {const} */ ("boolean") : "string",
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
    // Node's own messages take several lines and do not list the options.
    strict: false,
    tokens: true,
  });
  /** @type {Map<string, string[]>} */
  const given = new Map();
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      throw new OptionsError(
        `Got "${token.value}" with no option before it; expected one of --${Object.keys(definitions).join(" --")}.`,
      );
    }
    const { name, rawName, value, inlineValue } = token;
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (definition === undefined) {
      throw new OptionsError(
        `Got the unknown option ${rawName}; expected one of --${Object.keys(definitions).join(" --")}.${suggestion(name, Object.keys(definitions))}`,
      );
    }
    if (definition.value === undefined && value !== undefined) {
      throw new OptionsError(
        `Got ${rawName}=${value}; expected ${rawName} alone, because it takes no value.`,
      );
    }
    // In `--report --json`, the second is an option and not the value of the first.
    const isMissing =
      value === undefined || value === "" || (!inlineValue && value.startsWith("--"));
    if (definition.value !== undefined && isMissing) {
      throw new OptionsError(
        `Got ${rawName} without a value; expected ${rawName} ${definition.value}.`,
      );
    }
    given.set(name, [...(given.get(name) ?? []), value ?? ""]);
  }
  return given;
}

/**
 * The end of a message about an unknown option: those that it may be a beginning or a longer form of.
 *
 * @param {string} given
 * @param {readonly string[]} names
 * @returns {string} Empty if there are none.
 */
function suggestion(given, names) {
  const near = names.filter(
    (name) => given.length > 1 && (name.startsWith(given) || given.startsWith(name)),
  );
  return near.length === 0 ? "" : ` Did you mean --${near.join(" or --")}?`;
}

/**
 * The value, if it is one of the names.
 *
 * @template {string} Name
 * @param {string} option The option's name, for the message.
 * @param {string} value
 * @param {readonly Name[]} names
 * @returns {Name}
 * @throws {OptionsError}
 */
export function oneOf(option, value, names) {
  const found = names.find((name) => name === value);
  if (found === undefined) {
    throw new OptionsError(`Got --${option} ${value}; expected one of ${names.join(", ")}.`);
  }
  return found;
}

/**
 * What a program is, for its help.
 * @typedef {object} ProgramDescription
 * @property {string} summary What it does.
 * @property {string} usage How it is called.
 * @property {Readonly<Record<string, OptionDefinition>>} definitions In the order of the help.
 * @property {readonly string[]} [notes] Paragraphs after the options.
 */

/** The longest lines of a help, however wide the terminal is. */
const maxHelpColumns = 80;

/**
 * The help of a program.
 *
 * @param {ProgramDescription} program
 * @param {number} screenColumns The width of the terminal; at most 80 are used.
 * @returns {string}
 */
export function programHelp({ summary, usage, definitions, notes = [] }, screenColumns) {
  const columns = Math.min(maxHelpColumns, screenColumns);
  return [
    wrap(summary, columns),
    [`Usage: ${usage}`],
    optionLines(definitions, columns),
    ...notes.map((note) => wrap(note, columns)),
  ]
    .map((paragraph) => paragraph.join("\n"))
    .join("\n\n");
}

/**
 * A number above 0, or `fallback` where the option is not given.
 *
 * @template {number | undefined} Fallback
 * @param {string} option The option's name, for the message.
 * @param {string | undefined} value
 * @param {Fallback} fallback
 * @returns {number | Fallback}
 * @throws {OptionsError}
 */
export function positiveNumber(option, value, fallback) {
  if (value === undefined) return fallback;
  const number = numberOf(value);
  if (!(number > 0 && number < Infinity)) {
    throw new OptionsError(`Got --${option} ${value}; expected a number above 0, such as 0.001.`);
  }
  return number;
}

/**
 * A number from 0 to less than 1, or undefined where the option is not given.
 *
 * @param {string} option The option's name, for the message.
 * @param {string | undefined} value
 * @returns {number | undefined}
 * @throws {OptionsError}
 */
export function momentum(option, value) {
  if (value === undefined) return undefined;
  const number = numberOf(value);
  if (!(number >= 0 && number < 1)) {
    throw new OptionsError(
      `Got --${option} ${value}; expected a number from 0 to less than 1, such as 0.99.`,
    );
  }
  return number;
}

/**
 * A whole number in a range, or `fallback` where the option is not given.
 *
 * @template {number | undefined} F
 * @param {string} option The option's name, for the message.
 * @param {string | undefined} value
 * @param {number} min
 * @param {number} max
 * @param {F} fallback
 * @returns {number | F}
 * @throws {OptionsError}
 */
export function wholeNumber(option, value, min, max, fallback) {
  if (value === undefined) return fallback;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw new OptionsError(
      `Got --${option} ${value}; expected a whole number from ${min} to ${max}.`,
    );
  }
  return number;
}

/**
 * The number that a text is, in decimal notation; NaN for other texts.
 *
 * @param {string} text
 * @returns {number}
 */
function numberOf(text) {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

/**
 * @param {ProgramDescription["definitions"]} definitions
 * @param {number} columns
 * @returns {string[]} Lines.
 */
function optionLines(definitions, columns) {
  const rows = Object.entries(definitions).map(([name, { value, short, help }]) => ({
    usage: `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
    help,
  }));
  const width = Math.max(...rows.map(({ usage }) => usage.length));
  const indent = " ".repeat(width + 4);
  return rows.flatMap(({ usage, help }) =>
    wrap(help, columns - indent.length).map((line, index) =>
      index === 0 ? `  ${usage.padEnd(width)}  ${line}` : indent + line,
    ),
  );
}

/**
 * Breaks a text between words. A word longer than a line gets a line of its own.
 *
 * @param {string} text
 * @param {number} columns
 * @returns {string[]} Lines of at most that many characters.
 */
export function wrap(text, columns) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line !== "" && line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
