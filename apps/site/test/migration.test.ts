import { readFileSync } from "node:fs";
import { rules } from "@gradstep/core/rules";
import { fromKeras, fromOptax, fromTfjs, fromTorch } from "gradstep/interop";
import { expect, test } from "vitest";
import { content } from "./pages-by-hand.js";

const read = (page: string): string => readFileSync(`${content}${page}`, "utf8");

/** `schedule-free-adamw` of `scheduleFreeAdamw`. */
const ruleName = (text: string): string =>
  text.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The pairs of names in rows of tables whose first cell has names that `isTheirs`, and whose second has as many. */
function pairs(page: string, isTheirs: RegExp): [theirs: string, ours: string][] {
  const namesIn = (cell = ""): string[] =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  const names = new Set(rules.map(({ name }) => name));
  return [...read(page).matchAll(/^\| (.*?) \| (.*?) \|$/gm)].flatMap(([, left, right]) => {
    const theirs = namesIn(left).filter((name) => isTheirs.test(name));
    const ours = namesIn(right).filter((name) => names.has(ruleName(name)));
    return theirs.length > 0 && ours.length >= theirs.length
      ? theirs.map((name, i): [string, string] => [name, ours[i]])
      : [];
  });
}

test("the classes of Keras have the names that the page says", () => {
  const classes = pairs("migrate/keras.md", /^[A-Z]\w+$/);
  expect(classes.length).toBe(14);
  for (const [theirs, ours] of classes)
    expect([theirs, ruleName(ours)]).toEqual([
      theirs,
      fromKeras({ class_name: theirs, config: {} }).rule.name,
    ]);
});

test("the classes of PyTorch have the names that the page says", () => {
  const classes = pairs("migrate/torch.md", /^[A-Z]\w+$/).filter(([name]) => name !== "SparseAdam");
  expect(classes.length).toBe(11);
  for (const [theirs, ours] of classes)
    expect([theirs, ruleName(ours)]).toEqual([theirs, fromTorch(theirs, {}).rule.name]);
});

test("the optimizers of optax.contrib have the names that the page says", () => {
  const optimizers = pairs("migrate/optax.md", /^contrib\.\w+$/);
  expect(optimizers.length).toBe(4);
  for (const [theirs, ours] of optimizers) {
    const name = theirs.replace("contrib.", "");
    expect([theirs, ruleName(ours)]).toEqual([
      theirs,
      fromOptax(name, { learning_rate: 0.1 }).rule.name,
    ]);
  }
});

test("AdamW of Optax has the decay that the page says", () => {
  const decay = fromOptax("adamw", { learning_rate: 0.1 }).hyperparameters.weightDecay;
  expect(/of AdamW \| (\S+) /.exec(read("migrate/optax.md").replaceAll(/ +/g, " "))?.[1]).toBe(
    Number(decay).toExponential(),
  );
});

test("TensorFlow.js's optimizers have the names that the page says", () => {
  const table = /^\| `tf\.train\.(\w+)\([^|]*\| `(\w+)\(/gm;
  const calls = [...read("migrate/tfjs.md").matchAll(table)];
  expect(calls.length).toBeGreaterThan(3);
  for (const [, theirs = "", ours = ""] of calls)
    expect([theirs, ours]).toEqual([theirs, fromTfjs(theirs, { learningRate: 0.1 }).rule.name]);
});

test("the comparison has the number of rules", () => {
  expect(/^\| how many +\| (\d+) /m.exec(read("comparison.md"))?.[1]).toBe(String(rules.length));
});
