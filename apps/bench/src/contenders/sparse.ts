import "@tensorflow/tfjs-backend-wasm";
import { seededRandom } from "@gradstep/apps-shared/random";
import { createOptimizer, type OptimizerOptions } from "@gradstep/core";
import { wasm } from "@gradstep/wasm";
import * as tf from "@tensorflow/tfjs-core";
import { hyperparameters, rule } from "../adam.js";
import { checkedSteps } from "../correctness.js";
import { type Data, gradientKinds } from "../data.js";
import type { Contender, Expected } from "./contender.js";

/** Rows of the table that have a gradient in a step, duplicates included. */
const rows = 1000;

interface Sparse {
  readonly indices: Int32Array;
  /** A row per index. */
  readonly values: Float32Array;
}

/** The gradients of the steps, by kind: random rows, a few of them twice. */
function gradientsOf({ workload, gradients }: Data): readonly Sparse[] {
  const [[tableRows, columns]] = workload.shapes;
  const random = seededRandom(1);
  return gradients.map(([dense]) => ({
    indices: Int32Array.from({ length: rows }, () => Math.floor(random() * tableRows)),
    values: dense.slice(0, rows * columns),
  }));
}

/** When a row counts a step, and which rows a step updates. */
type Mode = "dense" | "lazy" | "row-steps";

/** Adam row by row, in f64. */
function expectedOf(mode: Mode): (data: Data) => Expected {
  return (data) => {
    const [[tableRows, columns]] = data.workload.shapes;
    const p = Float64Array.from(data.parameters()[0]);
    const [m, v, g] = [0, 1, 2].map(() => new Float64Array(p.length));
    const counts = new Uint32Array(tableRows);
    const kinds = gradientsOf(data);
    const { learningRate, beta1, beta2, epsilon } = hyperparameters;
    for (let step = 0; step < checkedSteps; step += 1) {
      const { indices, values } = kinds[step % gradientKinds];
      g.fill(0);
      indices.forEach((row, i) => {
        for (let column = 0; column < columns; column += 1)
          g[row * columns + column] += values[i * columns + column];
      });
      const updated = mode === "dense" ? counts.keys() : new Set(indices);
      for (const row of updated) {
        counts[row] += 1;
        const t = mode === "row-steps" ? counts[row] : step + 1;
        for (let i = row * columns; i < (row + 1) * columns; i += 1) {
          m[i] += (g[i] - m[i]) * (1 - beta1);
          v[i] += (g[i] * g[i] - v[i]) * (1 - beta2);
          const root = Math.sqrt(v[i] / (1 - beta2 ** t));
          p[i] -= (learningRate * m[i]) / (1 - beta1 ** t) / (root + epsilon);
        }
      }
    }
    return (_, element) => p[element];
  };
}

/** gradstep in WebAssembly on the whole table. */
function onTable(
  name: string,
  description: string,
  mode: Mode,
  options: Pick<OptimizerOptions, "sparse" | "rowSteps">,
): Contender {
  return {
    name,
    description,
    expected: expectedOf(mode),
    start: async (data) => {
      const backend = wasm();
      const table = backend.tensor(data.workload.shapes[0], data.parameters()[0]);
      const optimizer = createOptimizer(rule, { table }, options);
      const kinds = gradientsOf(data).map((gradient) => ({ table: gradient }));
      return {
        step: () => optimizer.step(kinds[optimizer.iterations % gradientKinds]),
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

/** What as many rows cost that are a tensor of their own, with an ordinary gradient. */
const rowsAlone: Contender = {
  name: "rows alone",
  description: `Adam on a tensor of ${rows} rows, gradstep in WebAssembly`,
  isBaseline: true,
  start: async (data) => {
    const backend = wasm();
    const shape = [rows, data.workload.shapes[0][1]];
    const tensor = backend.tensor(shape, data.parameters()[0].subarray(0, rows * shape[1]));
    const kinds = gradientsOf(data).map(({ values }) => ({
      tensor: backend.tensor(shape, values),
    }));
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

/** TF.js has no sparse steps: the gradient of the whole table, and its Adam. */
const tfjsOperations: Contender = {
  name: "tfjs-wasm ops",
  description: "scatterND to a gradient of the table, and TF.js's Adam in WebAssembly",
  expected: expectedOf("dense"),
  start: async (data) => {
    tf.enableProdMode();
    const activate = async (): Promise<void> => {
      if (!(await tf.setBackend("wasm")))
        throw new Error("TF.js could not start its wasm backend.");
    };
    await activate();
    const shape = [...data.workload.shapes[0]];
    const table = tf.tidy(() => tf.tensor(data.parameters()[0], shape).variable());
    const kinds = gradientsOf(data).map(({ indices, values }) => ({
      indices: tf.tensor2d(indices, [rows, 1], "int32"),
      values: tf.tensor2d(values, [rows, shape[1]]),
    }));
    const { learningRate, beta1, beta2, epsilon } = hyperparameters;
    const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
    let steps = 0;
    return {
      activate,
      step: () =>
        tf.tidy(() => {
          const { indices, values } = kinds[steps % gradientKinds];
          const tensor = tf.scatterND(indices, values, shape);
          optimizer.applyGradients([{ name: table.name, tensor }]);
          steps += 1;
        }),
      read: async () => [await table.data()],
      stateBytes: () => Promise.resolve(2 * 4 * table.size),
      dispose: () => {
        optimizer.dispose();
        tf.dispose([table, kinds.map(Object.values)]);
      },
    };
  },
};

/** Steps of a few rows of a large table. */
export const sparseContenders: readonly Contender[] = [
  onTable("lazy", "only the rows with a gradient, gradstep in WebAssembly", "lazy", {
    sparse: "lazy",
  }),
  onTable("rowSteps", "the same, each row with a step count of its own", "row-steps", {
    sparse: "lazy",
    rowSteps: true,
  }),
  onTable("dense", "all rows, as if the others had gradients of zeros", "dense", {
    sparse: "dense",
  }),
  rowsAlone,
  tfjsOperations,
];
