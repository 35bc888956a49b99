import type { HostArray, WrappingBackend } from "@gradstep/core";
import { oracle, reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { differencesOfLayout } from "../../../testing/random-layouts/differences-of-layout.js";
import { cpuJs } from "../src/index.js";

const backends: readonly (readonly [string, () => WrappingBackend<HostArray>])[] = [
  ["reference", reference],
  ["oracle", oracle],
  ["cpu-js", () => cpuJs()],
  ["cpu-js exact", () => cpuJs({ exact: true })],
];

describe.each(backends)("%s", (_, make) => {
  test(`random layouts give what plain arrays give, and change nothing else (seed ${seed})`, async () => {
    const backend = make();
    for (let i = 0; i < cases(250, 10); i += 1) {
      const one = seed * 1000 + i;
      expect({ one, found: await differencesOfLayout(backend, one) }).toEqual({ one, found: [] });
    }
  });
});
