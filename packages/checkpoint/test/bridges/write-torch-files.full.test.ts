import { adam, sgd, type OptimizerSpec } from "@gradstep/core";
import { fromTorch } from "@gradstep/core/interop";
import { describe, expect, test } from "vitest";
import {
  readTorch,
  writeTorch,
  type TorchSource,
  type OtherTensor,
} from "../../src/bridges/torch/index.js";
import { decodeSafetensors } from "../../src/safetensors/index.js";
import {
  arraysOf,
  bytesOf,
  failureOf,
  files,
  read,
  resume,
  sourceOf,
  trained,
} from "./torch-fixtures.js";

describe("writeTorch", () => {
  test.each(files.flatMap((name) => [[name, "count"] as const, [name, "parameter"] as const]))(
    "%s, there and back, in groups by %s",
    async (name, groups) => {
      const checkpoint = await readTorch(read(name), { groups });
      const run = resume(checkpoint);
      const source = { ...(await sourceOf(run)), otherTensors: checkpoint.otherTensors };
      const bytes = await bytesOf(writeTorch(source));
      const again = await readTorch(bytes, { groups });
      expect(again.state).toEqual(checkpoint.state);
      expect(again.parameters).toEqual(checkpoint.parameters);
      expect(again.otherTensors).toEqual(checkpoint.otherTensors);
      expect(resume(again).optimizer.config()).toEqual(run.optimizer.config());
      // PyTorch gets the arrays that it had, under the same names.
      const before = arraysOf((await decodeSafetensors(read(name))).tensors);
      const after = arraysOf((await decodeSafetensors(bytes)).tensors);
      const kept = Object.entries(after).filter(([key]) => Object.hasOwn(before, key));
      expect(Object.fromEntries(kept)).toEqual(before);
    },
  );

  test.each<[string, OptimizerSpec, string, (source: TorchSource) => TorchSource, string]>([
    ["Keras's ε", adam(), "UNSUPPORTED", (one) => one, 'epsilonMode is "keras"'],
    ["Keras's momentum", sgd({ momentum: 0.9 }), "UNSUPPORTED", (one) => one, "momentumForm"],
    ["vectors of Muon", fromTorch("Muon"), "UNSUPPORTED", (one) => one, "matrices alone, and b"],
    [
      "accumulated gradients",
      { ...fromTorch("Adam"), control: { accumulate: 3 } },
      "UNSUPPORTED",
      (one) => one,
      "1 accumulated gradients",
    ],
    [
      "a missing parameter",
      fromTorch("Adam"),
      "STATE_MISMATCH",
      ({ parameters: { w }, ...one }) => ({ ...one, parameters: { w } }),
      "b missing",
    ],
    [
      "the configuration of another optimizer",
      fromTorch("Adam"),
      "STATE_MISMATCH",
      (one) => ({ ...one, config: { ...one.config, name: "radam", settings: {} } }),
      "radam",
    ],
    [
      "a state that was not awaited",
      fromTorch("Adam"),
      "STATE_MISMATCH",
      (one) => ({ ...one, state: Promise.resolve(one.state) as unknown as typeof one.state }),
      "writeTorch: state is a Promise; expected what it resolves to: await optimizer.state()",
    ],
    [
      "no parameters",
      fromTorch("Adam"),
      "INVALID_PARAMETER",
      ({ config, state }) => ({ config, state }) as TorchSource,
      "writeTorch: parameters is undefined",
    ],
    [
      "rows that were counted on the device",
      fromTorch("Adam"),
      "UNSUPPORTED",
      (one) => ({ ...one, state: { ...one.state, rowCounts: { w: 1 } } }),
      "w has 1 of 2 rows",
    ],
  ])("%s is refused", async (_, spec, code, change, text) => {
    const failure = await failureOf(bytesOf(writeTorch(change(await trained(spec)))));
    expect(failure.message).toContain(text);
    expect(failure.code).toBe(code);
  });

  test("other tensors keep the types that an array does not tell", async () => {
    const source = await trained(fromTorch("Adam"));
    const otherTensors: Record<string, OtherTensor> = {
      mean: { shape: [2], values: Float32Array.of(1, 2) },
      half: { shape: [2], values: Float32Array.of(0.5, -2), dtype: "BF16" },
      flags: { shape: [2], values: Uint8Array.of(1, 0), dtype: "BOOL" },
      count: { shape: [], values: BigInt64Array.of(7n) },
    };
    const bytes = await bytesOf(writeTorch({ ...source, otherTensors }));
    const { tensors } = await decodeSafetensors(bytes);
    const dtypes = Object.keys(otherTensors).map((name) => tensors.get(`model.${name}`)!.dtype);
    expect(dtypes).toEqual(["F32", "BF16", "BOOL", "I64"]);
    expect((await readTorch(bytes)).otherTensors).toEqual(otherTensors);
    const wrong = { mean: new Float32Array(2) } as unknown as typeof otherTensors;
    const failure = await failureOf(bytesOf(writeTorch({ ...source, otherTensors: wrong })));
    expect(failure.code).toBe("INVALID_PARAMETER");
  });

  test("counts that are no f32 are written in f64", async () => {
    const source = await trained(fromTorch("Adam"));
    const [group] = source.state.groups;
    const iterations = 2 ** 24 + 1;
    const state = { ...source.state, iterations, groups: [{ ...group, iterations }] };
    const { tensors } = await decodeSafetensors(await bytesOf(writeTorch({ ...source, state })));
    expect(tensors.get("state.w.step")).toEqual({
      dtype: "F64",
      shape: [],
      data: Float64Array.of(iterations),
    });
  });
});
