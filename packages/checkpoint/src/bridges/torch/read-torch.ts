import { GradstepError, show, type OptimizerSpec, type Schedule } from "@gradstep/core";
import {
  fromTorch,
  initialState,
  type ImportedCheckpoint,
  type ParameterValues,
} from "@gradstep/core/interop";
import { checkIoOptions } from "../../check-io-options.js";
import {
  decodeSafetensors,
  floatValues,
  type SafetensorsEntry,
  type SafetensorsSource,
} from "../../safetensors/index.js";
import { checkReader } from "../check-reader.js";
import { inTypeOf } from "./in-type-of.js";
import { otherTensorOf, type OtherTensor } from "./other-tensors.js";
import { rejectPickle } from "./reject-pickle.js";
import { parseDescription, invalid, type TorchDescription } from "./torch-description.js";
import { parameterStates, type TorchParameterState } from "./torch-parameter-state.js";
import { splitGroups, type GroupMode, type SplitGroup } from "./split-groups.js";

/** A checkpoint of PyTorch. */
export interface TorchCheckpoint extends ImportedCheckpoint {
  /**
   * What the model has and the optimizer does not, by name: buffers, such as those of batch normalization, and parameters
   * that are not trained. `writeTorch` takes them back.
   */
  readonly otherTensors: Readonly<Record<string, OtherTensor>>;
}

/** Options of `readTorch`. */
export interface ReadTorchOptions {
  /** Ends the read: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
  /**
   * `"count"`: parameters of one group of PyTorch that have taken the same number of steps are one group here. `"parameter"`:
   * each parameter has a group of its own, so that `torchStep` of `@gradstep/core/interop` can count the steps of each as
   * PyTorch does. Default: `"count"`.
   */
  readonly groups?: GroupMode | undefined;
}

/**
 * Reads a checkpoint that `save` of `scripts/bridges/torch_checkpoint.py` has written in PyTorch, or `writeTorch` here.
 *
 * PyTorch counts the steps of each parameter, and gradstep those of each group: parameters of one group that have taken
 * different numbers of steps get groups of their own. A group counts each step of the optimizer from then on; where parameters
 * have no gradient in some steps, read with `groups: "parameter"` and take steps with `torchStep`. SGD and Muon do not
 * count: without a scheduler, the optimizer has taken one step if there is momentum, and none otherwise, which makes no
 * difference to the next one. Frozen parameters are in frozen groups. Weights in f16 and bf16 become f32.
 *
 * @throws {GradstepError} `INVALID_FILE` (also for the pickles of `torch.save`), `UNSUPPORTED` for what gradstep cannot
 * continue, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, and what `fromTorch` throws
 */
export async function readTorch(
  source: SafetensorsSource,
  options: ReadTorchOptions = {},
): Promise<TorchCheckpoint> {
  checkIoOptions("readTorch", options, ["signal", "onProgress", "groups"]);
  const { groups: mode = "count", ...decodeOptions } = options;
  if (mode !== "count" && mode !== "parameter")
    throw new GradstepError(
      `readTorch: groups is ${show(mode)}; expected "count" or "parameter".`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  let file;
  try {
    file = await decodeSafetensors(source, decodeOptions);
  } catch (error) {
    await rejectPickle(source, error);
    throw error;
  }
  const { metadata, tensors } = file;
  checkReader("readTorch", metadata);
  const description = parseDescription(metadata.get("optimizer"));
  const { parameters, otherTensors } = modelOf(description, tensors);
  const states = parameterStates(description, tensors, parameters);
  const { iterations, groups } = splitGroups(description, parameters, states, mode);
  const spec = specOf(description, groups, states);
  checkScheduled(description, spec, groups, iterations);
  const shapes = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape }]) => [name, shape]),
  );
  const initial = await initialState(spec, shapes);
  return {
    spec,
    parameters,
    otherTensors,
    state: {
      ...initial,
      iterations,
      groups: initial.groups.map((group, i) => ({
        ...group,
        iterations: groups[i].iterations,
        persistentScalars:
          groups[i].product === undefined
            ? group.persistentScalars
            : { ...group.persistentScalars, product: groups[i].product },
      })),
      slots: Object.fromEntries(
        Object.entries(initial.slots).map(([name, slots]) => [
          name,
          withSlots(name, slots, states.get(name)!, parameters[name]),
        ]),
      ),
    },
  };
}

/** The parameters of the optimizer, and what else the model has. */
function modelOf(
  { param_groups: groups }: TorchDescription,
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): Pick<TorchCheckpoint, "otherTensors"> & {
  readonly parameters: Readonly<Record<string, ParameterValues>>;
} {
  const others = new Map<string, SafetensorsEntry>();
  for (const [key, entry] of tensors)
    if (key.startsWith("model.")) others.set(key.slice("model.".length), entry);
  const parameters = new Map<string, ParameterValues>();
  for (const name of groups.flatMap((group) => group.param_names)) {
    if (parameters.has(name)) invalid(`${name} is in param_groups twice`);
    const entry = others.get(name);
    if (entry === undefined) invalid(`${name} is in param_groups, and there is no model.${name}`);
    parameters.set(name, { shape: entry.shape, values: floatValues(entry) });
    others.delete(name);
  }
  return {
    parameters: Object.fromEntries(parameters),
    otherTensors: Object.fromEntries(
      [...others].map(([name, entry]) => [name, otherTensorOf(entry)]),
    ),
  };
}

function specOf(
  { class: name, scheduler }: TorchDescription,
  groups: readonly SplitGroup[],
  states: ReadonlyMap<string, TorchParameterState>,
): OptimizerSpec {
  const options = groups.map((group) => group.options);
  const spec = fromTorch(name, options, scheduler === null ? {} : { scheduler });
  // PyTorch keeps NAdam's product in f32, but in f64 after it has loaded a checkpoint of a model in f64.
  const hasLongProduct = [...states.values()].some(({ productIn }) => productIn === "f64");
  const withProduct = (one: OptimizerSpec): OptimizerSpec =>
    hasLongProduct ? { ...one, options: { ...one.options, productIn: "f64" } } : one;
  return {
    ...withProduct(spec),
    groups: spec.groups.map(({ rule, ...group }, i) => ({
      ...group,
      ...(rule === undefined ? {} : { rule: withProduct(rule) }),
      ...(groups[i + 1].frozen ? { frozen: true } : {}),
    })),
  };
}

/** What a scheduler sets must be what was saved, because it will set it again. @throws {GradstepError} `UNSUPPORTED` */
function checkScheduled(
  { scheduler }: TorchDescription,
  spec: OptimizerSpec,
  groups: readonly SplitGroup[],
  iterations: number,
): void {
  if (scheduler === null) return;
  const { learningRate, momentum, beta1 } = spec.hyperparameters;
  groups.forEach(({ options }, i) => {
    const [beta] = Array.isArray(options.betas) ? (options.betas as readonly unknown[]) : [];
    const own = i === 0 ? undefined : spec.groups[i - 1].learningRate;
    const pairs: readonly (readonly [string, unknown, unknown])[] = [
      ["lr", options.lr, own ?? learningRate],
      ["momentum", options.momentum, momentum],
      ["first of betas", beta, beta1],
    ];
    for (const [name, saved, schedule] of pairs) {
      if (typeof schedule !== "object") continue;
      const scheduled = (schedule as Schedule).valueAt(iterations);
      // PyTorch computes some rates from that of the step before.
      if (Math.abs((saved as number) - scheduled) <= 1e-9 * Math.abs(scheduled) + 1e-15) continue;
      throw new GradstepError(
        `The ${name} of group ${i} is ${show(saved)}, and ${scheduler.name} has ${scheduled} after ${iterations} steps; expected the same. If it was changed by hand, save without the scheduler.`,
        { code: "UNSUPPORTED" },
      );
    }
  });
}

type Slots = ImportedCheckpoint["state"]["slots"][string];

/** The slots of a parameter: those of the file, and first values for the others, in the type of the parameter. */
function withSlots(
  name: string,
  initial: Slots,
  { slots }: TorchParameterState,
  { values: parameter }: ParameterValues,
): Slots {
  const unknown = Object.keys(slots).filter((slot) => !Object.hasOwn(initial, slot));
  if (unknown.length > 0) {
    throw new GradstepError(
      `The state of ${name} has what its options do not use (${unknown.join(", ")} here); expected the state of these options. If options were changed while training, such as momentum or amsgrad, save after a step of a new optimizer.`,
      { code: "UNSUPPORTED" },
    );
  }
  return Object.fromEntries(
    Object.entries(initial).map(([slot, first]) => {
      const values = slots[slot] ?? first;
      if (values.length !== first.length)
        invalid(`slot ${slot} of ${name} has ${values.length} values; expected ${first.length}`);
      return [slot, inTypeOf(parameter, values)];
    }),
  );
}
