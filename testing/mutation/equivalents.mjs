/** What Stryker puts into an empty list. */
const placeholder = '["Stryker was here"]';

/**
 * Mutants that change nothing that is promised, each with its reason: no test can notice them.
 *
 * @type {readonly {
 *   readonly file: string;
 *   readonly code: string | RegExp;
 *   readonly becomes: string | RegExp | readonly (string | RegExp)[];
 *   readonly reason: string;
 * }[]}
 */
export const equivalents = [...cpuJs()];

function cpuJs() {
  const bind = "cpu-js/src/bind.ts";
  const emit = "cpu-js/src/emit-js.ts";
  const interpreter = "cpu-js/src/interpreter.ts";
  const moreOften = "Allocates more often than needed, with the same results.";
  const outside = "Writes to a typed array beyond its end do nothing.";
  return [
    {
      file: bind,
      code: "[]",
      becomes: placeholder,
      reason: "Elements are assigned before they are read.",
    },
    {
      file: bind,
      code: 'unselectedRows !== "keep" && zeros.length < p.length',
      becomes: ["true", 'unselectedRows !== "keep" || zeros.length < p.length'],
      reason: moreOften,
    },
    { file: bind, code: 'unselectedRows !== "keep"', becomes: "true", reason: moreOften },
    { file: bind, code: '"keep"', becomes: '""', reason: moreOften },
    {
      file: bind,
      code: "zeros.length < p.length",
      becomes: ["true", "zeros.length <= p.length"],
      reason: moreOften,
    },
    { file: bind, code: "first < rows.length", becomes: "first <= rows.length", reason: outside },
    {
      file: bind,
      code: "k < end",
      becomes: "k <= end",
      reason: "The next row overwrites the value.",
    },
    {
      file: bind,
      code: "scalars[scalar] > 0",
      becomes: ["true", "scalars[scalar] >= 0"],
      reason: "No magnitude is below a threshold that is 0, negative or NaN.",
    },
    {
      file: bind,
      code: "limit > 0",
      becomes: ["true", "limit >= 0"],
      reason: "No magnitude is below 0: the loop only takes time.",
    },
    {
      file: emit,
      code: /^\/\^\(\?:Infinity\|NaN/,
      becomes: /^\/.*Infinity\|NaN/,
      reason: "More names get a prefix, which no other name has.",
    },
    {
      file: interpreter,
      code: "[]",
      becomes: placeholder,
      reason: "Elements are assigned before they are read.",
    },
    {
      file: interpreter,
      code: "i < slots.length",
      becomes: "i <= slots.length",
      reason: "No program refers to the array after the last slot.",
    },
    {
      file: interpreter,
      code: "!nodes[node].varies",
      becomes: "true",
      reason: "The value is loaded over before it is read.",
    },
    {
      file: interpreter,
      code: "from < end",
      becomes: "from <= end",
      reason: "The last chunk is empty.",
    },
    {
      file: interpreter,
      code: "i < length",
      becomes: "i <= length",
      reason: "A chunk's values after `length` are not stored; beyond its end, writes do nothing.",
    },
    {
      file: interpreter,
      code: /^"(?:number|input)"$|^case "input":/,
      becomes: /.*/,
      reason: "The caller evaluates neither; the cases make the switch exhaustive.",
    },
  ];
}
