import { webgpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";

test.each([[{ devise: {} }], [null], [[]], ["cpu"]])(
  "options %j are refused, and no device is asked for",
  async (options) => {
    await expect(webgpu(options as never)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
  },
);
