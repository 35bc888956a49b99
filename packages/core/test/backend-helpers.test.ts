import { expect, test } from "vitest";
import { adam, arraysOf, variantOf, wrapArray, type Update } from "../src/index.js";
import { plainUpdate } from "../src/internal.js";
import { definedArithmetic, reference, runPasses } from "../src/reference.js";
import { anything, codeOf, failureOf } from "./support.js";

const backend = reference();
const variant = variantOf(adam());

function update(slots: number): Update {
  const tensor = () => backend.tensor([2], [1, 2]);
  const gradient = backend.tensor([2], [3, 4]);
  return plainUpdate({
    parameter: tensor(),
    gradient,
    slots: Array.from({ length: slots }, tensor),
    scalars: new Float64Array(variant.scalars.length),
  });
}

test("arraysOf has the arrays by their names", () => {
  const arrays = arraysOf(variant, update(2));
  expect([...arrays.keys()]).toEqual(["p", "g", "m", "v"]);
  expect(arrays.get("g")).toEqual(Float32Array.of(3, 4));
});

test("arraysOf refuses an update of another rule, and tensors that JavaScript does not see", () => {
  const unseen = { ...update(2), gradient: { size: 2, shape: [2] } };
  for (const wrong of [update(1), unseen, undefined, {}])
    expect(codeOf(() => arraysOf(variant, anything(wrong)))).toBe("INVALID_PARAMETER");
  expect(failureOf(() => arraysOf(variant, anything(unseen))).message).toContain("g is an object");
  expect(codeOf(() => arraysOf(anything({}), update(2)))).toBe("INVALID_PARAMETER");
});

test("wrapArray refuses what is not a backend, and a function in place of { makePlain }", () => {
  const memory = new Float32Array(4);
  for (const wrong of [undefined, null, {}, () => undefined, { makePlain: 1 }])
    expect(codeOf(() => wrapArray(backend, memory, {}, wrong as never))).toBe("INVALID_PARAMETER");
  for (const wrong of [undefined, null, {}, "cpu"])
    expect(
      codeOf(() => wrapArray(anything(wrong), memory, {}, { makePlain: () => undefined })),
    ).toBe("INVALID_PARAMETER");
});

test("runPasses refuses what is no list of runs, and another arithmetic, and changes nothing", () => {
  const run = { variant, updates: [update(2)] };
  const arithmetic = definedArithmetic("f32");
  for (const wrong of [undefined, run, [undefined], [{ variant }], [{ updates: [] }]])
    expect(codeOf(() => runPasses(anything(wrong), arithmetic))).toBe("INVALID_PARAMETER");
  expect(codeOf(() => runPasses([run], anything("f32")))).toBe("INVALID_PARAMETER");
  expect(arraysOf(variant, run.updates[0]).get("p")).toEqual(Float32Array.of(1, 2));
});

test("a capacity that does not fit is named with what is needed", () => {
  const memory = new Float32Array(10);
  expect(failureOf(() => backend.wrap(memory, { shape: [2, 3], capacity: 4 })).message).toBe(
    "A tensor of shape [2, 3] at offset 0, with a capacity of 4 rows, needs 12 values; the array has 10. Use a larger array, or fewer rows.",
  );
});
