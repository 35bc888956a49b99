import { testReadmes } from "../../../testing/readme.js";

const packages = ["core", "cpu-js", "wasm", "gradstep"];
testReadmes(
  ["README.md", ...packages.map((name) => `packages/${name}/README.md`)],
  import.meta.url,
);
