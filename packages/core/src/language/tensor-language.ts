import type { Language } from "./language.js";
import { planPasses } from "./pass-planner.js";
import { resolveTensorOperation } from "./tensor-operations.js";

/** The whole language. */
export const tensorLanguage: Language = { resolveTensorOperation, planPasses };
