import { nodeGpu } from "@gradstep/webgpu/node";
import { vi } from "vitest";
import { testReadmes } from "../../../testing/readme.js";
import { describe } from "./gpu.js";

describe("documentation", async () => {
  // The snippets are written for a browser.
  const { gpu } = await nodeGpu();
  vi.stubGlobal("navigator", { gpu });
  testReadmes(
    ["packages/webgpu/README.md", "apps/site/content/guide/bring-your-trainer.md"],
    import.meta.url,
  );
});
