import { wasm } from "../src/index.js";
import { golden } from "./golden.js";

golden("one thread", () => wasm());
