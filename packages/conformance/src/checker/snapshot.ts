import type { OptimizerState, Tensor, Values } from "@gradstep/core";

/** The values of one parameter: `p` and its slots, by name. */
export type Snapshot = Readonly<Record<string, Values>>;

/** The current values of all parameters and of their slots, by parameter. */
export async function snapshot(
  optimizer: { state(): Promise<OptimizerState> },
  parameters: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Snapshot>> {
  const names = Object.keys(parameters);
  const [state, ...values] = await Promise.all([
    optimizer.state(),
    ...names.map((name) => parameters[name].read()),
  ]);
  return Object.fromEntries(names.map((name, i) => [name, { ...state.slots[name], p: values[i] }]));
}
