const threads = 256;

/** Replaces each of the first `count` values by the sum of it and all values before it. One workgroup. */
export const prefixSumCode = `
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;

var<workgroup> sums: array<u32, ${threads}>;

@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) thread: u32) {
  let length = (count + ${threads - 1}) / ${threads};
  let first = min(count, thread * length);
  let end = min(count, first + length);
  var own = 0u;
  for (var i = first; i < end; i++) { own += values[i]; }
  sums[thread] = own;
  for (var distance = 1u; distance < ${threads}; distance *= 2) {
    workgroupBarrier();
    let before = select(0, sums[thread - min(thread, distance)], thread >= distance);
    workgroupBarrier();
    sums[thread] += before;
  }
  var total = sums[thread] - own;
  for (var i = first; i < end; i++) {
    total += values[i];
    values[i] = total;
  }
}
`;
