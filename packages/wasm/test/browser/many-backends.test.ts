import { expect, test } from "vitest";
import { isSupported, wasm, type Wasm } from "../../src/index.js";

test("a page with too many backends: isSupported() is false and wasm() throws OUT_OF_MEMORY, until some are released", async () => {
  let backends: Wasm[] = [];
  const create = (): Wasm => {
    const backend = wasm();
    backends.push(backend);
    return backend;
  };
  const fill = (): void => {
    while (backends.length < 20_000) create();
  };
  expect(fill).toThrow(
    expect.objectContaining({
      code: "OUT_OF_MEMORY",
      message: expect.stringContaining("of any size") as string,
    }),
  );
  expect(backends.length).toBeGreaterThan(50);
  expect(isSupported()).toBe(false);
  expect(backends[0].tensor([3], [1, 2, 3]).view()[2]).toBe(3);
  backends = [];
  await expect.poll(isSupported, { timeout: 60_000 }).toBe(true);
});
