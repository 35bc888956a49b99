// A call that fails because memory runs out, at whichever allocation, has changed nothing.
import { expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import {
  adam,
  adagrad,
  createOptimizer,
  GradstepError,
  lamb,
  sgd,
  type Optimizer,
} from "../src/index.js";
import { reference } from "../src/reference.js";
import { numbers } from "./support.js";

type Host = ReturnType<typeof reference>;

/** What a call works on: tensors whose values it may change, and the optimizer, if one is there before. */
interface Scene {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly optimizer: Optimizer;
  /** May be called again after it failed. */
  readonly call: () => unknown;
}

const rows = 8;

/** Rows of `columns` values with one value between them. */
function struct(backend: Host, columns: number): Tensor {
  const memory = new Float32Array(rows * (columns + 1)).fill(7);
  const shape = [rows, columns];
  const field = backend.wrap(memory, { shape, rowStride: columns + 1 });
  field.write(numbers(rows * columns, columns));
  return field;
}

function plain(backend: Host, columns: number): Tensor {
  return backend.tensor([rows, columns], numbers(rows * columns, columns));
}

/** Two parameters, the second of which needs more memory, and a step of both. */
function twoSteps(make: typeof plain, spec: Parameters<typeof createOptimizer>[0], options = {}) {
  return (backend: Host): Scene => {
    const tensors = { a: make(backend, 2), b: make(backend, 9) };
    const optimizer = createOptimizer(spec, tensors, options);
    const gradients = { a: numbers(2 * rows, 11), b: numbers(9 * rows, 12) };
    return { tensors, optimizer, call: () => optimizer.step(gradients) };
  };
}

const sparse = (columns: number) => ({
  indices: Uint32Array.of(5, 2, 5),
  values: numbers(3 * columns, 13),
});

const scenes: Readonly<Record<string, (backend: Host) => Scene>> = {
  "a step of plain tensors": twoSteps(plain, adam()),
  "a step of structs": twoSteps(struct, adam()),
  "a step of structs, after one of a rule with fewer slots": (backend) => {
    const before = twoSteps(struct, sgd())(backend);
    before.call();
    return twoSteps(struct, adam())(backend);
  },
  "a step of structs, of a rule with reductions": twoSteps(struct, lamb()),
  "a step that accumulates": twoSteps(plain, adam(), { accumulate: 2 }),
  "a step that accumulates, of structs": twoSteps(struct, adam(), { accumulate: 2 }),
  "a step with a loss scale": twoSteps(plain, adam(), { lossScale: 8 }),
  "a step with a scale": (backend) => {
    const { tensors, optimizer } = twoSteps(plain, adam())(backend);
    const gradients = { a: numbers(2 * rows, 11), b: numbers(9 * rows, 12) };
    return { tensors, optimizer, call: () => optimizer.step(gradients, { scale: 0.5 }) };
  },
  "a step with sparse gradients": (backend) => {
    const { tensors, optimizer } = twoSteps(plain, adam())(backend);
    return { tensors, optimizer, call: () => optimizer.step({ a: sparse(2), b: sparse(9) }) };
  },
  "a lazy step": (backend) => {
    const { tensors, optimizer } = twoSteps(plain, adam(), { sparse: "lazy" })(backend);
    return { tensors, optimizer, call: () => optimizer.step({ a: sparse(2), b: sparse(9) }) };
  },
  "a lazy step of structs whose rows count their steps": (backend) => {
    const options = { sparse: "lazy", rowSteps: true };
    const { tensors, optimizer } = twoSteps(struct, adam(), options)(backend);
    return { tensors, optimizer, call: () => optimizer.step({ a: sparse(2), b: sparse(9) }) };
  },
  "a reset of columns": (backend) => {
    const { tensors, optimizer, call } = twoSteps(plain, adam())(backend);
    call();
    return { tensors, optimizer, call: () => optimizer.reset(undefined, { columns: [1, 2] }) };
  },
  "parameters that are added": (backend) => {
    const { tensors, optimizer } = twoSteps(plain, adagrad())(backend);
    const c = plain(backend, 3);
    return { tensors: { ...tensors, c }, optimizer, call: () => optimizer.add({ c }) };
  },
};

async function everything({ tensors, optimizer }: Scene): Promise<unknown> {
  const values = await Promise.all(Object.values(tensors).map((tensor) => tensor.read()));
  return [values, await optimizer.state(), optimizer.iterations, optimizer.parameters];
}

/** Makes allocations of a backend fail after a number of tensors. @returns a function that ends that */
function limit(backend: Host, room: number): () => void {
  const tensor = backend.tensor.bind(backend);
  const staging = backend.staging.bind(backend);
  let left = room;
  const take = (): void => {
    left -= 1;
    if (left < 0) throw new GradstepError("No more memory.", { code: "OUT_OF_MEMORY" });
  };
  backend.tensor = (...args) => {
    take();
    return tensor(...args);
  };
  backend.staging = (shape) => {
    take();
    return staging(shape);
  };
  return () => Object.assign(backend, { tensor, staging });
}

/** Whether memory is enough for a call. */
function hasEnough(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (error instanceof GradstepError && error.code === "OUT_OF_MEMORY") return false;
    throw error;
  }
}

test.each(Object.entries(scenes))("%s", async (_, make) => {
  const undisturbed = make(reference());
  const before = await everything(undisturbed);
  undisturbed.call();
  const after = await everything(undisturbed);
  let failures = 0;
  for (let isDone = false; !isDone;) {
    const backend = reference();
    const scene = make(backend);
    const unlimit = limit(backend, failures);
    isDone = hasEnough(scene.call);
    unlimit();
    expect(await everything(scene)).toEqual(isDone ? after : before);
    if (isDone) continue;
    failures += 1;
    scene.call();
    expect(await everything(scene)).toEqual(after);
  }
  expect(failures).toBeGreaterThan(0);
});
