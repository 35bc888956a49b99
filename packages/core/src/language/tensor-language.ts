import type { Language } from "./language.js";
import { scheduleOf } from "./passes.js";
import { resolveTensorOperation } from "./tensor-operations.js";

/** The whole language. */
export const tensorLanguage: Language = { resolveTensorOperation, scheduleOf };
