/** Names of rules of every kind, some of them with a meaning in JavaScript, WGSL or objects. */
export const ruleNames = [
  "plainAdam",
  "PlainAdam",
  "plain_adam",
  "plain-adam",
  "plain-adam-2",
  "A1",
  "_",
  "__",
  "_private",
  "class",
  "Infinity",
  "fn",
  "f32",
  "constructor",
  "__proto__",
] as const;
