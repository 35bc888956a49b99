import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isFull } from "../../../testing/cases.js";
import { testReadmes } from "../../../testing/readme.js";
import { runOnPage } from "./run-on-page.js";
import { content, inRepository, pagesByHand } from "./pages-by-hand.js";

const texts = new Map(pagesByHand.map((page) => [page, readFileSync(join(content, page), "utf8")]));
// Its snippets need a GPU, and run in the tests of @gradstep/webgpu.
const elsewhere = ["guide/bring-your-trainer.md"];
const withSnippets = [...texts]
  .filter(([page, text]) => /^```(?:js|ts)(?: \w+)?\n/m.test(text) && !elsewhere.includes(page))
  .map(([page]) => inRepository(page));

testReadmes(withSnippets, import.meta.url, {
  runInBrowser: isFull ? runOnPage : undefined,
  // Readers see JavaScript, without annotations.
  compilerOptions: { noUncheckedIndexedAccess: false, noImplicitAny: false },
});

/** Pages whose blocks are files, and the tests that run them. */
const projects: Readonly<Record<string, string>> = {
  "guide/adding-a-backend.md": "packages/conformance/test/readme.full.test.ts",
  "recipes/electron.md": "projects.test.ts",
  "recipes/github-pages.md": "projects.test.ts",
  "recipes/nextjs.md": "projects.test.ts",
  "recipes/vite.md": "projects.test.ts",
  "recipes/workers.md": "projects.test.ts",
  "start/browser.md": "projects.test.ts",
  "start/node.md": "projects.test.ts",
  "start/tfjs.md": "projects.test.ts",
  "start/typed-arrays.md": "projects.test.ts",
  "start/webgpu.md": "projects.test.ts",
};

test("every page with files has a test that runs them", () => {
  const withFiles = [...texts].filter(([, text]) => /^```\w+ \[/m.test(text));
  expect(withFiles.map(([page]) => page)).toEqual(Object.keys(projects));
});
