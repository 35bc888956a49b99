import { GradstepError } from "@gradstep/core";
import { nameList } from "../name-list.js";
import { isTable } from "./model-config.js";

/**
 * Refuses a model with LoRA weights: Keras saves their product as a part of the kernel, so that the file lacks the weights
 * to which the optimizer's moments belong.
 *
 * @param model what `config.json` has as the configuration of the model
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function rejectLora(model: unknown): void {
  const names: string[] = [];
  // Grows while it is read.
  const values: unknown[] = [model];
  for (const value of values) {
    if (!Array.isArray(value) && !isTable(value)) continue;
    if (isTable(value) && typeof value.lora_rank === "number") names.push(String(value.name));
    for (const one of Object.values(value)) values.push(one);
  }
  if (names.length === 0) return;
  throw new GradstepError(
    `The model has LoRA weights (enable_lora) in ${nameList(names)}; expected none: Keras saves their product as a part of the kernel, and not the weights that the optimizer trains. To train all of the kernels from here on, load the weights in Keras into the model without enable_lora, compile it and save that.`,
    { code: "UNSUPPORTED" },
  );
}
