import { conformance } from "@gradstep/conformance";
import { describe, test } from "vitest";
import { wasm } from "../src/index.js";

// Wraps only arrays that lie in its own memory.
conformance({ backend: () => wasm(), wrapsArrays: false, describe, test });
