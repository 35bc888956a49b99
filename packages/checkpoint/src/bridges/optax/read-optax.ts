import { GradstepError, show, type OptimizerState, type Values } from "@gradstep/core";
import { fromOptax, initialState } from "@gradstep/core/interop";
import { decodeSafetensors, floatValues, type SafetensorsEntry } from "../../safetensors/index.js";
import type { ByteSource } from "../../stores/store.js";
import type { ImportedCheckpoint, ParameterValues } from "../imported-checkpoint.js";
import { isSchedule, stateArrays, type OptaxOptimizer, type StateArray } from "./state-arrays.js";
import { optimizerOf, stepsOf } from "./optax-metadata.js";

/** Options of `readOptax`. */
export interface ReadOptaxOptions {
  /** What the transformation is; needed if the file does not say it, and used in its place if it does. */
  readonly optimizer?: OptaxOptimizer | undefined;
  /** Ends the read: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/**
 * Reads a checkpoint that `save` of `scripts/bridges/optax_checkpoint.py` has written in JAX, or `writeOptax` here.
 *
 * Parameters are named by their paths, such as `dense.kernel`. Arrays in f16 and bf16 (of `mu_dtype`, say) become f32,
 * exactly; gradstep keeps them in f32 from then on. Hyperparameters that `inject_hyperparams` keeps in the state are
 * those of the state, unless they follow schedules.
 *
 * @throws {GradstepError} `INVALID_FILE`; `UNSUPPORTED` for what gradstep cannot continue, or if nothing says what the
 * transformation is; `STATE_MISMATCH`, with all arrays that do not fit; and what `fromOptax` throws
 */
export async function readOptax(
  source: ByteSource | Uint8Array | ArrayBuffer,
  { optimizer: given, ...options }: ReadOptaxOptions = {},
): Promise<ImportedCheckpoint> {
  const { metadata, tensors } = await decodeSafetensors(source, options);
  const named = given ?? optimizerOf(metadata);
  const optimizer = withInjected(named, tensors);
  const { name, ...settings } = optimizer;
  const spec = fromOptax(name, settings);
  const parameters = parametersOf(tensors);
  const shapes = Object.fromEntries(
    Object.entries(parameters).map(([parameter, { shape }]) => [parameter, shape]),
  );
  const initial = await initialState(spec, shapes);
  const arrays = stateArrays(optimizer, {
    shapes,
    groupOf: (parameter) =>
      initial.groups.findIndex((group) => group.parameters.includes(parameter)),
    injectedAt: (path) => injectedAt(path, tensors),
  });
  const misfits = misfitsOf(arrays, tensors, initial);
  const counts = arrays.filter(({ content }) => content.holds === "steps");
  if (misfits.length === 0) misfits.push(...countMisfits(counts, tensors));
  if (misfits.length > 0) throw mismatch(name, misfits);
  return { spec, parameters, state: stateOf(initial, arrays, tensors, stepsOf(metadata)) };
}

const parameterRoot = "params.";

function parametersOf(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): Readonly<Record<string, ParameterValues>> {
  const found = [...tensors].filter(([path]) => path.startsWith(parameterRoot));
  const wrong = found.filter(([, { dtype }]) => !floats.has(dtype));
  if (found.length === 0 || wrong.length > 0) {
    throw new GradstepError(
      found.length === 0
        ? "The file has no arrays whose names start with params.; expected what save() of scripts/bridges/optax_checkpoint.py has written."
        : `${wrong[0][0]} is ${wrong[0][1].dtype}; expected floating-point numbers. Leave other arrays out of the parameters.`,
      { code: "INVALID_FILE" },
    );
  }
  return Object.fromEntries(
    found.map(([path, entry]) => [
      path.slice(parameterRoot.length),
      { shape: entry.shape, values: floatValues(entry) },
    ]),
  );
}

/** The hyperparameters that the state has at this path. */
function injectedAt(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): readonly string[] {
  const root = `${path}.hyperparams.`;
  return [...tensors.keys()].flatMap((key) =>
    key.startsWith(root) ? [key.slice(root.length)] : [],
  );
}

/** The optimizer with the hyperparameters of the state, where they do not follow schedules. */
function withInjected(
  optimizer: OptaxOptimizer,
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): OptaxOptimizer {
  const options: Record<string, unknown> = { ...optimizer };
  const input = {
    shapes: {},
    groupOf: () => 0,
    injectedAt: (path: string) => injectedAt(path, tensors),
  };
  for (const { path, content } of stateArrays(optimizer, input)) {
    if (content.holds !== "hyperparameter" || isSchedule(optimizer[content.option])) continue;
    const entry = tensors.get(path)!;
    if (floats.has(entry.dtype)) [options[content.option]] = floatValues(entry);
  }
  return { ...options, name: optimizer.name };
}

const floats: ReadonlySet<string> = new Set(["F64", "F32", "F16", "BF16"]);
const integers: ReadonlySet<string> = new Set(["I64", "I32", "U64", "U32"]);

function misfitsOf(
  arrays: readonly StateArray[],
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  initial: OptimizerState,
): string[] {
  const known = new Set(arrays.map(({ path }) => path));
  const unknown = [...tensors.keys()].filter(
    (path) => !known.has(path) && !path.startsWith(parameterRoot),
  );
  return [
    ...arrays.flatMap((array) => {
      const entry = tensors.get(array.path);
      if (entry === undefined) return [`${array.path} is missing`];
      const what = `${array.path} is ${entry.dtype} [${entry.shape.join(", ")}]`;
      const expected = expectedTypes(array);
      if (entry.shape.join() !== array.shape.join() || !expected.types.has(entry.dtype))
        return [`${what}; expected ${expected.name} [${array.shape.join(", ")}]`];
      return constantMisfits(array, entry, initial);
    }),
    ...unknown.map((path) =>
      path.includes(".hyperparams.")
        ? `${path} is of inject_hyperparams, which is not in the name: expected such as inject_hyperparams+adam`
        : `${path} is unknown to it`,
    ),
  ];
}

function expectedTypes({ content: { holds } }: StateArray): {
  readonly name: string;
  readonly types: ReadonlySet<string>;
} {
  if (holds === "isLastFinite") return { name: "BOOL", types: new Set(["BOOL"]) };
  const counts = ["steps", "microSteps", "allSteps", "skippedSteps", "consecutiveSkips"];
  return counts.includes(holds)
    ? { name: "integers", types: integers }
    : { name: "floats", types: floats };
}

function constantMisfits(
  { path, content }: StateArray,
  entry: SafetensorsEntry,
  { hyperparameters }: OptimizerState,
): string[] {
  if (content.holds !== "constants") return [];
  const values = floatValues(entry);
  const wanted = content.names.map((name) => hyperparameters[name] as number);
  const isSame = wanted.every((one, i) => Math.abs(one - values[i]) <= 1e-6 * Math.abs(one));
  return isSame ? [] : [`${path} is ${values.join(", ")}; its options say ${wanted.join(", ")}`];
}

function countMisfits(
  counts: readonly StateArray[],
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): string[] {
  const found = counts.map(({ path, content }) => ({
    path,
    steps: countOf(content, path, tensors),
  }));
  const other = found.find(({ steps }) => steps !== found[0].steps);
  return other === undefined
    ? []
    : [`${found[0].path} says ${found[0].steps} steps, and ${other.path} ${other.steps}`];
}

function countOf(
  content: StateArray["content"],
  path: string,
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): number {
  return Number(tensors.get(path)!.data[0]) - (content.holds === "steps" ? content.first : 0);
}

function mismatch(name: string, misfits: readonly string[]): GradstepError {
  const shown = misfits.slice(0, 20).join("; ");
  const rest = misfits.length > 20 ? `; and ${misfits.length - 20} more` : "";
  return new GradstepError(
    `The file does not have the state of Optax's ${show(name)}: ${shown}${rest}. Name the transformation that the state belongs to, with all its options.`,
    { code: "STATE_MISMATCH" },
  );
}

function stateOf(
  initial: OptimizerState,
  arrays: readonly StateArray[],
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  namedSteps: number | undefined,
): OptimizerState {
  const slots: Record<string, Record<string, Values>> = Object.fromEntries(
    Object.entries(initial.slots).map(([name, own]) => [name, { ...own }]),
  );
  const persistentScalars: Record<string, number> = { ...initial.groups[0].persistentScalars };
  const control: Record<string, number> = {};
  const means = new Map<string, Values>();
  let steps: number | undefined;
  for (const { path, content, parameter } of arrays) {
    const entry = tensors.get(path)!;
    switch (content.holds) {
      case "steps":
        steps = countOf(content, path, tensors);
        break;
      case "slot": {
        // A momentum of 0 has no slot here.
        const own = slots[parameter!];
        const values = floatValues(entry);
        if (Object.hasOwn(own, content.slot))
          own[content.slot] = content.factor === 1 ? values : values.map((value) => -value);
        break;
      }
      case "sharedSlot":
        for (const own of Object.values(slots)) own[content.slot] = floatValues(entry).slice();
        break;
      case "persistentScalar":
        [persistentScalars[content.name]] = floatValues(entry);
        break;
      case "meanGradient":
        means.set(parameter!, floatValues(entry));
        break;
      case "constants":
      case "hyperparameter":
      case "isLastFinite":
        break;
      default:
        control[content.holds] = countOf(content, path, tensors);
    }
  }
  const { microSteps = 0, allSteps, skippedSteps = 0, consecutiveSkips = 0 } = control;
  const counted = allSteps === undefined ? namedSteps : allSteps - skippedSteps;
  const iterations = steps ?? counted ?? 0;
  return {
    ...initial,
    iterations,
    slots,
    groups: initial.groups.map((group, i) => ({
      ...group,
      iterations,
      persistentScalars: i === 0 ? persistentScalars : group.persistentScalars,
    })),
    ...(initial.control && {
      control: {
        ...initial.control,
        microSteps,
        skippedSteps,
        consecutiveSkips,
        // Optax keeps the mean, and gradstep the sum.
        accumulated: Object.fromEntries(
          microSteps === 0
            ? []
            : [...means].map(([name, mean]) => [name, mean.map((value) => value * microSteps)]),
        ),
      },
    }),
  };
}
