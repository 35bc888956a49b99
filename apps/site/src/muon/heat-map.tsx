import { useEffect, useRef } from "preact/hooks";
import type { PicturedMatrix } from "./picture.js";

interface HeatMapProps {
  readonly title: string;
  /** What stands below the picture where there is little room. */
  readonly shortTitle: string;
  readonly matrix: PicturedMatrix;
}

/** A matrix as a grid of colors: blue for negative values, orange for positive ones, relative to the largest. */
export function HeatMap({ title, shortTitle, matrix }: HeatMapProps) {
  const { rows, columns, values, singularValues } = matrix;
  const canvas = useRef<HTMLCanvasElement>(null);
  const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const image = context.createImageData(columns, rows);
    values.forEach((value, i) => image.data.set(colorOf(largest > 0 ? value / largest : 0), 4 * i));
    context.putImageData(image, 0, 0);
  }, [values]);
  return (
    <figure class="muon-map">
      <canvas
        ref={canvas}
        width={columns}
        height={rows}
        style={{ aspectRatio: `${columns} / ${rows}` }}
        role="img"
        aria-label={`${title}: ${rows} × ${columns} values, the largest ${largest.toPrecision(3)}; singular values from ${singularValues[0].toPrecision(3)} to ${singularValues.at(-1)!.toPrecision(3)}`}
      />
      <figcaption>
        <span class="muon-title">{title}</span>
        <span class="muon-short-title" aria-hidden="true">
          {shortTitle}
        </span>
      </figcaption>
    </figure>
  );
}

/** A value from −1 to 1, by way of a light gray, as red, green, blue and alpha. */
function colorOf(value: number): [number, number, number, number] {
  const end = value < 0 ? [33, 102, 172] : [217, 95, 2];
  // The root shows small values, too.
  const share = Math.sqrt(Math.abs(value));
  const [red, green, blue] = end.map((one) => 240 + (one - 240) * share);
  return [red, green, blue, 255];
}
