/** What Stryker puts into an empty list. */
const element = '["Stryker was here"]';

const moreOften = "Does more often what need not be done, with the same results.";
const message = "Changes the text of a message alone.";
const noProperty = "A property that is undefined is as good as none.";
const outside = "Reads and writes of a typed array beyond its end have no effect.";
const outsideMatrix = "Nothing reads what is beyond the matrix.";
const assigned = "Elements are assigned before they are read.";
const noUpdate = "A kernel that runs no update does nothing.";

/**
 * Mutants that change nothing that is promised: no test can notice them. By file: the code, what it becomes, and why.
 *
 * @type {Readonly<Record<string, readonly (readonly [
 *   code: string | RegExp,
 *   becomes: string | RegExp | readonly (string | RegExp)[],
 *   reason: string,
 * ])[]>>}
 */
export const equivalents = {
  "cpu-js/src/bind-kernel.ts": [
    ["[]", element, assigned],
    ['unselectedRows !== "keep"', "true", moreOften],
    ['"keep"', '""', moreOften],
    ["first < rows.length", "first <= rows.length", outside],
    ["k < end", "k <= end", "The next row overwrites the value."],
  ],
  "cpu-js/src/flush.ts": [
    [
      "scalars[threshold] > 0",
      ["true", "scalars[threshold] >= 0"],
      "No magnitude is below a threshold that is 0, negative or NaN.",
    ],
    ["limit > 0", ["true", "limit >= 0"], "No magnitude is below 0: the loop only takes time."],
  ],
  "cpu-js/src/codegen/js-emitter.ts": [
    [
      /^\/\^\(\?:Infinity\|NaN/,
      /^\/.*Infinity\|NaN/,
      "More names get a prefix, which no other name has.",
    ],
    ['op === "input"', "true", "Nodes of other kinds have no names."],
    ["/\\W+/g", "/\\W/g", "Labels have one such character at a time."],
  ],
  "cpu-js/src/passes/consecutive-reducer.ts": [
    ["i < end", "i <= end", "The row after the last is reduced again, or nothing reads it."],
    [
      /^"row"$|^this\.#over === "row" && length|^length <= summationLanes$/,
      /^(?:""|false|length < summationLanes)$/,
      "Short rows give the same in the way of long ones.",
    ],
    ["l < length", "l <= length", "Nothing joins the lane after the last."],
    ["-1", "+1", "Set where a tensor begins."],
    ["this.#length > summationBlock", ["true", "this.#length >= summationBlock"], moreOften],
  ],
  "cpu-js/src/codegen/emit-pass.ts": [['isNested && extent === "row"', "false", moreOften]],
  "cpu-js/src/matrices/matrix-product.ts": [
    [
      /^(?:i < width|k < length|i < tiledRows|i < end|i < rows)$/,
      /<=/,
      "Packed over or computed over afterwards, or beyond the matrix.",
    ],
    [/^(?:left === right|i < tiledRows)$/, "false", moreOften],
    [/^Math\.min\(tiledRows/, /^Math\.max/, moreOften],
    ["j < i", "j <= i", "A copy of a value to its own place."],
    ["i < size", "i <= size", outsideMatrix],
  ],
  "cpu-js/src/matrices/newton-schulz.ts": [
    ["to !== from", "true", "A copy of values to their own place."],
    ["i < size * size", "i <= size * size", outsideMatrix],
    [
      "j < columns",
      "j <= columns",
      "The next row overwrites the value, or it is beyond the matrix.",
    ],
  ],
  "cpu-js/src/passes/pass-target.ts": [
    ["[]", element, assigned],
    ["{ matrices: 1, rows: 1, columns: 1 }", "{}", "Set before it is read."],
    ["isComplete && this.#isComplete", "false", moreOften],
  ],
  "cpu-js/src/passes/variant-runner.ts": [
    ["[]", element, assigned],
    ["k < 3", "k <= 3", outside],
    [
      "isOpen && !isOverAll(pass)",
      "false",
      "Tensors run through one pass at a time, with the same results.",
    ],
    [
      "i < other.#count",
      "i <= other.#count",
      "The next one overwrites the value, or nothing reads it.",
    ],
  ],
  "cpu-js/src/passes/column-reducer.ts": [
    ["this.#Temporary === Float32Array", "true", "Sums of f64 have no order that is promised."],
    ["-1", "+1", "Set where a tensor begins."],
  ],
  "cpu-js/src/passes/reduction-lanes.ts": [
    ["2 * i < length", "2 * i <= length", "Overwrites a block that was joined already."],
    ["c < width", "c <= width", "The next block overwrites the value, or nothing reads it."],
  ],
  "cpu-js/src/passes/compile-passes.ts": [
    ["i < slotCount", "i <= slotCount", "No function refers to an array after the last slot."],
    ["[]", element, assigned],
  ],
  "cpu-js/src/passes/map-pass-runner.ts": [
    ["i < end", "i <= end", "Copies one value more, of which the copy is not updated."],
    ["from < end", "from <= end", "The last range is empty."],
    [
      "this.#reducers.length === 0",
      "false",
      "Values are computed range by range, with the same results.",
    ],
    ['this.pass.over === "element"', "true", "Ranges are shorter, with the same results."],
    ['name === "p"', "true", "Copies parameters that the pass does not change, either."],
  ],
  "cpu-js/src/passes/pass-kernel.ts": [
    [
      /^updates\[i\]\.mask !== undefined|^updates\[i\]\.unselectedRows === "decay"$/,
      "true",
      "One program of a whole chain gives the same as its parts.",
    ],
  ],
  "cpu-js/src/interpreter.ts": [
    ["[]", element, assigned],
    ["i < slots.length", "i <= slots.length", "No program refers to an array after the last slot."],
    ["!nodes[node].varies", "true", "The value is loaded over before it is read."],
    ["from < end", "from <= end", "The last chunk is empty."],
    ["i < length", "i <= length", "A chunk's values after `length` are not stored."],
    [
      /^"(?:number|input)"$|^case "input":/,
      /.*/,
      "The caller evaluates neither; the cases make the switch exhaustive.",
    ],
  ],
  "core/src/packing/packed-update.ts": [
    [
      "layout === undefined",
      "true",
      "An update whose slots alone are packed is made plain as a whole, in place of blocks.",
    ],
  ],
  "core/src/optimizer/explain/graph-values.ts": [
    ["isTensorOp(op)", "false", "Takes the values of the same result one by one."],
  ],
  "core/src/activations/activate.ts": [
    [
      'kind === "identity"',
      "false",
      "A value of the precision of the backend, divided by the norm 1 and rounded to it.",
    ],
  ],
  "core/src/backend/host-row-remap.ts": [
    ["source !== i", "true", "Copies rows that could stay, with the same result."],
    [
      /^[ij] < (?:from\.length|rowLength)$/,
      /<=/,
      "Beyond the end, or overwritten by the next row.",
    ],
    ["source === newRow", "false", "New rows get their values afterwards."],
    ['typeof initial !== "number"', "false", "Rows of another tensor are copied afterwards."],
  ],
  "core/src/backend/host-tensor.ts": [
    ["this.#memory === undefined", "true", moreOften],
    ["ArrayBuffer.isView(values)", "false", moreOften],
  ],
  "core/src/backend/wrap-array.ts": [
    [
      /^offset \+ size(?: > memory\.length)?$|^\{\s+throw new GradstepError\(\s+`Shape/,
      ["false", "offset - size", "{}"],
      "The check of the capacity, which is at least as large, refuses it with the same code.",
    ],
    ["rows !== undefined", "true", "No capacity is at least undefined."],
  ],
  "core/src/rule/rule-factory.ts": [
    ["matrices === undefined", "false", noProperty],
    ['typeof newName !== "string"', "false", "Such a name is refused later, with the same code."],
  ],
  "core/src/optimizer/create-optimizer.ts": [["structural === undefined", "false", noProperty]],
  "core/src/by-name.ts": [["structural === undefined", "false", noProperty]],
  "core/src/interop/keras.ts": [
    [
      /^typeof optimizer !== "object"$|^optimizer\.class_name === undefined$/,
      ["true", "false"],
      "What has no table of options is refused with the same code.",
    ],
  ],
  "core/src/language/interpret.ts": [
    [
      "i < instructions.length",
      "i <= instructions.length",
      "There is no instruction after the last.",
    ],
  ],
  "core/src/language/parse.ts": [
    ['peek().kind !== "symbol"', "false", "No other token has the text of a symbol."],
    ['token.kind === "end of line"', "true", "No other token is a line break."],
    [/^(?:operand|value|one)\.kind === "operation"$/, "true", "Others have no operation."],
    ['""', '"Stryker was here!"', message],
    ["known !== undefined", "false", moreOften],
    [/^parsed\.size >= maxParsed$/, /.*/, "Texts are parsed more often, or more of them are kept."],
  ],
  "core/src/language/build-program.ts": [
    ["Object.is(value, -0)", "false", "No text has the number −0: its sign is an operation."],
    ['"-0"', '""', "No text has the number −0: its sign is an operation."],
    [/^expression\.op === "pow"$|^"(?:pow|\*\*)"$/, /.*/, message],
  ],
  "core/src/language/digest.ts": [
    ["i < text.length", "i <= text.length", "Another hash, as good."],
  ],
  "core/src/language/program.ts": [
    ["drafts.length - 1", "drafts.length + 1", "Nothing uses what does not exist."],
    ["i >= 0", "i > 0", "The first node has no operands."],
  ],
  "core/src/language/specialize.ts": [
    ["a === undefined", "false", "What has no first operand has no second."],
    [/\.op === "input"$/, "true", "Other nodes have no names."],
    ["i >= 0", "i > 0", "The first node has no operands."],
    ['zero.op === "number"', "true", "The value of other nodes is NaN."],
  ],
  "core/src/rule/hyperparameter.ts": [
    ['typeof value === "number"', "true", "No other value is a finite number."],
  ],
  "core/src/optimizer/groups/group-match.ts": [
    ['typeof match === "string"', "false", message],
    ['"string"', '""', message],
    ["[match]", "[]", message],
  ],
  "core/src/optimizer/groups/group.ts": [
    ["this.#match !== undefined", "true", "The group of defaults is never asked what it matches."],
    ["this.#every === 1", "false", "Every number is divisible by 1: a shortcut."],
    [
      "this.context.clock.changes += 1",
      "this.context.clock.changes -= 1",
      "Counts are compared for being different.",
    ],
  ],
  "core/src/optimizer/groups/optimizer-groups.ts": [
    ["(group) => this.own.indexOf(group)", "() => undefined", message],
  ],
  "core/src/optimizer/parameters/parameter-checks.ts": [
    [
      "[...current, ...Object.entries(parameters)]",
      "[]",
      "Callers check the same again, with mirrors.",
    ],
    ["ranges.length === 0", "true", "Sets what is there already."],
    ["[]", element, "What has no end is passed over."],
  ],
  "core/src/optimizer/parameters/parameter-table.ts": [
    ['"keep"', '""', "Read with a mask alone, and then set."],
    [/^\[\.\.\.names\]\.every/, /\.some\(/, "A name that is no text is unknown, too."],
    ["[]", element, message],
    ["record.staging === undefined", "true", moreOften],
  ],
  "core/src/optimizer/parameters/slot-allocation.ts": [["first === 0", "false", moreOften]],
  "core/src/optimizer/rows/parameter-rows.ts": [
    [
      "count >= newRow",
      ["false", "count > newRow"],
      "No array has so many indices: refused with the same code.",
    ],
  ],
  "core/src/optimizer/rule-optimizer.ts": [
    ["{ count: 0 }", "{}", moreOften],
    ["`${rule.name}, group ${i}`", "``", message],
    ["kernel?.encode", "kernel.encode", "There is a kernel where there is a backend."],
    ["group.isDue(iteration)", "true", "Computes scalars that nothing reads."],
    [
      "unknown.length > 0",
      ["true", "false", "unknown.length >= 0", "unknown.length <= 0"],
      message,
    ],
    ["`names ${list(unknown)}`", "``", message],
    ['"matches nothing"', '""', message],
    ["i === 0", "true", moreOften],
    ["this.#disposed", "false", "A tensor that was freed is not freed again."],
  ],
  "core/src/optimizer/guarded/row-scalar-sets.ts": [
    [
      "end <= known",
      "end < known",
      "Of a range that ends where the last one does, nothing is new.",
    ],
    [
      "starts.length - 1",
      "starts.length + 1",
      "No count is at or after a start that is undefined.",
    ],
  ],
  "core/src/optimizer/guarded/device-counts.ts": [
    [
      "this.#restored += 1",
      "this.#restored -= 1",
      "Counts of restored states are compared for being different.",
    ],
  ],
  "core/src/optimizer/step-control/step-control.ts": [
    [/^(?:step\.)?count > 0$/, /^(?:true|.* >= 0)$/, noUpdate],
  ],
  "core/src/optimizer/step/gradients.ts": [
    ['typeof gradient !== "object"', "false", "What is no object has no backend, either."],
    [/^precision === "f64"$|^"(?:f64|Float64Array|Float32Array)"$/, /.*/, message],
  ],
  "core/src/optimizer/step/step-inputs.ts": [
    ["[]", element, assigned],
    ["false", "true", "No step can be repeated before the first was run."],
    ["count < 0", ["true", "count <= 0"], "The slower way gives the same."],
    ["count === 0", "true", moreOften],
    ["options !== undefined || this.#isMasked", "true", moreOften],
    ["this.#arrays.count === 0", "true", "No array is the tensor that it was staged through."],
    ["!isNoted", "true", moreOften],
    ["true", "false", moreOften],
    ["inside += 1", "inside -= 1", "Compared with 0 alone."],
    ["inside === 0", "false", "None is inside: each is outside."],
    ["records[next].name !== name", "true", "The slower way gives the same."],
    ["next === records.length", "true", "The slower way gives the same."],
    ["count += 1", "count -= 1", "The slower way gives the same."],
    ["rows === undefined", "false", "What is undefined is no list of masks, either."],
  ],
  "core/src/optimizer/step/step-options.ts": [
    ["isRowValues(options)", "false", "Refused with the same code, as unknown options."],
    [/^\{/, "{}", "Refused with the same code, as unknown options."],
  ],
  "core/src/optimizer/step/step-scalars.ts": [
    [
      "this.#persistentNames.length > 0",
      ["true", "this.#persistentNames.length >= 0"],
      "Computes no steps ahead, with the same results.",
    ],
    ["[]", element, "Moves nothing: a pair of places is incomplete."],
    [/^t < this\.#first \|\|/, "true", moreOften],
    ["t < this.#first", "t <= this.#first", moreOften],
    ["this.#first + this.#known", "this.#first - this.#known", moreOften],
    ["this.#seen !== this.#changes.count", "true", moreOften],
    ["2 * this.#known", "2 / this.#known", "Another number of steps is computed ahead."],
    ["this.#stepNode >= 0", ["true", "this.#stepNode > 0"], "Decay comes first in every rule."],
    [/^i < \w+\.length$/, /<=/, outside],
    ["this.#hasPersistent", "true", "There is nothing to move."],
  ],
  "wasm/src/codegen/pass-body.ts": [
    ['"vectors"', '""', "Inputs are told apart by whether they are one value."],
  ],
  "wasm/src/codegen/kernel-emitter.ts": [
    ['"vectors"', '""', "Inputs are told apart by whether they are one value."],
  ],
  "wasm/src/compiled-kernels.ts": [["compiled === undefined", "true", moreOften]],
  "wasm/src/planning/reduction-joins.ts": [
    ["2 * i < length", "2 * i <= length", "Overwrites a block that was joined already."],
  ],
  "wasm/src/planning/pass-memory.ts": [["own === kernel", "true", moreOften]],
  "wasm/src/planning/row-entries.ts": [
    ["-1", "+1", "Compared from the second row on, when it is that of the first."],
    ["j < slotCount", "j <= slotCount", "The scalars overwrite the word."],
  ],
  "wasm/src/planning/pass-ranges.ts": [
    [
      "word + rangeWord.entry",
      "word - rangeWord.entry",
      "The entry is the first word of a range: 0 is added or subtracted.",
    ],
  ],
  "wasm/src/memory/foreign-heap.ts": [
    ["heap?.allocate", "heap.allocate", "What has a memory is an object."],
  ],
  "wasm/src/memory/growable-heap.ts": [
    [
      /^\[before, after\]\.filter|^length > 0$/,
      ["[before, after]", "true", "length >= 0"],
      "An empty range has no room, and merges with its neighbors.",
    ],
    [
      "range.address > address",
      "range.address >= address",
      "No free range begins at a used block.",
    ],
    [
      /^Math\.min\(this\.#limit|^maxPages - 1$/,
      /.*/,
      "The memory itself refuses to grow beyond its limit; the last of 65,536 pages takes 4 GiB to reach.",
    ],
    [/^cause === undefined$|^`beyond \$|^"any further/, /.*/, message],
  ],
  "wasm/src/memory/wasm-tensor.ts": [
    ["this.#view?.buffer", "this.#view.buffer", "Asked after the view has the right length."],
    ["this.#range?.byteOffset !== address", "true", moreOften],
    ["address === this.#address", "false", moreOften],
  ],
  "wasm/src/planning/batch-table.ts": [
    ["false", "true", "The layout is compared with that of the last batch all the same."],
  ],
  "wasm/src/planning/scalar-groups.ts": [
    ["[]", element, assigned],
    [/^this\.#last >= this\.#count/, "true", moreOften],
    ["i < count", "i <= count", "Looks at one group twice."],
    ["i < scalars.length", "i <= scalars.length", "The next group overwrites the value."],
  ],
  "wasm/src/planning/row-ranges.ts": [
    ["[]", element, assigned],
    ["isSelected", "false", "Reserves more than is needed."],
    ["next - first", "next + first", "Reserves more than is needed."],
    ['unselectedRows === "decay"', "true", "Reserves more than is needed."],
    ["k < end", "k <= end", "The next range overwrites the value."],
  ],
  "wasm/src/threads/parallel-runner.ts": [
    ["[]", element, "No batch has 2³¹ elements, of which the logarithm would be 0."],
  ],
  "wasm/src/threads/thread-count-tuner.ts": [
    [
      /^i < sampleLength$|^j > 0$|^sorted\[j - 1\] > sorted\[j\]$/,
      /^(?:true|i <= .*|j >= .*|.*(?:>=|<=) sorted\[j\])$/,
      "The median is the same, in ascending and in descending order.",
    ],
    [
      /^(?:this\.#sorted.* <|last >) ratio \*/,
      /<=|>=/,
      "Times that are equal to the last bit decide nothing.",
    ],
    [
      "(this.#count - 1) % sampleLength",
      "(this.#count - 1) * sampleLength",
      "Of a trial that ended early: neither what ended it nor NaN is below the median of one thread.",
    ],
    ["true", "false", "Set where a batch begins."],
    ["this.#batches += 1", "this.#batches -= 1", "Intervals have the same multiples below 0."],
    ["this.#isTimed", "true", moreOften],
    ["this.#remainingBackoff <= 0", "true", "All threads are tried after the pause alone."],
  ],
  "wasm/src/threads/chunk-table.ts": [
    ["layoutVersion === this.#layoutVersion", "false", moreOften],
    ["i < count", "i <= count", "Chunks after the last are not counted."],
  ],
};
