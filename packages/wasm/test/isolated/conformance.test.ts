import { conformance } from "@gradstep/conformance";
import { runner } from "../runner.js";
import { threaded } from "../threaded.js";

conformance({ backend: await threaded(), cases: 500, ...runner });
