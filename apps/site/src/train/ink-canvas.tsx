import { useEffect, useRef } from "preact/hooks";

interface InkCanvasProps {
  readonly class: string;
  /** Width and height in points. */
  readonly size: number;
  /** 0 is paper, 1 is ink; row by row. */
  readonly ink: Float32Array;
  /** Changes when the ink does. */
  readonly version: number;
  readonly label: string;
  /** Shown while the canvas has the focus. */
  readonly pen?: { readonly x: number; readonly y: number; readonly isDown: boolean };
  /** Coordinates are points. */
  readonly onPointer?: (x: number, y: number, phase: "start" | "move" | "end") => void;
  /** @returns whether the key was used */
  readonly onKey?: (key: string) => boolean;
}

/** Ink on paper, in the colors of the page; one that can be drawn on if it has handlers. */
export function InkCanvas(props: InkCanvasProps) {
  const { size, ink, version, label, pen, onPointer, onKey } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const isDrawing = useRef(false);
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const image = context.createImageData(size, size);
    ink.forEach((value, index) => {
      // Black with this alpha: CSS inverts the canvas on a dark page.
      image.data[index * 4 + 3] = Math.round(value * 255);
    });
    context.putImageData(image, 0, 0);
  }, [ink, size, version]);
  const pointer = (event: PointerEvent, phase: "start" | "move" | "end"): void => {
    const { left, top, width, height } = canvas.current!.getBoundingClientRect();
    onPointer?.(
      ((event.clientX - left) / width) * size,
      ((event.clientY - top) / height) * size,
      phase,
    );
  };
  const isInteractive = onPointer !== undefined;
  return (
    <div class={`train-ink ${props.class}`}>
      <canvas
        ref={canvas}
        width={size}
        height={size}
        role={isInteractive ? "application" : "img"}
        aria-label={label}
        tabIndex={isInteractive ? 0 : undefined}
        onPointerDown={(event) => {
          if (!isInteractive || event.button !== 0) return;
          isDrawing.current = true;
          canvas.current!.setPointerCapture(event.pointerId);
          pointer(event, "start");
        }}
        onPointerMove={(event) => {
          if (isDrawing.current) pointer(event, "move");
        }}
        onPointerUp={(event) => {
          if (!isDrawing.current) return;
          isDrawing.current = false;
          pointer(event, "end");
        }}
        onPointerCancel={() => {
          isDrawing.current = false;
        }}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          if (onKey?.(event.key) === true) event.preventDefault();
        }}
      />
      {pen !== undefined && (
        <span
          class={pen.isDown ? "train-pen train-pen-down" : "train-pen"}
          style={{ left: `${(pen.x / size) * 100}%`, top: `${(pen.y / size) * 100}%` }}
        />
      )}
    </div>
  );
}
