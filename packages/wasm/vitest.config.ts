import { defineConfig } from "vitest/config";
import { inChromium } from "../../testing/in-chromium.js";
import { tests } from "../../vitest.base.js";

/** What makes a page cross-origin isolated, so that it can share memory with its workers. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

const packages = ["@gradstep/core", "@gradstep/core/internal", "@gradstep/conformance"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...tests.test,
          name: "node",
          include: ["test/*.test.ts"],
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
