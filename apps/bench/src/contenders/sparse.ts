import "@tensorflow/tfjs-backend-wasm";
import { seededRandom } from "@gradstep/apps-shared/random";
import { createOptimizer, type OptimizerOptions } from "@gradstep/core";
import { wasm } from "@gradstep/wasm";
import * as tf from "@tensorflow/tfjs-core";
import { hyperparameters, rule } from "../adam.js";
import { checkedSteps } from "../correctness.js";
import { type Data, gradientKinds } from "../data.js";
import type { Contender, Expected } from "./contender.js";
import { startTfjs } from "./tfjs-backend.js";

/** Rows of the table that have a gradient in a step, duplicates included. */
const rows = 1000;

/** After this many steps the same rows have gradients again: too many for the caches. */
const rowSets = 256;

interface Sparse {
  readonly indices: Int32Array;
  /** A row per index. */
  readonly values: Float32Array;
}

/** Which rows have gradients: others in each step, or the same. */
type Choice = "random" | "same";

/** The gradients of the steps, by turns: random rows, a few of them twice. */
function gradientsOf({ workload, gradients }: Data, choice: Choice): readonly Sparse[] {
  const [[tableRows, columns]] = workload.shapes;
  const random = seededRandom(1);
  const newSet = (): Int32Array =>
    Int32Array.from({ length: rows }, () => Math.floor(random() * tableRows));
  const first = newSet();
  const kinds = gradients.map(([dense]) => dense.slice(0, rows * columns));
  return Array.from({ length: rowSets }, (_, step) => ({
    indices: step === 0 || choice === "same" ? first : newSet(),
    values: kinds[step % gradientKinds],
  }));
}

/** When a row counts a step, and which rows a step updates. */
type Mode = "dense" | "lazy" | "row-steps";

/** A row of the table, in f64. */
interface TableRow {
  readonly p: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
  /** Its gradient in the current step. */
  readonly g: Float64Array;
  steps: number;
}

/** Adam row by row, in f64. */
function expectedRows(mode: Mode, choice: Choice): (data: Data) => Expected {
  return (data) => {
    const [[tableRows, columns]] = data.workload.shapes;
    const [parameters] = data.parameters();
    const updated = new Map<number, TableRow>();
    const rowAt = (index: number): TableRow => {
      const known = updated.get(index);
      if (known !== undefined) return known;
      const p = Float64Array.from(parameters.subarray(index * columns, (index + 1) * columns));
      const [m, v, g] = [0, 1, 2].map(() => new Float64Array(columns));
      const row = { p, m, v, g, steps: 0 };
      updated.set(index, row);
      return row;
    };
    if (mode === "dense") for (let index = 0; index < tableRows; index += 1) rowAt(index);
    const gradients = gradientsOf(data, choice);
    const { learningRate, beta1, beta2, epsilon } = hyperparameters;
    for (let step = 0; step < checkedSteps; step += 1) {
      const { indices, values } = gradients[step];
      for (const { g } of updated.values()) g.fill(0);
      indices.forEach((index, i) => {
        const { g } = rowAt(index);
        for (let j = 0; j < columns; j += 1) g[j] += values[i * columns + j];
      });
      for (const index of mode === "dense" ? updated.keys() : new Set(indices)) {
        const row = updated.get(index)!;
        const { p, m, v, g } = row;
        row.steps += 1;
        const t = mode === "row-steps" ? row.steps : step + 1;
        for (let j = 0; j < columns; j += 1) {
          m[j] += (g[j] - m[j]) * (1 - beta1);
          v[j] += (g[j] * g[j] - v[j]) * (1 - beta2);
          const root = Math.sqrt(v[j] / (1 - beta2 ** t));
          p[j] -= (learningRate * m[j]) / (1 - beta1 ** t) / (root + epsilon);
        }
      }
    }
    let index = -1;
    let row: TableRow | undefined;
    return (_, element) => {
      const next = Math.floor(element / columns);
      if (next !== index) row = updated.get(next);
      index = next;
      return row === undefined ? parameters[element] : row.p[element % columns];
    };
  };
}

interface TableContender extends Pick<Contender, "name" | "description"> {
  readonly mode: Mode;
  readonly choice?: Choice;
  readonly options: Pick<OptimizerOptions, "sparse" | "rowSteps">;
}

/** gradstep in WebAssembly on the whole table. */
function onTable({
  name,
  description,
  mode,
  choice = "random",
  options,
}: TableContender): Contender {
  return {
    name,
    description,
    expected: expectedRows(mode, choice),
    start: async (data) => {
      const backend = wasm();
      const table = backend.tensor(data.workload.shapes[0], data.parameters()[0]);
      const optimizer = createOptimizer(rule, { table }, options);
      const kinds = gradientsOf(data, choice).map((gradient) => ({ table: gradient }));
      return {
        step: () => optimizer.step(kinds[optimizer.iterations % rowSets]),
        read: async () => [await table.read()],
        stateBytes: async () => {
          const { slots } = await optimizer.state();
          const counts = mode === "row-steps" ? 4 * table.shape[0] : 0;
          return Object.values(slots.table).reduce((sum, one) => sum + one.byteLength, counts);
        },
        dispose: () => {
          optimizer.dispose();
          backend.dispose();
        },
      };
    },
  };
}

/** What as many rows cost that are a tensor of their own, with an ordinary gradient in an array or in a tensor. */
function rowsAlone(name: string, gradients: "arrays" | "tensors"): Contender {
  return {
    name,
    description: `Adam on a tensor of ${rows} rows, its gradients in ${gradients}`,
    isBaseline: true,
    start: async (data) => {
      const backend = wasm();
      const shape = [rows, data.workload.shapes[0][1]];
      const size = rows * shape[1];
      const tensor = backend.tensor(shape, data.parameters()[0].subarray(0, size));
      const kinds = data.gradients.map(([dense]) => {
        const values = dense.slice(0, size);
        return { tensor: gradients === "arrays" ? values : backend.tensor(shape, values) };
      });
      const optimizer = createOptimizer(rule, { tensor });
      return {
        step: () => optimizer.step(kinds[optimizer.iterations % gradientKinds]),
        read: async () => [await tensor.read()],
        stateBytes: () => Promise.resolve(2 * 4 * tensor.size),
        dispose: () => {
          optimizer.dispose();
          backend.dispose();
        },
      };
    },
  };
}

/** TF.js has no sparse steps: the gradient of the whole table, and its Adam. */
const tfjsOperations: Contender = {
  name: "tfjs-wasm ops",
  description: "scatterND to a gradient of the table, and TF.js's Adam in WebAssembly",
  expected: expectedRows("dense", "random"),
  start: async (data) => {
    const activate = await startTfjs("wasm");
    const shape = [...data.workload.shapes[0]];
    const table = tf.tidy(() => tf.tensor(data.parameters()[0], shape).variable());
    const values = data.gradients.map(([dense]) =>
      tf.tensor2d(dense.slice(0, rows * shape[1]), [rows, shape[1]]),
    );
    const indices = gradientsOf(data, "random").map((gradient) =>
      tf.tensor2d(gradient.indices, [rows, 1], "int32"),
    );
    const { learningRate, beta1, beta2, epsilon } = hyperparameters;
    const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
    let steps = 0;
    return {
      activate,
      step: () =>
        tf.tidy(() => {
          const kind = values[steps % gradientKinds];
          const tensor = tf.scatterND(indices[steps % rowSets], kind, shape);
          optimizer.applyGradients([{ name: table.name, tensor }]);
          steps += 1;
        }),
      read: async () => [await table.data()],
      stateBytes: () => Promise.resolve(2 * 4 * table.size),
      dispose: () => {
        optimizer.dispose();
        tf.dispose([table, values, indices]);
      },
    };
  },
};

const lazy = onTable({
  name: "lazy",
  description: "only the rows with a gradient, others in each step, gradients in arrays",
  mode: "lazy",
  options: { sparse: "lazy" },
});

const sameRows = onTable({
  name: "same rows",
  description: "the same, the same rows in each step",
  mode: "lazy",
  choice: "same",
  options: { sparse: "lazy" },
});

const asTensor = [rowsAlone("rows alone", "arrays"), rowsAlone("rows in tensors", "tensors")];

/** Steps of a few rows of a large table. */
export const sparseContenders: readonly Contender[] = [
  lazy,
  sameRows,
  onTable({
    name: "rowSteps",
    description: "as lazy, each row with a step count of its own",
    mode: "row-steps",
    options: { sparse: "lazy", rowSteps: true },
  }),
  onTable({
    name: "dense",
    description: "all rows, as if the others had gradients of zeros",
    mode: "dense",
    options: { sparse: "dense" },
  }),
  ...asTensor,
  tfjsOperations,
];

/** The same of a table of which a dense step would take a second. */
export const lazyContenders: readonly Contender[] = [lazy, sameRows, ...asTensor];
