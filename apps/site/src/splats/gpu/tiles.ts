import { projectedStruct } from "./projection.js";

/** Width and height of a tile in pixels. */
export const tileSize = 16;

/** The size of a picture and what it implies. */
export interface Tiling {
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
}

export function tilingOf(width: number, height: number): Tiling {
  const [columns, rows] = [Math.ceil(width / tileSize), Math.ceil(height / tileSize)];
  return { width, height, columns, rows };
}

/** Constants of a tiling in WGSL. */
export const tilingConstants = ({ width, height, columns }: Tiling): string => /* wgsl */ `
const size = vec2u(${width}, ${height});
const tile_size = ${tileSize}u;
const tile_columns = ${columns}u;
`;

const threads = 64;

/**
 * Lists the splats that overlap each tile, in ascending order, so that sums over a list have the same bits in each run.
 * One workgroup per tile; each invocation looks at a range of the splats.
 */
export const tileListsCode = (tiling: Tiling): string => /* wgsl */ `
${projectedStruct}${tilingConstants(tiling)}
@group(0) @binding(0) var<storage, read> count: u32;
@group(0) @binding(1) var<storage, read> projected: array<Projected>;
@group(0) @binding(2) var<storage, read_write> lengths: array<u32>;
@group(0) @binding(3) var<storage, read_write> lists: array<u32>;

var<workgroup> lengths_of_ranges: array<u32, ${threads}>;

fn overlaps(row: u32, tile: vec2u) -> bool {
  let low = vec2f(tile * tile_size);
  let position = projected[row].position;
  let nearest = clamp(position, low, low + f32(tile_size));
  return all(abs(nearest - position) < projected[row].reach);
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) thread: u32) {
  let range = (count + ${threads - 1}) / ${threads};
  let first = min(count, thread * range);
  let end = min(count, first + range);
  var length = 0u;
  for (var row = first; row < end; row++) { length += u32(overlaps(row, tile.xy)); }
  lengths_of_ranges[thread] = length;
  workgroupBarrier();

  let index = tile.y * tile_columns + tile.x;
  var place = index * arrayLength(&projected);
  for (var i = 0u; i < thread; i++) { place += lengths_of_ranges[i]; }
  for (var row = first; row < end; row++) {
    if (overlaps(row, tile.xy)) {
      lists[place] = row;
      place++;
    }
  }
  if (thread == ${threads - 1}) { lengths[index] = place - index * arrayLength(&projected); }
}
`;
