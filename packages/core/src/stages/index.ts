import * as factories from "./factories.js";
import type { Stage } from "../rule/stage-factory.js";

/** All built-in stages: backends generate code for them, and the conformance suite runs them. */
export const stages: readonly Stage[] = Object.values(factories).map(({ stage }) => stage);
