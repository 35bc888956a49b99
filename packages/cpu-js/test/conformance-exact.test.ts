import { conformance } from "@gradstep/conformance";
import { describe, test } from "vitest";
import { cpuJs } from "../src/index.js";

conformance({ backend: () => cpuJs({ exact: true }), describe, test });
