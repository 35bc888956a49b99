import { sgd } from "@gradstep/core";
import { assertSame } from "../assertions.js";
import type { Check, Context } from "../check.js";

const rows = 700;
const columns = 64;
const all = Array.from({ length: rows }, (_, row) => row);

/** More rows than backends update at once: a batch that is divided must have each of them once. */
export const manyRowChecks: readonly Check[] = [
  {
    group: "rows",
    name: "masks and lists of many rows select each of them once",
    needs: ["rows"],
    run: checkManyRows,
  },
];

/** Exact in f32: m is halved and the gradient is added to it, and p decreases by m. */
async function checkManyRows({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const w = backend.tensor([rows, columns]);
  const optimizer = target.create(
    sgd({ learningRate: 1, momentum: 0.5 }),
    { w },
    { sparse: "lazy" },
  );
  const m = new Float32Array(rows * columns);
  const p = new Float32Array(rows * columns);
  const gradientAt = (row: number, column: number): number => ((row + column) % 7) - 3;
  const update = (row: number, scale: number): void => {
    for (let column = 0; column < columns; column += 1) {
      const i = row * columns + column;
      m[i] = m[i] / 2 + scale * gradientAt(row, column);
      p[i] -= m[i];
    }
  };
  const check = async (what: string): Promise<void> =>
    assertSame(await w.read(), p, `sgd, step ${optimizer.iterations}, ${what}`, 'p of "w"');
  const gradient = Float32Array.from({ length: rows * columns }, (_, i) =>
    gradientAt(Math.floor(i / columns), i % columns),
  );
  const mask = Uint32Array.from(all, (row) => row % 2);
  optimizer.step({ w: gradient }, { rows: mask });
  for (const row of all) if (mask[row] !== 0) update(row, 1);
  await check("with every second row");
  optimizer.step({ w: gradient }, { rows: mask, unselectedRows: "zero" });
  for (const row of all) update(row, mask[row]);
  await check("with every second row and zero");
  const listed = all.filter((row) => row % 3 !== 1).reverse();
  optimizer.step({
    w: {
      indices: Uint32Array.from(listed),
      values: Float32Array.from(
        listed.flatMap((row) =>
          Array.from({ length: columns }, (_, column) => gradientAt(row, column)),
        ),
      ),
    },
  });
  for (const row of listed) update(row, 1);
  await check("with a list of rows");
  optimizer.dispose();
}
