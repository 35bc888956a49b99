import type { Values } from "@gradstep/core";
import type { TensorMemory } from "../safetensors/decode.js";
import { arrayDtype } from "../safetensors/dtypes.js";
import type { Checkpoint } from "./checkpoint.js";

/** The parts of a checkpoint whose arrays can be used for the next one. */
export type CheckpointMemory = Pick<Checkpoint, "parameters" | "optimizer">;

/** Finds the parameters and slots of a checkpoint by the names that they have in a file. Gives each array once. */
export function tensorMemory(checkpoint: CheckpointMemory | undefined): TensorMemory {
  const arrays = new Map<string, Values>();
  const { parameters = {}, optimizer } = checkpoint ?? {};
  for (const [name, { values }] of Object.entries(parameters))
    arrays.set(`parameters/${name}`, values);
  for (const [name, slots] of Object.entries(optimizer?.slots ?? {}))
    for (const [slot, values] of Object.entries(slots))
      arrays.set(`optimizer/slots/${name}/${slot}`, values);
  return (name, dtype, byteLength) => {
    const array = arrays.get(name);
    if (array === undefined || arrayDtype(array) !== dtype || array.byteLength !== byteLength)
      return undefined;
    arrays.delete(name);
    return array;
  };
}
