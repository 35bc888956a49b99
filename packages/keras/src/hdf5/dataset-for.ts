import type { ParameterValues } from "@gradstep/core/interop";
import { mismatch } from "../mismatch.js";
import { sizeOfShape, type Hdf5Dataset } from "./hdf5-tree.js";

/** The array of a variable. @throws {GradstepError} `STATE_MISMATCH` for values that do not fill the shape */
export function datasetFor({ shape, values }: ParameterValues): Hdf5Dataset {
  const dtype = values instanceof Float64Array ? "<f8" : "<f4";
  if (values.length !== sizeOfShape(shape))
    mismatch([`a parameter has ${values.length} values for the shape [${shape.join(", ")}]`]);
  return { kind: "dataset", dtype, shape, values };
}
