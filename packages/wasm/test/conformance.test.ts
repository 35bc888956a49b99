import { conformance } from "@gradstep/conformance";
import { wasm } from "../src/index.js";
import { runner } from "./runner.js";

conformance({ backend: () => wasm(), ...runner });
