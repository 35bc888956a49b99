/** The typed arrays of values that backends in host memory take. Those of 16 bits hold f16. */
export type HostArray = Float32Array | Float64Array | Uint16Array | Uint32Array | Int32Array;
