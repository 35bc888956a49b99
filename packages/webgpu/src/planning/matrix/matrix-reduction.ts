import type { Dimensions, Reduction } from "@gradstep/core";
import type { RowKernelLayout } from "../../shaders/kernel-layout.js";
import { valuesPerTile } from "../../shaders/matrix-reduction-kernel.js";
import type { BindingLimits, Dispatch } from "../dispatch/dispatch.js";
import { elementsOf } from "../rows/chunk-grouping.js";
import { chunkParameters } from "../rows/chunk-parameters.js";
import { chunkDimensions, rowChunksOf, spansOf, type RowChunk } from "../rows/row-chunk.js";
import { planRowSegments } from "../rows/row-dispatches.js";
import type { RowItem } from "../rows/row-item.js";
import { placedRowItems } from "../rows/row-layout.js";
import type { Segment } from "../dispatch/segment-dispatches.js";

/** A tensor whose rows or columns are reduced, with the places for the results. */
export interface MatrixReductionItem {
  readonly item: RowItem;
  /**
   * Where the results of the tiles go.
   *
   * @param results the number of results of a tile row or tile column: rows or columns of all matrices
   * @param tiles the number of tiles that each result is made of
   */
  readonly startOf: (reduction: Reduction, results: number, tiles: number) => number;
}

/** The rows and columns of a tile: powers of two. */
interface TileShape {
  readonly rows: number;
  readonly columns: number;
}

/** Neighboring values that a device reads at once. */
const minColumns = 32;

/**
 * Plans dispatches that reduce the rows and columns of matrices by tiles.
 * @throws {GradstepError} `INVALID_MEMORY`, `UNSUPPORTED`, as `planRowDispatches`
 */
export function planMatrixReductions(
  items: readonly MatrixReductionItem[],
  limits: BindingLimits,
): Dispatch<RowKernelLayout>[] {
  const placed = placedRowItems(items.map(({ item }) => item));
  return planRowSegments(
    placed.map((item, k) => {
      const { startOf } = items[k];
      const chunks = [...rowChunksOf(item, limits)];
      const shape = tileShapeOf(item, chunkDimensions(chunks[0]));
      const rowTiles = chunks.map((chunk) => Math.ceil(chunkDimensions(chunk).rows / shape.rows));
      const { reductions } = item.kernel;
      const { matrices, rows, columns } = item.dimensions;
      const columnTiles = Math.ceil(columns / shape.columns);
      // The rows of one matrix may be in several chunks; several matrices have the same tiles.
      const tilesPerColumn = matrices > 1 ? rowTiles[0] : rowTiles.reduce((a, b) => a + b, 0);
      const starts = reductions.map((one) =>
        one.over === "row"
          ? startOf(one, matrices * rows, columnTiles)
          : startOf(one, matrices * columns, tilesPerColumn),
      );
      let tilesBefore = 0;
      const segments = chunks.map((chunk, i) => {
        const { firstRow } = chunk;
        const chunkStarts = reductions.map(({ over }, k) => {
          const first = starts[k] + firstRow * item.perRowOf(over);
          return over === "row" || matrices > 1 ? first : first + tilesBefore * columns;
        });
        tilesBefore += rowTiles[i];
        return segmentOf(chunk, shape, chunkStarts);
      });
      return { item, segments };
    }),
    limits,
  );
}

function segmentOf(chunk: RowChunk, shape: TileShape, starts: readonly number[]): Segment {
  const { matrices, rows, columns } = chunkDimensions(chunk);
  const rowTiles = Math.ceil(rows / shape.rows);
  const columnTiles = Math.ceil(columns / shape.columns);
  const { dimensions } = chunk;
  const words = [
    rows,
    columns,
    shape.rows,
    shape.columns,
    rowTiles,
    columnTiles,
    dimensions.matrices * dimensions.rows,
    dimensions.matrices * dimensions.columns,
    ...starts,
  ];
  return {
    spans: spansOf(chunk),
    count: elementsOf(chunk),
    tiles: matrices * rowTiles * columnTiles,
    scalars: chunk.scalars,
    parametersAt: (offsets) => [...chunkParameters(chunk, offsets), ...words],
  };
}

/** Long rows for sums over rows alone; otherwise as many rows as possible, without reading parts of lines. */
function tileShapeOf(
  { kernel }: Pick<RowItem, "kernel">,
  { rows, columns }: Dimensions,
): TileShape {
  const values = valuesPerTile(kernel);
  const maxRows = Math.min(values, powerOfTwo(rows));
  const maxColumns = Math.min(values, powerOfTwo(columns));
  const isRowsOnly = kernel.reductions.every(({ over }) => over === "row");
  const wide = isRowsOnly ? maxColumns : Math.max(minColumns, values / maxRows);
  const tileColumns = Math.min(maxColumns, wide);
  return { rows: Math.min(maxRows, values / tileColumns), columns: tileColumns };
}

/** The smallest power of two that is not less. */
function powerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(value));
}
