import {
  adam,
  createOptimizer,
  defineRule,
  nonNegative,
  type Rule,
  type Variant,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";
import { expect, test } from "vitest";
import { defaultKernelLayout, type DenseKernelLayout } from "../src/shaders/kernel-layout.js";
import { reservedWords } from "../src/shaders/reserved-words.js";
import { everyNth, seed } from "../../../testing/cases.js";
import { describe, newBackend, sharedDevice } from "./gpu.js";
import { denseSources } from "./kernel-sources.js";

const layouts: readonly DenseKernelLayout[] = ([1, 4] as const).flatMap((width) =>
  (["separate-buffer", "separate-binding", "shared-binding"] as const).map((gradients) => ({
    width,
    gradients,
  })),
);

function denseSource(variant: Variant): string {
  return denseSources(variant, [defaultKernelLayout])[0];
}

async function expectToCompile(sources: Iterable<string>): Promise<void> {
  const device = await sharedDevice();
  for (const code of sources) {
    const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
    expect(messages.map(({ message }) => `${message}\n${code}`)).toEqual([]);
  }
}

/** The parameters after a step on WebGPU and on the reference. */
async function stepped(rule: Rule): Promise<readonly number[][]> {
  const backend = await newBackend();
  const values: number[][] = [];
  for (const one of [backend, reference()]) {
    const p = one.tensor([5], [1, 2, 3, 4, 5]);
    createOptimizer(rule.specify({}), { p }).step({ p: new Float32Array([1, 2, 3, 4, 5]) });
    values.push(Array.from(await p.read()));
  }
  return values;
}

function ruleOf(name: string, perElement: string): Rule {
  return defineRule({ name, hyperparameters: { learningRate: nonNegative(0.1) }, perElement }).rule;
}

function attempt(action: () => Rule): Rule | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

describe("emitDenseKernel", () => {
  test("the shader reads like the rule", () => {
    const source = denseSource(adam().rule.variant());
    expect(source).toContain("let t1 = select(m, Value(0), abs(m) < mFlushThreshold);");
    expect(source).toContain("let t3 = t1 + (g - t1) * c1;");
    expect(source).toContain("let t4 = t2 + (g * g - t2) * c2;");
    expect(source).toContain("p * decay - t3 * rate / (sqrt(t4) + epsilonHat)");
    expect(source).not.toMatch(/pow|exp|log/);
  });

  test(`variants of all rules compile in every layout (seed ${seed})`, async () => {
    const variants = rules.flatMap((rule) => [...rule.variants()]);
    expect(variants.length).toBeGreaterThan(50);
    const sources = new Set(variants.flatMap((one) => denseSources(one, layouts)));
    await expectToCompile(everyNth([...sources], 4));
  });

  test(`names with another meaning in WGSL, and reserved words (seed ${seed})`, async () => {
    const own = [
      "__a",
      "_",
      "__",
      "x_loop",
      "x_x_loop",
      "all_p",
      "start_g",
      "t1",
      "t22",
      "a_b",
      "π",
      ..."asm_fragment co_await column_tiles compile_fragment const_assert demote_to_helper dynamic_cast".split(
        " ",
      ),
      ..."first_row gradient_start gradient_type group_row lane_values line_length list_start listed_row".split(
        " ",
      ),
      ..."macro_rules mask_start matrix_rows own_gradient reinterpret_cast row_mask scalar_set static_cast".split(
        " ",
      ),
      ..."step_scale stored_gradient tile_rows value_index workgroup_count activation_scale clear_gradient".split(
        " ",
      ),
    ];
    const words = [...reservedWords, ...own].filter((word) => /^[A-Za-z_]\w*$/.test(word));
    const named: Rule[] = [];
    for (const word of words) {
      const parts: Record<string, object> = {
        slot: {
          slots: Object.fromEntries([[word, 0.5]]),
          perElement: `${word} = ${word} + g * g\np = p - g / (${word} + ${word} * g) * learningRate`,
        },
        scalar: {
          slots: { m: 0 },
          perStep: `${word} = 1 - learningRate`,
          perElement: `m = m + (g - m) * ${word}\np = p - m * sqrt(${word}) * 1e39`,
        },
        temporary: {
          slots: { m: 0 },
          perElement: `${word} = g * g + m\nm = ${word} / 2\np = p - ${word} * ${word}`,
        },
      };
      for (const [name, part] of Object.entries(parts)) {
        const hyperparameters = { learningRate: nonNegative(0.1) };
        const definition = { name, hyperparameters, slots: {}, perStep: "", perElement: "" };
        // Some are words of the rule language.
        const rule = attempt(() => defineRule({ ...definition, ...part }).rule);
        if (rule !== undefined) named.push(rule);
      }
    }
    expect(named.length).toBeGreaterThan(3 * 180);
    const sample = everyNth(named, 5);
    await expectToCompile(sample.map((rule) => denseSource(rule.variant())));
  });

  test("literals of any magnitude, with all their digits", async () => {
    const literals = ["9e18", "1e19", "5e20", "1e21", "3.4e38", "123456789012345678901234567890"];
    const rulesOf = literals.map((literal, i) =>
      ruleOf(`great-${i}`, `p = min(p * ${literal}, ${literal}) - ${literal} * g`),
    );
    await expectToCompile(rulesOf.map((rule) => denseSource(rule.variant())));
    for (const rule of rulesOf) {
      const [values, expected] = await stepped(rule);
      expect(values).toEqual(expected);
    }
  });

  test("texts of the greatest length and depth that the language allows", async () => {
    const nested = (before: string, after: string, times = 98): string =>
      `p = p - ${before.repeat(times)}g${after.repeat(times)}`;
    const texts = [
      `p = p${" - g".repeat(990)}`,
      `p = p${Array.from({ length: 990 }, (_, i) => ` - g * ${i}.5`).join("")}`,
      nested("-", ""),
      nested("(1 + ", ")"),
      nested("sqrt(1 + ", ")"),
      nested("(g < 2 ? 1 : ", ")", 49),
      nested("(g < 2 ? 1 + ", " : 3)", 49),
      nested("flush(", ")"),
      `p = ${"min(p + 1, ".repeat(98)}g${")".repeat(98)}`,
    ];
    // Each condition is used twice, and in the next condition.
    const chained = Array.from(
      { length: 20 },
      (_, i) => `a = b < c ? ${i} : p\nc = b < c ? g : ${i}.5\nb = a\n`,
    );
    texts.push(`b = p\nc = g\n${chained.join("")}p = b - c * learningRate`);
    const rulesOf = texts.map((text, i) => ruleOf(`deep-${i}`, text));
    await expectToCompile(rulesOf.map((rule) => denseSource(rule.variant())));
    for (const rule of [rulesOf[0], rulesOf[2]]) {
      const [values, expected] = await stepped(rule);
      expect(values).toEqual(expected);
    }
  });

  test("operations on literals only, and numbers beyond f32", async () => {
    const { rule } = defineRule({
      name: "literals",
      hyperparameters: { learningRate: nonNegative(0.1) },
      slots: { m: 0 },
      perStep: "",
      perElement: `
        m = (1 < 2 ? sqrt(4) : 1 / 0) + flush(1e-40) + max(2, 3) * sign(-0.5) - abs(-2)
        p = p + (m - -g) * (0.5 - 1) + min(1e39, g) - - (-(-1)) * learningRate
      `,
    });
    await expectToCompile(denseSources(rule.variant(), layouts));
    const [values, expected] = await stepped(rule);
    expect(values).toEqual(expected);
  });

  test("isFinite finds NaN and both infinities, in vectors, in single values and in selected rows", async () => {
    const rule = ruleOf("finite", "p = isFinite(g) * 2 + isFinite(p) + learningRate * 0");
    await expectToCompile(denseSources(rule.variant(), layouts));
    const special = [Number.NaN, 1, Infinity, -0, -Infinity, 3.4028234663852886e38, 1e-40, 7];
    const expected = [1, 3, 1, 3, 1, 3, 3, 3];
    const backend = await newBackend();
    for (const count of [8, 7]) {
      const p = backend.tensor([count], new Float32Array(count).fill(2));
      const optimizer = createOptimizer(rule.specify({}), { p });
      optimizer.step({ p: Float32Array.from(special.slice(0, count)) });
      expect([...(await p.read())]).toEqual(expected.slice(0, count));
    }
    const q = backend.tensor([8, 1], new Float32Array(8).fill(2));
    const optimizer = createOptimizer(rule.specify({}), { q });
    const mask = Uint32Array.from([1, 1, 0, 1, 1, 1, 1, 0]);
    optimizer.step({ q: Float32Array.from(special) }, { rows: { q: mask } });
    expect([...(await q.read())]).toEqual(expected.map((one, i) => (mask[i] === 0 ? 2 : one)));
  });
});
