import { describe, expect, test, vi } from "vitest";
import {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensorsHeader,
  type SafetensorsEntry,
} from "../../src/safetensors/index.js";
import { memoryStore } from "../../src/index.js";
import { encoded } from "./encoded.js";
import { fileOf } from "./malformed-file.js";

const w: SafetensorsEntry = { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) };
const large: SafetensorsEntry = {
  dtype: "F32",
  shape: [2_000_000],
  data: new Float32Array(2_000_000),
};

describe("limits", () => {
  test("a header of 16 MiB is read, a longer one is refused", async () => {
    const length = 16 * 2 ** 20;
    const file = fileOf("{}".padEnd(length), 0);
    expect((await decodeSafetensors(file)).tensors.size).toBe(0);
    expect((await decodeSafetensors(new Blob([file]))).tensors.size).toBe(0);
    await expect(decodeSafetensors(fileOf("{}".padEnd(length + 1), 0))).rejects.toMatchObject({
      code: "INVALID_FILE",
      message: expect.stringContaining("at most 16777216") as string,
    });
    const metadata = new Map([["text", " ".repeat(length)]]);
    expect(() => encodeSafetensors(new Map(), { metadata })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED" }),
    );
  });

  test("100,000 tensors are written and read, more are refused", async () => {
    const data = Uint8Array.of(1);
    const tensors = new Map<string, SafetensorsEntry>();
    for (let i = 0; i < 100_000; i++) tensors.set(`t${i}`, { dtype: "U8", shape: [], data });
    const file = await encoded(tensors);
    expect((await decodeSafetensors(file)).tensors.size).toBe(100_000);
    expect(() => encodeSafetensors(tensors, { digest: true })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED" }),
    );
    const field = '"dtype":"U8","shape":[0],"data_offsets":[0,0]';
    const header = Array.from({ length: 100_001 }, (_, i) => `"${i}":{${field}}`).join(",");
    await expect(decodeSafetensors(fileOf(`{${header}}`, 0))).rejects.toMatchObject({
      code: "INVALID_FILE",
      message: expect.stringContaining("more than 100000 tensors") as string,
    });
  });

  test("a header that promises more than the file has is refused after its first bytes", async () => {
    const header = `{"w":{"dtype":"F64","shape":[1000000000000],"data_offsets":[0,8000000000000]}}`;
    const pull = vi.fn<(controller: ReadableStreamDefaultController<Uint8Array>) => void>(
      (controller) => controller.enqueue(fileOf(header, 2 ** 20)),
    );
    const stream = (): ReadableStream<Uint8Array<ArrayBuffer>> =>
      new ReadableStream({ pull } as UnderlyingSource<Uint8Array<ArrayBuffer>>, {
        highWaterMark: 0,
      });
    await expect(decodeSafetensors({ size: 2 ** 30, stream })).rejects.toMatchObject({
      code: "INVALID_FILE",
      message: expect.stringContaining("expected 8000000000") as string,
    });
    expect(pull).toHaveBeenCalledTimes(1);
  });

  test("a source with fewer or more bytes than its size is refused", async () => {
    const file = await encoded(new Map([["w", w]]));
    const sourceOf = (bytes: Uint8Array<ArrayBuffer>): Pick<Blob, "size" | "stream"> => ({
      size: file.length,
      stream: () => new Blob([bytes]).stream(),
    });
    for (const bytes of [file.slice(0, -1), file.slice(0, 4), new Uint8Array([...file, 0])])
      await expect(decodeSafetensors(sourceOf(bytes))).rejects.toMatchObject({
        code: "INVALID_FILE",
      });
  });

  test("what is not a source of bytes is refused", async () => {
    for (const source of [undefined, "file", {}, new Response("file")])
      await expect(decodeSafetensors(source as never)).rejects.toMatchObject({
        code: "INVALID_FILE",
        message: expect.stringContaining("expected a Uint8Array") as string,
      });
  });
});

describe("the digest", () => {
  test("is required, checked or ignored", async () => {
    const plain = await encoded(new Map([["w", w]]));
    await expect(decodeSafetensors(plain, { digest: "require" })).rejects.toMatchObject({
      code: "INVALID_FILE",
    });
    const file = await encoded(new Map([["w", w]]), { digest: true });
    const { byteOffset } = (await readSafetensorsHeader(file)).tensors.get("w")!;
    file[byteOffset] ^= 1;
    await expect(decodeSafetensors(file)).rejects.toMatchObject({ code: "INVALID_FILE" });
    const { tensors } = await decodeSafetensors(file, { digest: "ignore" });
    expect([...tensors.keys()]).toEqual(["w"]);
  });

  test("is SHA-256 of the digests of every MiB before it", async () => {
    const file = await encoded(new Map([["large", large]]), { digest: true });
    const { createHash } = await import("node:crypto");
    const outer = createHash("sha256");
    const content = file.subarray(0, -32);
    for (let at = 0; at < content.length; at += 2 ** 20)
      outer.update(
        createHash("sha256")
          .update(content.subarray(at, at + 2 ** 20))
          .digest(),
      );
    expect(Buffer.from(file.subarray(-32)).equals(outer.digest())).toBe(true);
  });

  test("without crypto.subtle, only files without a digest are written and read", async () => {
    const tensors = new Map([["w", w]]);
    const plain = await encoded(tensors);
    const file = await encoded(tensors, { digest: true });
    vi.stubGlobal("crypto", {});
    try {
      const unsupported = {
        code: "UNSUPPORTED",
        message: expect.stringContaining("secure context") as string,
      };
      expect(() => encodeSafetensors(tensors, { digest: true })).toThrow(
        expect.objectContaining(unsupported),
      );
      await expect(decodeSafetensors(file)).rejects.toMatchObject(unsupported);
      expect((await decodeSafetensors(file, { digest: "ignore" })).tensors.size).toBe(1);
      expect((await decodeSafetensors(plain)).tensors.size).toBe(1);
      vi.stubGlobal("crypto", undefined);
      await expect(decodeSafetensors(file)).rejects.toMatchObject(unsupported);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test.each<[string, () => Promise<unknown>]>([
    ["TextEncoder", async () => encodeSafetensors(new Map([["w", w]]))],
    ["TextDecoder", () => decodeSafetensors(fileOf("{}", 0))],
    ["Blob", async () => memoryStore()],
  ])("without %s, as in Jest with jsdom, the message says what is missing", async (name, call) => {
    vi.stubGlobal(name, undefined);
    try {
      await expect(call()).rejects.toMatchObject({
        code: "UNSUPPORTED",
        message: expect.stringContaining(`There is no ${name} here`) as string,
      });
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test("the Blob of jsdom, which cannot be read, is refused before anything is saved to it", async () => {
    class JsdomBlob {
      readonly size = 3;
    }
    vi.stubGlobal("Blob", JsdomBlob);
    try {
      const noStream = {
        code: "UNSUPPORTED",
        message: expect.stringMatching(/no method stream.*Jest/) as string,
      };
      expect(() => memoryStore()).toThrow(expect.objectContaining(noStream) as Error);
    } finally {
      vi.unstubAllGlobals();
    }
    await expect(decodeSafetensors(new JsdomBlob() as never)).rejects.toMatchObject({
      code: "INVALID_FILE",
      message: expect.stringMatching(/no method stream.*Jest/) as string,
    });
  });
});

describe("what cannot be encoded is refused at once", () => {
  const data = Float32Array.of(1, 2);
  test.each([
    ["the metadata's name", "INVALID_PARAMETER", "__metadata__", w],
    ["the digest's name", "INVALID_PARAMETER", "gradstep.digest", w],
    ["half a character", "INVALID_PARAMETER", "\ud800", w],
    ["another array", "INVALID_PARAMETER", "w", { dtype: "F64", shape: [2], data }],
    ["floats as integers", "INVALID_PARAMETER", "w", { dtype: "U16", shape: [2], data }],
    ["fewer values", "LENGTH_MISMATCH", "w", { dtype: "F32", shape: [3], data }],
    ["fewer values to round", "LENGTH_MISMATCH", "w", { dtype: "BF16", shape: [3], data }],
    ["negative sizes", "INVALID_SHAPE", "w", { dtype: "F32", shape: [-1, -2], data }],
    ["a fraction", "INVALID_SHAPE", "w", { dtype: "F32", shape: [0.5, 4], data }],
    [
      "a product that is too large",
      "INVALID_SHAPE",
      "w",
      { dtype: "F32", shape: [2 ** 53, 0], data },
    ],
    ["half a byte", "INVALID_SHAPE", "w", { dtype: "F4", shape: [3], data: new Uint8Array(2) }],
  ] as const)("%s", (_, code, name, entry) => {
    expect(() => encodeSafetensors(new Map([[name, entry]]))).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test("tensors that are not a Map", () => {
    expect(() => encodeSafetensors({ w } as never)).toThrow(
      expect.objectContaining({ code: "INVALID_PARAMETER", message: expect.stringMatching(/Map/) }),
    );
  });

  test("metadata that is not text", () => {
    for (const text of [1, null, "\udc00"])
      expect(() =>
        encodeSafetensors(new Map(), { metadata: new Map([["a", text as string]]) }),
      ).toThrow(expect.objectContaining({ code: "INVALID_PARAMETER" }));
  });
});

describe("progress and abort", () => {
  test("progress is told after each chunk, and ends with the size", async () => {
    const written: number[] = [];
    const file = await encoded(new Map([["large", large]]), {
      digest: true,
      onProgress: (bytes) => written.push(bytes),
    });
    const read: number[] = [];
    await decodeSafetensors(file, { onProgress: (bytes) => read.push(bytes) });
    expect(written).toEqual(
      [...Array(7).keys()].map((i) => (i + 1) * 2 ** 20).concat(written.slice(7)),
    );
    expect(written.slice(7)).toEqual([file.length - 32, file.length]);
    expect(read).toEqual(written);
  });

  test("an abort ends the encoding with its reason", async () => {
    const controller = new AbortController();
    const chunks = encodeSafetensors(new Map([["large", large]]), { signal: controller.signal });
    expect((await chunks.next()).done).toBe(false);
    controller.abort(new Error("enough"));
    await expect(chunks.next()).rejects.toThrow("enough");
  });

  test("an abort ends a decoding that waits for bytes, and cancels the stream", async () => {
    const controller = new AbortController();
    const cancel = vi.fn<() => void>();
    const stream = (): ReadableStream<Uint8Array<ArrayBuffer>> => new ReadableStream({ cancel });
    const decoding = decodeSafetensors({ size: 100, stream }, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(decoding).rejects.toThrow("enough");
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  test("an error of the stream is passed on", async () => {
    const stream = (): ReadableStream<Uint8Array<ArrayBuffer>> =>
      new ReadableStream({ pull: () => Promise.reject(new Error("disk")) });
    await expect(decodeSafetensors({ size: 100, stream })).rejects.toThrow("disk");
  });
});

test("chunks of shared memory are copies, which hashes and files take", async () => {
  const shared = new Float32Array(new SharedArrayBuffer(2 ** 22)).fill(3);
  const entry: SafetensorsEntry = { dtype: "F32", shape: [shared.length], data: shared };
  const file = await encoded(new Map([["shared", entry]]), { digest: true });
  const { tensors } = await decodeSafetensors(file, { digest: "require" });
  expect(tensors.get("shared")!.data.every((value) => value === 3)).toBe(true);
});

describe("what JavaScript permits and the types do not", () => {
  const codeOf = (entry: unknown, options?: unknown): unknown => {
    try {
      encodeSafetensors(new Map([["w", entry as never]]), options as never);
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
    return "none";
  };

  test.each(["f32", "", "F33", 32, null, undefined, {}, Object.create(null), Symbol("F32")])(
    "a dtype that does not exist",
    (dtype) => {
      expect(codeOf({ ...w, dtype })).toBe("INVALID_PARAMETER");
    },
  );

  test.each([2, "2", null, undefined, {}, new Set([2]), Float32Array.of(2)])(
    "shape %s",
    (shape) => {
      expect(codeOf({ ...w, shape })).toBe("INVALID_SHAPE");
    },
  );

  test.each([null, undefined, "w", 1, Float32Array.of(1)])("%s as a tensor", (entry) => {
    expect(codeOf(entry)).toBe("INVALID_PARAMETER");
  });

  test("options with another name, and metadata that are not a Map, would be left out of the file", async () => {
    expect(codeOf(w, { diget: true })).toBe("UNKNOWN_OPTION");
    expect(codeOf(w, null)).toBe("UNKNOWN_OPTION");
    expect(codeOf(w, { metadata: { epoch: "3" } })).toBe("INVALID_PARAMETER");
    const file = await encoded(new Map([["w", w]]));
    await expect(decodeSafetensors(file, { diget: "require" } as object)).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
    await expect(decodeSafetensors(file, { digest: "requre" as "require" })).rejects.toMatchObject({
      code: "INVALID_HYPERPARAMETER",
    });
  });
});
