import { assign, countFromZero, increase, minus, plus, times } from "./address-arithmetic.js";
import {
  elseThen,
  end,
  f32Const,
  f32Load,
  f32Store,
  fourLanes,
  i32And,
  i32Const,
  i32Eq,
  i32LeU,
  i32LtU,
  ifThen,
  localGet,
} from "./instruction-set.js";
import { concat, i32, type WasmFunction } from "./module-encoder.js";

/**
 * The function `(source, along, across, target, width, length)`: copies `width` times `length` elements of a matrix into
 * panels, one after the other. A panel holds `panelWidth` elements for k = 0, then those for k = 1, and so on. Elements
 * that the last panel lacks are 0.
 *
 * `along` is the distance in bytes from an element to the one of k + 1, `across` to its neighbor in the panel.
 *
 * @param panelWidth a multiple of 4
 */
export function packPanels(panelWidth: number): WasmFunction {
  const [source, along, across, target, width, length] = [0, 1, 2, 3, 4, 5];
  const [first, remaining, i, k, from, to] = [6, 7, 8, 9, 10, 11];
  const panelBytes = 4 * panelWidth;
  const vectors = Array.from({ length: panelWidth / 4 }, (_, v) =>
    concat(localGet(to), localGet(from), fourLanes.load(16 * v), fourLanes.store(16 * v)),
  );
  /** Neighbors in the panel are neighbors in memory. */
  const copyVectors = concat(
    assign(from, plus(localGet(source), times(localGet(first), i32Const(4)))),
    assign(to, localGet(target)),
    countFromZero(
      k,
      localGet(length),
      1,
      concat(...vectors, increase(from, localGet(along)), increase(to, i32Const(panelBytes))),
    ),
  );
  const copyElements = countFromZero(
    k,
    localGet(length),
    1,
    concat(
      concat(localGet(to), localGet(from), f32Load(0), f32Store(0)),
      concat(increase(from, localGet(along)), increase(to, i32Const(panelBytes))),
    ),
  );
  const fillZeros = countFromZero(
    k,
    localGet(length),
    1,
    concat(localGet(to), f32Const(0), f32Store(0), increase(to, i32Const(panelBytes))),
  );
  const copyLines = countFromZero(
    i,
    i32Const(panelWidth),
    1,
    concat(
      assign(
        from,
        plus(localGet(source), times(plus(localGet(first), localGet(i)), localGet(across))),
      ),
      assign(to, plus(localGet(target), times(localGet(i), i32Const(4)))),
      concat(localGet(i), localGet(remaining), i32LtU),
      concat(ifThen, copyElements, elseThen, fillZeros, end),
    ),
  );
  return {
    parameters: 6,
    locals: [i32, i32, i32, i32, i32, i32],
    body: countFromZero(
      first,
      localGet(width),
      panelWidth,
      concat(
        assign(remaining, minus(localGet(width), localGet(first))),
        concat(localGet(across), i32Const(4), i32Eq),
        concat(i32Const(panelWidth), localGet(remaining), i32LeU, i32And),
        concat(ifThen, copyVectors, elseThen, copyLines, end),
        increase(target, times(localGet(length), i32Const(panelBytes))),
      ),
    ),
  };
}
