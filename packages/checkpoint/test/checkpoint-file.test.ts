import { expect, test } from "vitest";
import { decodeCheckpoint, encodeCheckpoint, memoryStore, newestCheckpoint } from "../src/index.js";
import { encodeSafetensors, type SafetensorsEntry } from "../src/safetensors/index.js";

/** A whole file with this text in place of what `encodeCheckpoint` says of a checkpoint. */
function fileOf(checkpoint: string): AsyncGenerator<Uint8Array> {
  const t: SafetensorsEntry = { dtype: "F32", shape: [1], data: Float32Array.of(1) };
  const metadata = new Map([
    ["format", "gradstep"],
    ["version", "1"],
    ["checkpoint", checkpoint],
  ]);
  return encodeSafetensors(new Map([["t", t]]), { metadata, digest: true });
}

function bytesOf(checkpoint: string): Promise<ArrayBuffer> {
  const chunks = fileOf(checkpoint);
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value.slice());
    },
  });
  return new Response(stream).arrayBuffer();
}

const withParameter = (shape: string, values = '{"$array":"t"}'): string =>
  `{"parameters":{"w":{"shape":${shape},"values":${values}}},"optimizer":{},"others":{}}`;

test("a file whose parameters, optimizer and others are objects is a checkpoint", async () => {
  expect(await decodeCheckpoint(await bytesOf(withParameter("[1]")))).toEqual({
    parameters: { w: { shape: [1], values: Float32Array.of(1) } },
    optimizer: {},
    others: {},
  });
});

test("a file of another library is not called damaged", async () => {
  const t: SafetensorsEntry = { dtype: "F32", shape: [1], data: Float32Array.of(1) };
  const metadata = new Map([["format", "pt"]]);
  const chunks = encodeSafetensors(new Map([["t", t]]), { metadata });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const error: unknown = await decodeCheckpoint(new Blob(parts)).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: "INVALID_FILE",
    message: expect.stringMatching(/no checkpoint of gradstep; .* bridge such as readTorch/),
  });
  expect(String(error)).not.toMatch(/damaged/);
});

test.each([
  ["no others", { others: undefined }],
  ["a plain array", { parameters: { w: { shape: [2], values: [1, 2] } } }],
  ["too few values", { parameters: { w: { shape: [2], values: Float32Array.of(1) } } }],
  ["no shape", { parameters: { w: { values: Float32Array.of(1) } } }],
  ["bare values", { parameters: { w: Float32Array.of(1) } }],
])("encodeCheckpoint refuses what would not be decoded: %s", (_, wrong) => {
  const right = { parameters: {}, optimizer: { shapes: {} }, others: {} };
  expect(() => encodeCheckpoint({ ...right, ...wrong } as never)).toThrow(
    expect.objectContaining({ name: "GradstepError", code: "INVALID_PARAMETER" }),
  );
});

test.each([
  "",
  "null",
  "1",
  "[]",
  '{"$array":"t"}',
  '{"parameters":{},"optimizer":null,"others":{}}',
  '{"parameters":{},"optimizer":{"$array":"t"},"others":{}}',
  '{"parameters":{},"optimizer":{},"others":{"$array":"t"}}',
  '{"parameters":{"w":null},"optimizer":{},"others":{}}',
  withParameter("[2]"),
  withParameter("[-1,-1]"),
  withParameter("[1.5]"),
  withParameter("{}"),
  withParameter("[1]", "[1]"),
  withParameter("[1]", '{"$array":"__proto__"}'),
])("%s is a damaged checkpoint, which resume passes over", async (json) => {
  await expect(decodeCheckpoint(await bytesOf(json))).rejects.toMatchObject({
    code: "INVALID_FILE",
  });
  const store = memoryStore();
  const whole = await store.write(fileOf(withParameter("[1]")));
  const damaged = await store.write(fileOf(json));
  const newest = await newestCheckpoint(store);
  expect([newest?.id, newest?.damaged.map(({ id }) => id)]).toEqual([whole, [damaged]]);
});
