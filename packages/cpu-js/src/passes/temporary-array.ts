/**
 * The type of the arrays in which passes keep what they do not store in tensors. A `Float32Array` rounds every value, which
 * gives the bits of the reference; a `Float64Array` keeps what was computed.
 */
export type TemporaryArray = Float32ArrayConstructor | Float64ArrayConstructor;
