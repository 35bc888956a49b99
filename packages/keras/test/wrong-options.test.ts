import { adam, createOptimizer, type GradstepError } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { describe, expect, test } from "vitest";
import { readKeras, writeKeras } from "../src/index.js";

/** What is neither a list of names nor a table of such lists. */
const wrong: readonly unknown[] = [null, 1, "dense/kernel", [1], [["dense/kernel"]], new Map()];

async function failureOf(call: () => Promise<unknown>): Promise<Pick<GradstepError, "code">> {
  return call().then(
    () => expect.unreachable("nothing was thrown"),
    (error: unknown) => error as GradstepError,
  );
}

const invalid = { code: "INVALID_HYPERPARAMETER" };

describe("options that are wrong", () => {
  test.each(wrong)("readKeras: trainable is %s", async (trainable) => {
    const read = (): Promise<unknown> =>
      readKeras(new Uint8Array(64), { trainable: trainable as never });
    expect(await failureOf(read)).toMatchObject({
      ...invalid,
      message: expect.stringMatching(/^readKeras: trainable is .*; expected a list/) as string,
    });
  });

  test.each(["trainable", "layers"])("writeKeras: %s", async (option) => {
    const optimizer = createOptimizer(adam(), { "dense/kernel": cpuJs().tensor([2, 2]) });
    const source = {
      config: optimizer.config(),
      state: await optimizer.state(),
      parameters: { "dense/kernel": { shape: [2, 2], values: new Float32Array(4) } },
    };
    for (const value of [...wrong, ...(option === "layers" ? [{ a: 1 }, { a: [1] }] : [{}])])
      expect(await failureOf(() => writeKeras(source, { [option]: value as never }))).toMatchObject(
        {
          ...invalid,
          message: expect.stringMatching(
            /^writeKeras: \w+(\["a"\])? is .*; expected .*list/,
          ) as string,
        },
      );
  });

  test("values that cannot be read, and shapes of no numbers", async () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    const optimizer = createOptimizer(adam(), { "dense/kernel": cpuJs().tensor([2, 2]) });
    const [config, state] = [optimizer.config(), await optimizer.state()];
    const one = { shape: [2, 2], values: new Float32Array(4) };
    const write = async (parameter: unknown, options: unknown = {}): Promise<unknown> =>
      writeKeras({ config, state, parameters: { "dense/kernel": parameter as never } }, options!);
    for (const option of ["trainable", "layers"])
      expect(await failureOf(() => write(one, { [option]: proxy }))).toMatchObject(invalid);
    expect(
      await failureOf(() => readKeras(new Uint8Array(64), { trainable: proxy })),
    ).toMatchObject(invalid);
    const parameters = [
      proxy,
      null,
      1,
      {},
      ...[proxy, null, 4, [Symbol("s")], ["2", 2]].map((shape) => ({ ...one, shape })),
      ...[proxy, null, [1, 2, 3, 4], new BigInt64Array(4)].map((data) => ({
        ...one,
        values: data,
      })),
    ];
    for (const parameter of parameters)
      expect(await failureOf(() => write(parameter))).toMatchObject({ code: "INVALID_PARAMETER" });
  });
});
