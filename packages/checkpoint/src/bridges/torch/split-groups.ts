import { GradstepError } from "@gradstep/core";
import type { ParameterValues } from "@gradstep/core/interop";
import type { TorchDescription, TorchParameterGroup } from "./torch-description.js";
import type { TorchParameterState } from "./torch-parameter-state.js";

/** Parameters of one group of PyTorch that have taken the same number of steps. */
export interface SplitGroup {
  readonly options: TorchParameterGroup;
  readonly iterations: number;
  /** NAdam's product of momenta. */
  readonly product: number | undefined;
  readonly frozen: boolean;
}

/** Which parameters of a group of PyTorch share one here: those with the same number of steps, or none. */
export type GroupMode = "count" | "parameter";

/**
 * The groups that the optimizer has here, its own first, which cannot be frozen, and is empty if each parameter has a group;
 * and the steps it has taken.
 * @throws {GradstepError} `UNSUPPORTED` if the scheduler was not stepped once in each step
 */
export function splitGroups(
  { param_groups: groups, frozen, scheduler, last_epoch: position }: TorchDescription,
  parameters: Readonly<Record<string, ParameterValues>>,
  states: ReadonlyMap<string, TorchParameterState>,
  mode: GroupMode,
): { readonly iterations: number; readonly groups: readonly SplitGroup[] } {
  const counts = [...states.values()].flatMap(({ steps }) => steps ?? []);
  const hasState = ({ slots }: TorchParameterState): boolean => Object.keys(slots).length > 0;
  const most =
    counts.length > 0 ? Math.max(...counts) : [...states.values()].some(hasState) ? 1 : 0;
  if (scheduler !== null && counts.length > 0 && position !== most) {
    throw new GradstepError(
      `${scheduler.name} was stepped ${String(position)} times in ${most} steps of the optimizer; expected once in each. Save without the scheduler, and set the learning rate where it changes.`,
      { code: "UNSUPPORTED" },
    );
  }
  const iterations = position ?? most;

  const frozenNames = new Set(frozen);
  const split = new Map<string, SplitGroup & { readonly names: string[] }>();
  groups.forEach((group, i) => {
    for (const name of group.param_names) {
      const state = states.get(name)!;
      // Without momentum, SGD has no state, and each of its steps is like the first.
      const isCounted = hasState(state) || group.momentum === 0;
      const names: string[] = [];
      const own = {
        names,
        options: { ...group, ...epsilons(group, parameters[name]), param_names: names },
        iterations: state.steps ?? (isCounted ? iterations : 0),
        product: state.product,
        frozen: frozenNames.has(name),
      };
      const key =
        mode === "parameter"
          ? name
          : JSON.stringify([i, own.iterations, own.product, own.frozen, own.options.eps]);
      if (!split.has(key)) split.set(key, own);
      split.get(key)!.names.push(name);
    }
  });
  const found: SplitGroup[] = [...split.values()];
  const first = mode === "parameter" ? -1 : found.findIndex((group) => !group.frozen);
  const [one] =
    first < 0 ? [emptyGroup(found[0]?.options ?? groups[0], iterations)] : found.splice(first, 1);
  return { iterations, groups: [one, ...found] };
}

function emptyGroup(options: TorchParameterGroup, iterations: number): SplitGroup {
  return {
    options: { ...options, param_names: [] },
    iterations,
    product: undefined,
    frozen: false,
  };
}

/** Adafactor's default depends on the type of the parameter: it is the distance from 1 to the next number. */
function epsilons({ eps }: TorchParameterGroup, { values }: ParameterValues): { eps?: unknown } {
  if (!Array.isArray(eps) || eps[0] !== null) return {};
  return { eps: [values instanceof Float64Array ? Number.EPSILON : 2 ** -23, eps[1]] };
}
