import { GradstepError, hasNames, show } from "@gradstep/core";

/** Values by parameter name, row-major. */
export type NamedValues = Readonly<Record<string, readonly number[]>>;

/** One optimizer's trajectory. */
export interface GoldenCase {
  readonly id: string;
  /** The optimizer's name in the library. */
  readonly optimizer: string;
  /** What the library prints or takes. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Parameters after each step. */
  readonly expected: readonly NamedValues[];
  /** The library's own state after the last step, in its own layout. */
  readonly state?: Readonly<Record<string, unknown>>;
  /** The learning rates of a schedule, by step. */
  readonly learningRatePerStep?: readonly number[];
  /** How far the library's own arithmetic is from f64, relative to the largest magnitude of an element. */
  readonly tolerance?: number;
  /** What else the run did, in words. */
  readonly note?: string;
}

/** Libraries whose runs can be replayed. */
export type Library = "keras" | "torch" | "optax";

/** A file of golden runs: several optimizers, the same parameters and gradients for all. */
export interface GoldenFile {
  readonly library: Library;
  readonly parameters: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
  >;
  readonly gradients: readonly NamedValues[];
  readonly cases: readonly GoldenCase[];
}

/**
 * Reads a file of golden runs.
 *
 * @param text the file's text
 * @param name its name, for messages
 * @throws {GradstepError} `INVALID_FILE`, naming the first thing that is wrong
 */
export function parseGolden(text: string, name: string): GoldenFile {
  const fail = (what: string): never => {
    throw new GradstepError(`${typeof name === "string" ? name : show(name)}: ${what}.`, {
      code: "INVALID_FILE",
    });
  };
  if (typeof text !== "string")
    fail(`got ${show(text)}; expected the text of a file, such as readFileSync(path, "utf8")`);
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    return fail(
      `not JSON (${error instanceof Error ? error.message : String(error)}); expected an object with library, parameters, gradients and cases`,
    );
  }
  const record = (value: unknown, what: string): Record<string, unknown> =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : fail(`${what} is ${kindOf(value)}; expected an object`);
  const array = (value: unknown, what: string): readonly unknown[] =>
    Array.isArray(value) ? value : fail(`${what} is ${kindOf(value)}; expected an array`);
  const word = (value: unknown, what: string): string =>
    typeof value === "string" ? value : fail(`${what} is ${kindOf(value)}; expected a string`);
  const numbers = (value: unknown, what: string, length?: number): readonly number[] => {
    const values = array(value, what);
    const wrong = values.findIndex((one) => typeof one !== "number");
    if (wrong >= 0) return fail(`${what}[${wrong}] is ${kindOf(values[wrong])}; expected a number`);
    if (length !== undefined && values.length !== length)
      return fail(`${what} has ${values.length} values; expected ${length}`);
    return values as readonly number[];
  };

  const file = record(root, "the document");
  const library =
    libraryOf(word(file.library, "library")) ??
    fail(`library is ${JSON.stringify(file.library)}; expected keras, torch or optax`);
  const parameters = Object.fromEntries(
    Object.entries(record(file.parameters, "parameters")).map(([key, value]) => {
      const { shape, values } = record(value, `parameters.${key}`);
      const sizes = numbers(shape, `shape of ${key}`);
      const size = sizes.reduce((product, length) => product * length, 1);
      return [key, { shape: sizes, values: numbers(values, `values of ${key}`, size) }];
    }),
  );
  if (Object.keys(parameters).length === 0) fail("parameters is empty; expected at least one");
  const named = (value: unknown, what: string): NamedValues =>
    Object.fromEntries(
      Object.entries(record(value, what)).map(([key, values]) => {
        const parameter = Object.hasOwn(parameters, key) ? parameters[key] : undefined;
        if (parameter === undefined) return fail(`${what} has "${key}", which is no parameter`);
        return [key, numbers(values, `${what}, ${key},`, parameter.values.length)];
      }),
    );
  const gradients = array(file.gradients, "gradients").map((step, i) =>
    named(step, `gradients of step ${i + 1}`),
  );
  if (gradients.length === 0) fail("gradients is empty; expected one entry a step");
  const cases = array(file.cases, "cases").map((value, i): GoldenCase => {
    const one = record(value, `case ${i}`);
    const id = word(one.id, `id of case ${i}`);
    const expected = array(one.expected, `expected of ${id}`).map((step, t) =>
      named(step, `expected of ${id}, step ${t + 1}`),
    );
    if (expected.length !== gradients.length)
      fail(
        `expected of ${id} has ${expected.length} steps; there are ${gradients.length} gradients`,
      );
    const { state, note, tolerance, learningRatePerStep: rates } = one;
    return {
      id,
      optimizer: word(one.optimizer, `optimizer of ${id}`),
      config: record(one.config, `config of ${id}`),
      expected,
      ...(state === undefined || state === null ? {} : { state: record(state, `state of ${id}`) }),
      ...(rates === undefined || rates === null
        ? {}
        : { learningRatePerStep: numbers(rates, `learningRatePerStep of ${id}`) }),
      ...(typeof tolerance === "number" ? { tolerance } : {}),
      ...(typeof note === "string" ? { note } : {}),
    };
  });
  return { library, parameters, gradients, cases };
}

/**
 * Whether an object has the parts of a file of golden runs, which `parseGolden` looks into.
 * @throws {GradstepError} `INVALID_FILE`
 */
export function checkGolden(file: unknown): void {
  if (
    hasNames(file) &&
    hasNames(file["parameters"]) &&
    Array.isArray(file["gradients"]) &&
    Array.isArray(file["cases"])
  )
    return;
  throw new GradstepError(
    `Got ${show(file)} as golden runs; expected what parseGolden(text, name) returns.`,
    { code: "INVALID_FILE" },
  );
}

function libraryOf(text: string): Library | undefined {
  const [first] = text.toLowerCase().split(/[\s_-]/);
  if (first === "pytorch") return "torch";
  return first === "keras" || first === "torch" || first === "optax" ? first : undefined;
}

function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}
