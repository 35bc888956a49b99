/**
 * Mutants that no test can notice, or that none should, each with its reason: nothing that is promised changes.
 *
 * @type {readonly { file: string, code: string, becomes: string, reason: string }[]}
 */
export const equivalents = [];
