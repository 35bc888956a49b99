import { expect, test } from "vitest";
import { adam, clipByNorm, ema, sgd } from "../src/index.js";

const messageOf = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    expect(error).toMatchObject({ code: "UNKNOWN_OPTION" });
    return (error as Error).message;
  }
  throw new Error("It was taken.");
};

// Names of https://keras.io/api/optimizers/ as Keras and as TypeScript write them.
test.each([
  ["clipnorm", "chain(clipByNorm(…), adam())"],
  ["clipNorm", "chain(clipByNorm(…), adam())"],
  ["clipvalue", "chain(clipByValue(…), adam())"],
  ["global_clipnorm", "chain(clipByGlobalNorm(…), adam())"],
  ["globalClipnorm", "chain(clipByGlobalNorm(…), adam())"],
  ["use_ema", "chain(adam(), ema())"],
  ["ema_momentum", "chain(adam(), ema())"],
  ["gradient_accumulation_steps", "createOptimizer(adam(), parameters, { accumulate: … })"],
  ["loss_scale_factor", "createOptimizer(adam(), parameters, { lossScale: … })"],
  ["nonFinite", "createOptimizer(adam(), parameters, { nonFinite: … })"],
])("%s of Keras's optimizers is named as it is here", (option, expected) => {
  expect(messageOf(() => adam({ [option]: 1 }))).toContain(expected);
});

test("an option of the rule itself comes before those of others", () => {
  const clip: object = { clipnorm: 1 };
  expect(messageOf(() => clipByNorm(clip))).toContain('Did you mean "clipNorm"?');
  const average: object = { ema_momentum: 0.9 };
  expect(messageOf(() => ema(average))).toContain('Did you mean "emaMomentum"?');
  expect(messageOf(() => sgd(average))).toContain("chain(sgd(), ema())");
});

test("what is not known anywhere is listed with what there is", () => {
  const options: object = { jit_compile: true };
  expect(messageOf(() => sgd(options))).toMatch(
    /^sgd has no option "jit_compile"; it has .*momentum/,
  );
});
