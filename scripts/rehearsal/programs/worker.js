// Runs in workerd, where WebAssembly cannot be compiled at run time.
import { autoBackend, cpuJs, wasm } from "gradstep";
import adamModule from "@gradstep/wasm/rules/adam.wasm";
import { takeSteps } from "./take-step.js";

// oxlint-disable-next-line import/no-default-export -- what the runtime looks for
export default {
  async test() {
    const results = await takeSteps({
      "cpu-js": () => cpuJs(),
      wasm: () => wasm({ modules: [adamModule] }),
      auto: () => autoBackend(),
    });
    console.log(`results ${JSON.stringify(results)}`);
  },
};
