import type { Backend, MemoryRange, Tensor } from "./backend.js";
import { GradstepError, show } from "./errors.js";

/** Parameters by name. */
export type Parameters<T extends Tensor = Tensor> = Readonly<Record<string, T>>;

function isTensor(value: unknown): value is Tensor {
  return (
    value !== null &&
    typeof value === "object" &&
    "backend" in value &&
    typeof (value.backend as Backend | null)?.compile === "function" &&
    "memory" in value &&
    "size" in value
  );
}

/**
 * Checks the parameters of an optimizer: tensors of one backend, alive, under usable names, no two in the same memory.
 *
 * @param backend the backend they have to be of; left out, that of the first.
 * @param present memory that is taken already, by name.
 * @throws {GradstepError} `INVALID_PARAMETER`, `DISPOSED`, `OVERLAPPING_MEMORY`
 */
export function checkParameters(
  parameters: Parameters,
  backend?: Backend,
  present: ReadonlyMap<string, Tensor> = new Map(),
): void {
  if (
    parameters === null ||
    typeof parameters !== "object" ||
    // A Map has no properties: it would pass for an object without parameters.
    Symbol.iterator in parameters ||
    isTensor(parameters)
  ) {
    throw new GradstepError(
      `Got ${show(parameters)} as parameters; expected tensors by name, such as { kernel, bias }.`,
      { code: "INVALID_PARAMETER" },
    );
  }
  let common = backend;
  for (const [name, tensor] of Object.entries(parameters)) {
    if (name in Object.prototype) {
      throw new GradstepError(
        `A parameter cannot be named "${name}": every object has a property of that name. Choose another.`,
        {
          code: "INVALID_PARAMETER",
        },
      );
    }
    if (present.has(name)) {
      throw new GradstepError(
        `The optimizer has a parameter "${name}" already; choose another name.`,
        { code: "INVALID_PARAMETER" },
      );
    }
    if (!isTensor(tensor)) {
      throw new GradstepError(
        `Parameter "${name}" is ${show(tensor)}; expected a tensor. Make one with backend.wrap(array) or backend.tensor(shape).`,
        {
          code: "INVALID_PARAMETER",
        },
      );
    }
    if (tensor.freed)
      throw new GradstepError(`Parameter "${name}" was freed; expected a live tensor.`, {
        code: "DISPOSED",
      });
    common ??= tensor.backend;
    if (tensor.backend !== common) {
      throw new GradstepError(
        `Parameter "${name}" is of backend ${tensor.backend.name}; expected the same backend object as the others (${common.name}).`,
        { code: "INVALID_PARAMETER" },
      );
    }
  }
  checkDisjoint([...present, ...Object.entries(parameters)]);
}

/** @throws {GradstepError} `OVERLAPPING_MEMORY` */
function checkDisjoint(tensors: readonly (readonly [string, Tensor])[]): void {
  const byBuffer = new Map<object, { name: string; start: number; end: number }[]>();
  for (const [name, { memory }] of tensors) {
    const ranges = byBuffer.get(memory.buffer) ?? [];
    if (ranges.length === 0) byBuffer.set(memory.buffer, ranges);
    ranges.push({ name, start: memory.byteOffset, end: memory.byteOffset + memory.byteLength });
  }
  for (const ranges of byBuffer.values()) {
    ranges.sort((a, b) => a.start - b.start);
    ranges.forEach((range, i) => {
      const previous = ranges[i - 1];
      if (previous !== undefined && range.start < previous.end) {
        throw new GradstepError(
          `Parameters "${previous.name}" and "${range.name}" share memory; expected each to have its own. Pass a shared parameter once.`,
          { code: "OVERLAPPING_MEMORY" },
        );
      }
    });
  }
}

/** Whether two ranges have a byte in common. The buffer comes last: a wasm memory takes its time to say it. */
export function overlaps(a: MemoryRange, b: MemoryRange): boolean {
  return (
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength &&
    a.buffer === b.buffer
  );
}
