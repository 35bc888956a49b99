import type { Backend, Tensor } from "../../backend/backend.js";
import { slotShape } from "../../backend/dimensions.js";
import { isTensor } from "../../backend/is-tensor.js";
import { isSameShape } from "../../backend/shape.js";
import { GradstepError, list, show } from "../../errors.js";
import type { Group } from "../groups/group.js";
import { notLive } from "../../backend/tensor-errors.js";
import { checkIsTable, notAParameter, type Parameters } from "./parameter-checks.js";

/** Tensors for slots, by the names of parameters and of their slots. */
export type SlotTable<T extends Tensor = Tensor> = Readonly<Record<string, Parameters<T>>>;

/**
 * Checks the slots that are in caller-owned memory.
 * @param parameters those that can have some
 * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_PARAMETER`, `INVALID_SHAPE`, `DISPOSED`
 */
export function checkSlots(
  slots: SlotTable,
  parameters: ReadonlyMap<string, { readonly tensor: Tensor; readonly group: Group }>,
  backend: Backend | undefined,
): void {
  for (const [name, tensors] of Object.entries(slots)) {
    const parameter = parameters.get(name);
    if (parameter === undefined) throw notAParameter("slots", name, parameters.keys());
    checkIsTable(`slots of "${name}"`, tensors, "tensors by the names of slots");
    const { variant } = parameter.group.context;
    for (const [slot, tensor] of Object.entries(tensors)) {
      const what = `Slot ${slot} of "${name}"`;
      const known = variant.slots.find((one) => one.name === slot);
      if (known === undefined || known.extent === "all") {
        const own = variant.slots.flatMap((one) => (one.extent === "all" ? [] : [one.name]));
        throw new GradstepError(
          `${what} is not one that the parameter has for itself; expected some of ${list(own)}.`,
          { code: "INVALID_PARAMETER" },
        );
      }
      checkFloats(what, tensor, backend);
      const shape = slotShape(known.extent, parameter.tensor.shape, variant.matrices);
      if (!isSameShape(tensor.shape, shape)) {
        throw new GradstepError(
          `${what} has shape ${show(tensor.shape)}; expected ${show(shape)}.`,
          {
            code: "INVALID_SHAPE",
          },
        );
      }
    }
  }
}

/** @throws {GradstepError} `INVALID_PARAMETER`, `DISPOSED` */
function checkFloats(what: string, tensor: unknown, backend: Backend | undefined): void {
  const isUsable =
    isTensor(tensor) &&
    tensor.backend === backend &&
    (tensor.layout === undefined ||
      (tensor.layout.dtype === backend.precision && backend.takesLayouts === true));
  if (!isUsable) {
    throw new GradstepError(
      `${what} is ${show(tensor)}; expected a tensor of ${backend?.precision ?? "f32"} of the parameters' backend, such as backend.wrap(memory, { shape }).`,
      { code: "INVALID_PARAMETER" },
    );
  }
  if (tensor.freed) throw notLive(what, tensor);
}
