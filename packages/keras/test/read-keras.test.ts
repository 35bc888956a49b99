import { fromKeras } from "@gradstep/core/interop";
import { describe, expect, test } from "vitest";
import type { Hdf5Dataset, Hdf5Group, Hdf5Node } from "../src/hdf5/hdf5-tree.js";
import { writeHdf5 } from "../src/hdf5/write-hdf5.js";
import { readArchive } from "../src/archive/archive.js";
import { readKeras } from "../src/index.js";
import { decode, fixture, floatTypes, nextCalls } from "./fixtures.js";
import { resume } from "./optimizers.js";

/** Relative to the largest magnitude that the element has had. */
const tolerances = { float32: 1e-6, float64: 1e-12 };

/** Keras rounds the means of Adafactor and the norm of Muon to f32, whatever the type of the variables. */
const roundsToSingle = ["adafactor", "muon"];

describe.each(floatTypes)("%s: continues a model of Keras as Keras does", (floatType) => {
  const cases = Object.entries(nextCalls(floatType));
  test.each(cases)("%s", async (name, { variables, calls }) => {
    const { spec, parameters, otherTensors, state } = await readKeras(
      fixture(`${name}.${floatType}.keras`),
    );
    const names = Object.keys(parameters);
    expect(names.map((one, i) => variables[i].endsWith(one))).toEqual(variables.map(() => true));
    const { optimizer, tensors } = resume({ spec, parameters, otherTensors, state }, floatType);
    const Values = floatType === "float32" ? Float32Array : Float64Array;
    const scales = names.map((one) => Float64Array.from(parameters[one].values, Math.abs));
    let worst = 0;
    for (const { gradients, values } of calls) {
      optimizer.step(
        Object.fromEntries(
          names.map((one, i) => [one, Values.from(decode(gradients[i]))]),
        ) as never,
      );
      for (const [i, one] of names.entries()) {
        const expected = decode(values[i]);
        const got = await tensors[one].read();
        expected.forEach((value, k) => {
          scales[i][k] = Math.max(scales[i][k], Math.abs(value));
          const difference = Math.abs(got[k] - value);
          worst = Math.max(worst, difference === 0 ? 0 : difference / scales[i][k]);
        });
      }
    }
    const isRounded = floatType === "float64" && roundsToSingle.includes(name);
    expect(worst).toBeLessThanOrEqual(isRounded ? 1e-7 : tolerances[floatType]);
  });
});

describe("what a file does not say", () => {
  const adam = fromKeras({ class_name: "Adam", config: { amsgrad: true, clipnorm: 0.5 } });
  const weights = fixture("adam-amsgrad.float32.weights.h5");

  test("a .weights.h5 file with its optimizer is the same as the .keras file", async () => {
    const expected = await readKeras(fixture("adam-amsgrad.float32.keras"));
    const { parameters, otherTensors, state } = await readKeras(weights, { spec: adam });
    expect(parameters).toEqual(expected.parameters);
    expect(Object.keys(parameters)).toEqual(Object.keys(expected.parameters));
    expect(otherTensors).toEqual(expected.otherTensors);
    expect(state).toEqual({ ...expected.state, hyperparameters: state.hyperparameters });
    expect(state.hyperparameters.learningRate).toBe(Math.fround(0.01));
  });

  test("a .weights.h5 file without an optimizer", async () => {
    await expect(readKeras(weights)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(readKeras(weights)).rejects.toThrow(/fromKeras/);
  });

  test("the layers of a weights file alone: a frozen one may be another of the same shape", async () => {
    const file = fixture("functional.float32.keras");
    const only = readArchive(file).get("model.weights.h5")!;
    const spec = fromKeras({ class_name: "Adam", config: {} });
    await expect(readKeras(only, { spec })).rejects.toMatchObject({ code: "UNSUPPORTED" });
    const trainable = nextCalls("float32").functional.variables;
    const expected = await readKeras(file);
    const { parameters, otherTensors, state } = await readKeras(only, { spec, trainable });
    expect(parameters).toEqual(expected.parameters);
    expect(otherTensors).toEqual(expected.otherTensors);
    expect(state.slots).toEqual(expected.state.slots);
  });

  test("another optimizer than that of the file", async () => {
    const spec = fromKeras({ class_name: "RMSprop", config: {} });
    await expect(readKeras(weights, { spec })).rejects.toMatchObject({ code: "STATE_MISMATCH" });
  });

  test("names of trainable variables decide the order, with the model's name before them", async () => {
    const trainable = nextCalls("float32")["adam-amsgrad"].variables;
    const { state, parameters } = await readKeras(weights, { spec: adam, trainable });
    const expected = await readKeras(weights, { spec: adam });
    expect(parameters).toEqual(expected.parameters);
    expect(state).toEqual(expected.state);
    const wrong = [...trainable.slice(0, -1), "sequential/head/biases"];
    await expect(readKeras(weights, { spec: adam, trainable: wrong })).rejects.toMatchObject({
      code: "UNKNOWN_PARAMETER",
    });
    const reversed = [...trainable].reverse();
    await expect(readKeras(weights, { spec: adam, trainable: reversed })).rejects.toMatchObject({
      code: "STATE_MISMATCH",
    });
  });

  test("an order that shapes leave open is an error that says what to pass", async () => {
    const layer = (name: string, value: number): Hdf5Group => ({
      kind: "group",
      children: new Map([["vars", group(name, [array([2], value)])]]),
    });
    const slots = Array.from({ length: 4 }, (_, i) => array([2], i));
    const file = await writeHdf5({
      kind: "group",
      children: new Map<string, Hdf5Node>([
        ["vars", group("model", [])],
        ["first", layer("a", 1)],
        ["second", layer("b", 2)],
        [
          "optimizer",
          {
            kind: "group",
            children: new Map([["vars", group("adam", [array([], 1), array([], 0.1), ...slots])]]),
          },
        ],
      ]),
    });
    const spec = fromKeras({ class_name: "Adam", config: {} });
    await expect(readKeras(file, { spec })).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(readKeras(file, { spec })).rejects.toThrow(/trainable_variables/);
    const { state } = await readKeras(file, { spec, trainable: ["model/b/own", "model/a/other"] });
    expect(state.slots).toEqual({
      "b/own": { m: new Float32Array(2), v: new Float32Array([1, 1]) },
      "a/other": { m: new Float32Array([2, 2]), v: new Float32Array([3, 3]) },
    });
  });
});

function array(shape: readonly number[], value: number): Hdf5Dataset {
  const size = shape.reduce((product, length) => product * length, 1);
  return { kind: "dataset", dtype: "<f4", shape, values: new Float32Array(size).fill(value) };
}

function group(name: string, arrays: readonly Hdf5Dataset[]): Hdf5Group {
  return {
    kind: "group",
    name,
    children: new Map(arrays.map((one, i) => [String(i), one])),
  };
}
