import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { GradstepOptimizer } from "../src/index.js";
import { classifier, codeOf, fit, samples, tf } from "./support.js";

const own = Reflect.get(tf.train, "adam") as unknown;
const { register, unregister } = await import("../src/register.js");

beforeEach(async () => {
  await tf.setBackend("cpu");
  register();
});
afterEach(() => {
  tf.disposeVariables();
  vi.restoreAllMocks();
});
afterAll(unregister);

describe("compile", () => {
  test.each([
    ["adamw", "GradstepOptimizer"],
    ["AdamW", "GradstepOptimizer"],
    ["nadam", "GradstepOptimizer"],
    ["lion", "GradstepOptimizer"],
    ["momentum", "Momentum"],
  ])('takes "%s" and disposes of the optimizer with the model', async (name, className) => {
    const model = classifier();
    model.compile({ optimizer: name, loss: "categoricalCrossentropy" });
    const { optimizer } = model;
    expect(optimizer.getClassName()).toBe(className);
    const losses = await fit(model, samples(), 5);
    expect(losses.at(-1)!).toBeLessThan(losses[0]);
    model.dispose();
    expect(await codeOf(() => optimizer.getWeights())).toBe("DISPOSED");
  });

  test("an unknown name is TF.js's error; unregister takes the names back", () => {
    const compile = (optimizer: string): void =>
      classifier().compile({ optimizer, loss: "categoricalCrossentropy" });
    expect(() => compile("adamp")).toThrow(/Unknown Optimizer adamp/);
    unregister();
    expect(() => compile("adamw")).toThrow(/Unknown Optimizer adamw/);
    expect(Reflect.get(tf.train, "adam")).toBe(own);
  });
});

describe("another copy of TF.js", () => {
  /** As a script from a CDN has it: tables of its own, the same engine. */
  const copy = (): { train: Record<string, unknown>; serialization: unknown } => {
    const classNameMap: Record<string, unknown> = {};
    const SerializationMap = {
      getMap: () => ({ classNameMap }),
      register: (type: { className: string }) => {
        classNameMap[type.className] = [type];
      },
    };
    return { train: {}, serialization: { SerializationMap } };
  };

  test("register(tf) replaces its optimizers, and unregister restores them", () => {
    const other = copy();
    const before = (): string => "own";
    other.train["adam"] = before;
    register(other as never);
    expect((other.train["adam"] as () => unknown)()).toBeInstanceOf(GradstepOptimizer);
    const { SerializationMap } = other.serialization as typeof tf.serialization;
    expect(Object.keys(SerializationMap.getMap().classNameMap)).toContain("GradstepOptimizer");
    unregister();
    expect(other.train["adam"]).toBe(before);
    expect(SerializationMap.getMap().classNameMap).toEqual({});
  });

  test("a global tf that is another copy is named in a warning when the module is imported", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    vi.resetModules();
    vi.stubGlobal("tf", copy());
    const again = await import("../src/register.js");
    again.unregister();
    vi.unstubAllGlobals();
    expect(warn.mock.calls.flat().join()).toMatch(/register\(tf\)/);
  });
});
