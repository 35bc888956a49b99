// Writes src/generated/: one module of plain JavaScript for each built-in rule.
export {};
