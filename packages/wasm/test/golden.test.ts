import { wasm } from "../src/index.js";
import { golden } from "./golden.js";
import { threaded } from "./threaded.js";

golden("one thread", () => wasm());
golden("three threads", await threaded());
