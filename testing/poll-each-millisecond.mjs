/**
 * Loaded into each worker of vitest. Dawn in Node asks with `setImmediate`, as often as it can, whether the device has
 * finished: that takes a processor from the software driver. Here it asks with a timer.
 */
const { setImmediate, setTimeout } = globalThis;

/** Whether a function belongs to an addon, as those that Dawn passes do. */
const isNative = (callback) => Function.prototype.toString.call(callback).includes("[native code]");

globalThis.setImmediate = (callback, ...values) =>
  isNative(callback) ? setTimeout(callback, 0, ...values) : setImmediate(callback, ...values);
