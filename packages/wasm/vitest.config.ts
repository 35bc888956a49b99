import { defineConfig } from "vitest/config";
import { inChromium } from "../../testing/in-chromium.js";
import { notDue } from "../../testing/not-due.js";
import { tests } from "../../vitest.base.js";

/** What makes a page cross-origin isolated, so that it can share memory with its workers. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

const packages = ["@gradstep/core", "@gradstep/conformance"];

const slow =
  "built-in-passes conformance-threads hosts masks modules newton-schulz pass-steps passes random-passes \
row-lists threads workerd".split(" ");

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...tests.test,
          name: "node",
          include: ["test/*.test.ts"],
          exclude: notDue(import.meta.dirname, 2, slow),
        },
      },
      ...(await inChromium(
        { name: "chromium", include: ["test/browser/*.test.ts"], packages },
        {
          name: "chromium, isolated",
          include: ["test/isolated/*.test.ts"],
          headers: isolation,
          packages,
        },
      )),
    ],
  },
});
