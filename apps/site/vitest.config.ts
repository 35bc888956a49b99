import { defineConfig } from "vitest/config";
import { leftOut, tests } from "../../vitest.base.js";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...tests.test,
          name: "logic",
          exclude: ["test/pages/**", ...leftOut],
        },
      },
      // The built site: minutes, in `pnpm test:full`.
      {
        test: {
          ...tests.test,
          name: "pages",
          include: ["test/pages/*.test.ts"],
          // `npm test` runs none of them.
          exclude: [],
          fileParallelism: false,
        },
      },
    ],
  },
});
