import { expect, test } from "vitest";
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type Checkpoint,
  type CheckpointEncodeOptions,
} from "../src/index.js";
import { decodeSafetensors, readSafetensorsHeader } from "../src/safetensors/index.js";
import { encoded } from "./safetensors/encoded.js";

type Slots = Readonly<Record<string, Readonly<Record<string, Float32Array | Float64Array>>>>;

/** A checkpoint of one parameter of shape [2, 3], and of slots. */
function checkpointWith(slots: Slots): Checkpoint {
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);
  return {
    parameters: { w: { shape: [2, 3], values } },
    optimizer: { version: 1, iterations: 3, shapes: { w: [2, 3] }, slots } as never,
    others: {},
  };
}

async function fileOf(
  checkpoint: Checkpoint,
  options?: CheckpointEncodeOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of encodeCheckpoint(checkpoint, options))
    chunks.push(new Uint8Array(chunk));
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

const six = Float32Array.of(1, 2, 3, 4, 5, 6);

test("slots with a value per element have the shape of their parameter, others are lists", async () => {
  const file = await fileOf(checkpointWith({ w: { m: six, row: Float32Array.of(1, 2) } }));
  const { tensors } = await readSafetensorsHeader(file);
  expect(tensors.get("parameters/w")!.shape).toEqual([2, 3]);
  expect(tensors.get("optimizer/slots/w/m")!.shape).toEqual([2, 3]);
  expect(tensors.get("optimizer/slots/w/row")!.shape).toEqual([2]);
});

test("slots of different names with the same path are different tensors", async () => {
  const slots = { "a/b": { m: Float32Array.of(1) }, a: { "b/m": Float32Array.of(2) } };
  const { optimizer } = await decodeCheckpoint(await fileOf(checkpointWith(slots)));
  expect(optimizer.slots).toEqual(slots);
});

test.each([["bf16", "BF16"] as const, ["f16", "F16"] as const])(
  "with %s, slots of f32 and f64 have 16 bits, and parameters do not",
  async (slots, dtype) => {
    const saved = checkpointWith({ w: { m: six, v: new Float64Array(six) } });
    const { tensors } = await readSafetensorsHeader(await fileOf(saved, { slots }));
    const dtypes = ["optimizer/slots/w/m", "optimizer/slots/w/v", "parameters/w"].map(
      (name) => tensors.get(name)!.dtype,
    );
    expect(dtypes).toEqual([dtype, dtype, "F32"]);
  },
);

test("a file without a digest is refused", async () => {
  const file = await fileOf(checkpointWith({ w: { m: six } }));
  const { metadata, tensors } = await decodeSafetensors(file);
  const copy = (digest: boolean) => encoded(tensors, { metadata, digest });
  await expect(decodeCheckpoint(await copy(true))).resolves.toMatchObject({ others: {} });
  await expect(decodeCheckpoint(await copy(false))).rejects.toMatchObject({ code: "INVALID_FILE" });
});

test("a parameter may be empty", async () => {
  const empty = {
    ...checkpointWith({}),
    parameters: { w: { shape: [0, 3], values: new Float32Array(0) } },
  };
  const { parameters } = await decodeCheckpoint(await fileOf(empty));
  expect(parameters).toEqual(empty.parameters);
});
