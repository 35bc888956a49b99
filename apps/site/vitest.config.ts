import { defineConfig } from "vitest/config";
import { slowFiles, tests } from "../../vitest.base.js";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...tests.test,
          name: "logic",
          exclude: ["test/pages/**", "test/projects.test.ts", ...slowFiles],
        },
      },
      // The built site, and its instructions followed to the letter: minutes, in `pnpm test:full`.
      {
        test: {
          ...tests.test,
          name: "pages",
          include: ["test/pages/*.test.ts", "test/projects.test.ts"],
          fileParallelism: false,
          // Pages compute while other tests take the processors.
          expect: { poll: { timeout: 60_000 } },
        },
      },
    ],
  },
});
