import {
  arraysOf,
  HostTensor,
  type Kernel,
  type Tensor,
  type Update,
  type Variant,
} from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { target, withRun, type Run } from "../mutable-target.js";
import { changing, live } from "./changed-backends.js";

function running(name: string, change: (run: Run, variant: Variant) => Run): Mutant {
  return { name, kind: "backend", target: () => target({ backend: withRun(change) }) };
}

/** Leaves some elements as they were. */
function skipping(name: string, skips: (i: number, size: number) => boolean): Mutant {
  return running(name, (run, variant) => (updates, count) => {
    const kept = updates.slice(0, count).map((update) => {
      const arrays = [...arraysOf<Float32Array>(variant, update).values()];
      return { arrays, copies: arrays.map((array) => array.slice()) };
    });
    run(updates, count);
    for (const { arrays, copies } of kept)
      arrays.forEach((array, k) => {
        for (let i = 0; i < array.length; i += 1)
          if (skips(i, array.length)) array[i] = copies[k][i];
      });
  });
}

/** Passes other updates to the kernel. */
function handing(name: string, change: (updates: readonly Update[]) => readonly Update[]): Mutant {
  return running(name, (run) => (updates, count) => {
    const changed = change(updates.slice(0, count));
    run(changed, changed.length);
  });
}

/** Kernels by rule, over all backends: variants of one rule share a kernel. */
const kernels = new Map<string, Kernel>();

/** Backends that compute correctly, but lose or exchange the inputs of a run, or write to memory outside of its tensors. */
export const dataMutants: readonly Mutant[] = [
  skipping("the last element is left out", (i, size) => i === size - 1),
  skipping("the first element is left out", (i) => i === 0),
  skipping(
    "the last elements after groups of four are left out",
    (i, size) => i >= size - (size % 4),
  ),
  skipping(
    "the last elements after groups of four are left out, above 64",
    (i, size) => size > 64 && i >= size - (size % 4),
  ),
  skipping("the 129th element is left out", (i) => i === 128),
  skipping("nothing after 4,096 elements", (i) => i >= 4096),
  skipping("every chunk of 1,024 lacks its last element", (i) => i % 1024 === 1023),
  running("a tail of four is written past the end", (run, variant) => (updates, count) => {
    run(updates, count);
    for (const update of updates.slice(0, count)) {
      const { buffer, byteOffset, length } = arraysOf<Float32Array>(variant, update).get("p")!;
      const rest = Math.min(
        (4 - (length % 4)) % 4,
        buffer.byteLength / 4 - byteOffset / 4 - length,
      );
      new Float32Array(buffer, byteOffset + length * 4, rest).fill(0);
    }
  }),
  running("the gradient of the step before", (run) => {
    const stale = new Map<Tensor, Float32Array>();
    return (updates, count) => {
      const now = updates.slice(0, count).map((update) => {
        const gradient = live(update.gradient).slice();
        const before = stale.get(update.parameter) ?? gradient;
        stale.set(update.parameter, gradient);
        return {
          ...update,
          gradient: new HostTensor(update.gradient.backend, update.gradient.shape, before),
        };
      });
      run(now, count);
    };
  }),
  running("every step has the gradients of the first", (run) => {
    const first = new Map<Tensor, Tensor>();
    return (updates, count) => {
      for (const { parameter, gradient } of updates.slice(0, count))
        if (!first.has(parameter)) {
          first.set(
            parameter,
            new HostTensor(gradient.backend, gradient.shape, live(gradient).slice()),
          );
        }
      run(
        updates
          .slice(0, count)
          .map((update) => ({ ...update, gradient: first.get(update.parameter)! })),
        count,
      );
    };
  }),
  handing("all tensors have the scalars of the first", (updates) =>
    updates.map((update) => ({ ...update, scalars: updates[0].scalars })),
  ),
  handing("the first two slots swapped", (updates) =>
    updates.map((update) => {
      const [a, b, ...rest] = update.slots;
      return b === undefined ? update : { ...update, slots: [b, a, ...rest] };
    }),
  ),
  handing("the first tensor alone", (updates) => updates.slice(0, 1)),
  handing("no more than sixteen tensors", (updates) => updates.slice(0, 16)),
  handing("the last tensor is left out", (updates) =>
    updates.length > 1 ? updates.slice(0, -1) : updates,
  ),
  handing("gradients of two tensors of one size swapped", (updates) => {
    const [a, b] = updates;
    if (b === undefined || a.parameter.size !== b.parameter.size) return updates;
    return [{ ...a, gradient: b.gradient }, { ...b, gradient: a.gradient }, ...updates.slice(2)];
  }),
  running("tensors without a gradient are updated, too", (run) => (updates) => {
    run(updates, updates.length);
  }),
  running("each run is made twice", (run) => (updates, count) => {
    run(updates, count);
    run(updates, count);
  }),
  running("every run has the scalars of the first", (run) => {
    const first = new Map<Tensor, Float64Array>();
    return (updates, count) => {
      const frozen = updates.slice(0, count).map((update) => {
        const scalars = first.get(update.parameter) ?? update.scalars.slice();
        first.set(update.parameter, scalars);
        return { ...update, scalars };
      });
      run(frozen, count);
    };
  }),
  running("the gradient is overwritten", (run, variant) => (updates, count) => {
    run(updates, count);
    for (const update of updates.slice(0, count))
      arraysOf<Float32Array>(variant, update).get("g")!.fill(0);
  }),
  running("runs are delayed until the next await", (run) => (updates, count) => {
    const later = updates.slice(0, count).map((update) => ({ ...update }));
    void Promise.resolve().then(() => {
      run(later, count);
    });
  }),
  running("slots of later tensors are written to those of the first", (run) => (updates, count) => {
    run(
      updates.slice(0, count).map((update, i) =>
        i === 0
          ? update
          : {
              ...update,
              slots: updates[0].slots.map((slot, k) =>
                slot.size === update.slots[k].size ? slot : update.slots[k],
              ),
            },
      ),
      count,
    );
  }),
  changing("kernels are found by the rule's name alone", (backend) => {
    const compile = backend.compile.bind(backend);
    backend.compile = (variant) => {
      const found = kernels.get(variant.rule) ?? compile(variant);
      kernels.set(variant.rule, found);
      return found;
    };
  }),
];
