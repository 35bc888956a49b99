import { expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { prodigy } from "../src/rules/prodigy.js";
import { anything, codeOf, failureOf } from "./support.js";

const backend = reference();
const make = (spec: Parameters<typeof createOptimizer>[0], slots: unknown) =>
  createOptimizer(spec, { w: backend.tensor([3, 2]) }, { slots: anything({ w: slots }) });

test("a slot that the rule does not have is refused, with those that it has", () => {
  const { code, message } = failureOf(() => make(adam(), { momentum: backend.tensor([3, 2]) }));
  expect(code).toBe("INVALID_PARAMETER");
  expect(message).toContain("Slot momentum");
});

test("a slot that all parameters share is refused", () => {
  const { code, message } = failureOf(() => make(prodigy(), { d: backend.tensor([]) }));
  expect(code).toBe("INVALID_PARAMETER");
  expect(message).not.toContain("numerator");
});

test.each([[[6]], [[2, 3]], [[3]], [[3, 2, 1]]])("a slot of shape %j is refused", (shape) => {
  expect(codeOf(() => make(adam(), { m: backend.tensor(shape) }))).toBe("INVALID_SHAPE");
});

test("a slot of another backend, and one that was freed, are refused", () => {
  expect(codeOf(() => make(adam(), { m: reference().tensor([3, 2]) }))).toBe("INVALID_PARAMETER");
  const freed = backend.tensor([3, 2]);
  freed.free();
  expect(codeOf(() => make(adam(), { m: freed }))).toBe("DISPOSED");
});
