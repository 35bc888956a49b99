import type { Backend, Tensor } from "../src/backend/backend.js";
import type { Layout } from "../src/backend/memory.js";
import { bytesPerValue } from "../src/backend/layout.js";

/** The position of a tensor in memory: rows of values of one type, at a distance from each other. */
export interface Place {
  readonly shape: readonly number[];
  readonly dtype: Layout["dtype"];
  /** In values; rows have no gaps if left out. */
  readonly rowStride?: number;
  readonly buffer?: object;
  readonly byteOffset?: number;
}

/** A tensor with a layout, as on GPU backends. It has no values: for checks, and for kernels that are stubs. */
export function laidOut(backend: Backend, place: Place): Tensor {
  const { dtype, buffer = {}, byteOffset = 0 } = place;
  let freed = false;
  const size = place.shape.reduce((product, n) => product * n, 1);
  const [rows = 1] = place.shape;
  const rowLength = size / rows;
  const { rowStride = rowLength } = place;
  const width = bytesPerValue[dtype];
  return {
    backend,
    shape: place.shape,
    size,
    layout: { dtype, rowStride, scale: 1 },
    memory: { buffer, byteOffset, byteLength: ((rows - 1) * rowStride + rowLength) * width },
    get freed() {
      return freed;
    },
    write: () => {},
    read: () => Promise.resolve(new Float32Array(size)),
    free: () => {
      freed = true;
    },
  };
}
