import type { Data, Legend, Mark, NumericValueRef, Scale } from "vega";
import { renderVega, type Pictures } from "./render.js";
import { font, type Colors } from "./themes.js";
import { valleyMap, type MapSize } from "./valley-map.js";

/** What a chart draws over the map, as parts of a specification of Vega. */
interface Paths {
  readonly data: Data[];
  readonly scales?: Scale[];
  readonly legends?: Legend[];
  readonly marks: Mark[];
}

/** Where a mark lies whose data have `x` and `y`. */
export const position: Readonly<Record<"x" | "y", NumericValueRef>> = {
  x: { scale: "x", field: "x" },
  y: { scale: "y", field: "y" },
};

/** Paths over a map of the valley, below its minimum. */
export function valleyChart(size: MapSize, pathsOf: (colors: Colors) => Paths): Promise<Pictures> {
  const mapOf = valleyMap(size);
  return renderVega((colors) => {
    const map = mapOf(colors);
    const { data, scales = [], legends = [], marks } = pathsOf(colors);
    return {
      $schema: "https://vega.github.io/schema/vega/v5.json",
      ...size,
      padding: 4,
      background: "transparent",
      data: [...map.data, ...data],
      scales: [...map.scales, ...scales],
      legends,
      marks: [clipped(size, [map.ground, ...marks, map.minimum])],
      config: { legend: { labelFont: font }, text: { font, fill: colors.text } },
    };
  });
}

/** Marks inside the map, which has round corners. */
function clipped({ width, height }: MapSize, marks: Mark[]): Mark {
  return {
    type: "group",
    encode: {
      enter: {
        width: { value: width },
        height: { value: height },
        clip: { value: true },
        cornerRadius: { value: 6 },
      },
    },
    marks,
  };
}
