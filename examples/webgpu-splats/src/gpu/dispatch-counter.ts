/** Runs an action and returns the number of dispatches that it records. */
export type DispatchCounter = (action: () => unknown) => number;

/** Counts all dispatches that are recorded on a device. */
export function dispatchCounter(device: GPUDevice): DispatchCounter {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  const prototype = Object.getPrototypeOf(pass) as GPUComputePassEncoder;
  pass.end();
  return (action) => {
    // oxlint-disable-next-line typescript/unbound-method -- called with the pass as `this` below
    const { dispatchWorkgroups } = prototype;
    let count = 0;
    prototype.dispatchWorkgroups = function counted(x, y, z): undefined {
      count += 1;
      dispatchWorkgroups.call(this, x, y, z);
      return undefined;
    };
    try {
      action();
    } finally {
      prototype.dispatchWorkgroups = dispatchWorkgroups;
    }
    return count;
  };
}
