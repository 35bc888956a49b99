import { defineConfig } from "vitest/config";
import { tests } from "../../vitest.base.js";

export default defineConfig({
  test: {
    ...tests.test,
    // The driver is found through the environment, which a worker thread has only a copy of.
    pool: "forks",
  },
});
