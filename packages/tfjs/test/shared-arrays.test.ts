import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { adam, sgd } from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backends, layers, tf, variable } from "./support.js";

/** Two steps of gradient descent with a rate of 1 and gradients of 1. */
function stepTwice(...names: string[]): void {
  const optimizer = sgd({ learningRate: 1 });
  const { registeredVariables } = tf.engine();
  for (let i = 0; i < 2; i += 1)
    tf.tidy(() => {
      optimizer.applyGradients(
        names.map((name) => ({ name, tensor: tf.onesLike(registeredVariables[name]) })),
      );
    });
  optimizer.dispose();
}

afterEach(() => {
  tf.disposeVariables();
});

describe.each([...backends, "unknown"])(
  "arrays and tensors that share a variable's memory, %s",
  (backend) => {
    beforeEach(async () => {
      if (tf.engine().registryFactory["unknown"] === undefined) {
        tf.registerBackend("unknown", () => new MathBackendCPU());
        tf.copyRegisteredKernels("cpu", "unknown");
      }
      await tf.setBackend(backend);
    });

    const sources: [string, (array: Float32Array) => tf.Variable][] = [
      [
        "tf.variable(tf.tensor(array))",
        (array) => tf.tidy(() => tf.variable(tf.tensor(array), true, "v")),
      ],
      [
        "a reshaped tensor",
        (array) => tf.tidy(() => tf.variable(tf.reshape(tf.tensor(array, [2, 2]), [4]), true, "v")),
      ],
      [
        "assign",
        (array) => {
          const v = variable([0, 0, 0, 0], [4], "v");
          tf.tidy(() => v.assign(tf.tensor(array)));
          return v;
        },
      ],
      [
        "a tensor that is assigned between two steps keeps its values",
        (array) => {
          const v = variable([0, 0, 0, 0], [4], "v");
          stepTwice("v");
          tf.tidy(() => v.assign(tf.tensor(array)));
          return v;
        },
      ],
      [
        "a buffer",
        (array) =>
          tf.tidy(() => tf.variable(tf.buffer([4], "float32", array).toTensor(), true, "v")),
      ],
      [
        "the weights of a layer",
        (array) => {
          const weights = [tf.tensor(array, [4, 1])];
          const layer = layers.layers.dense({ units: 1, inputShape: [4], useBias: false, weights });
          layers.sequential({ layers: [layer] });
          tf.dispose(weights);
          return layer.weights[0].read() as tf.Variable;
        },
      ],
      [
        "model.setWeights",
        (array) => {
          const layer = layers.layers.dense({ units: 1, inputShape: [4], useBias: false });
          const model = layers.sequential({ layers: [layer] });
          tf.tidy(() => model.setWeights([tf.tensor(array, [4, 1])]));
          return layer.weights[0].read() as tf.Variable;
        },
      ],
    ];
    test.each(sources)("an array that came in through %s is not written to", (_, make) => {
      const array = Float32Array.of(1, 2, 3, 4);
      const v = make(array);
      stepTwice(v.name);
      expect([...array]).toEqual([1, 2, 3, 4]);
      expect([...v.dataSync()]).toEqual([-1, 0, 1, 2]);
    });

    const views: [string, (v: tf.Variable) => ArrayLike<number> | tf.Tensor][] = [
      ["dataSync", (v) => v.dataSync()],
      ["bufferSync", (v) => v.bufferSync().values],
      ["bytesSync of the backend", (v) => tf.backend().readSync(v.dataId) as Float32Array],
      ["clone", (v) => v.clone()],
      ["slice", (v) => tf.slice(v, [0], [2])],
      ["stridedSlice", (v) => tf.stridedSlice(v, [0], [2])],
      ["split", (v) => tf.split(v, 2)[0]],
      ["unstack", (v) => tf.unstack(tf.reshape(v, [2, 2]))[0]],
      ["a slice of a reshape", (v) => tf.slice(tf.reshape(v, [2, 2]), [0, 0], [1, 2])],
      ["cast", (v) => tf.cast(v, "float32")],
      ["expandDims", (v) => tf.expandDims(v)],
      ["another variable", (v) => tf.variable(v)],
    ];
    const stages: [string, number][] = [
      ["before the first step", 0],
      ["after it", 1],
    ];
    for (const [stage, steps] of stages) {
      test.each(views)(`%s ${stage} keeps its values`, (_, view) => {
        const v = variable([1 + 2 * steps, 2 + 2 * steps, 3, 4], [4], "v");
        for (let i = 0; i < steps; i += 1) stepTwice("v");
        const seen = view(v);
        stepTwice("v");
        const values = seen instanceof tf.Tensor ? seen.dataSync() : seen;
        expect(Array.from(values).slice(0, 2)).toEqual([1, 2]);
        expect([...v.dataSync()].slice(0, 2)).toEqual([-1, 0]);
      });
    }

    test("data that is still being read keeps its values", async () => {
      const v = variable([1, 2], [2], "v");
      stepTwice("v");
      const pending = v.data();
      const bytes = v.bytes();
      stepTwice("v");
      expect([...(await pending)]).toEqual([-1, 0]);
      expect(new Float32Array(((await bytes) as Uint8Array).slice().buffer)).toEqual(
        Float32Array.of(-1, 0),
      );
    });

    test("two variables that began with the same array are independent", () => {
      const array = Float32Array.of(1, 2);
      for (const name of ["a", "b"]) tf.tidy(() => tf.variable(tf.tensor(array), true, name));
      stepTwice("a");
      const { a, b } = tf.engine().registeredVariables;
      expect([...b.dataSync()]).toEqual([1, 2]);
      stepTwice("b");
      expect([[...a.dataSync()], [...b.dataSync()], [...array]]).toEqual([
        [-1, 0],
        [-1, 0],
        [1, 2],
      ]);
    });

    test("a target network that was copied by assign does not train along", () => {
      const online = variable([1, 2], [2], "online");
      const target = variable([0, 0], [2], "target");
      stepTwice("online");
      target.assign(online);
      stepTwice("online");
      expect([...target.dataSync()]).toEqual([-1, 0]);
      expect([...online.dataSync()]).toEqual([-3, -2]);
    });

    test("after the backend was reset the new one is watched as well", async () => {
      const optimizer = adam();
      const first = variable([1], [1], "v");
      optimizer.applyGradients({ v: tf.ones([1]) });
      expect(first.isDisposed).toBe(false);
      const { factory } = tf.engine().registryFactory[backend];
      tf.removeBackend(backend);
      tf.registerBackend(backend, factory);
      await tf.setBackend(backend);
      // The values of the first variable went with its backend.
      delete tf.engine().registeredVariables["v"];
      const array = Float32Array.of(1, 2, 3);
      const w = tf.tidy(() => tf.variable(tf.tensor(array), true, "w"));
      stepTwice("w");
      const seen = w.dataSync();
      stepTwice("w");
      expect([[...array], [...seen]]).toEqual([
        [1, 2, 3],
        [-1, 0, 1],
      ]);
    });
  },
);
