import { useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { drawSoon, forget } from "../charts/drawing-queue.js";
import { contextOf, mapColors } from "./canvas-drawing.js";
import { drawContours } from "./draw-contours.js";
import { drawPaths, nearestStep, type DrawnPath } from "./draw-paths.js";
import { MapProjection } from "./map-projection.js";
import type { PlaygroundModel } from "./playground-model.js";
import { useTheme } from "./use-theme.js";

interface MapViewProps {
  readonly model: PlaygroundModel;
  /** The id of the table with the same values. */
  readonly tableId: string;
}

/** The map with the paths, and the start point, which can be moved. */
export function MapView({ model, tableId }: MapViewProps) {
  const place = useRef<HTMLDivElement>(null);
  const contourCanvas = useRef<HTMLCanvasElement>(null);
  const pathCanvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const theme = useTheme();
  const { extent, minima, title } = model.surface.value;
  const { start } = model.state.value;
  const projection = useMemo(
    () => new MapProjection(extent, size.width, size.height),
    [extent, size],
  );

  useEffect(() => {
    const observer = new ResizeObserver(([{ contentRect }]) =>
      setSize({ width: contentRect.width, height: contentRect.height }),
    );
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);

  const contours = model.contours.value;
  useEffect(() => {
    if (size.width === 0) return;
    const context = contextOf(contourCanvas.current!, size);
    drawContours(context, contours, projection, mapColors(getComputedStyle(place.current!)));
  }, [contours, projection, theme]);

  const current = useRef(projection);
  current.current = projection;
  const draw = (): void => {
    const lanes = model.lanes.peek();
    const inspection = model.inspection.peek();
    const canvas = pathCanvas.current;
    const { width, height } = current.current;
    if (canvas === null || width === 0) return;
    const style = getComputedStyle(place.current!);
    const drawn = lanes.flatMap(({ path, label, style: { color, dash } }): DrawnPath[] =>
      path === undefined ? [] : [{ path, label, color: style.getPropertyValue(color), dash }],
    );
    const marked = inspection && lanes[inspection.lane]?.path;
    drawPaths(
      contextOf(canvas, { width, height }),
      drawn,
      model.shownSteps.peek(),
      current.current,
      style.getPropertyValue("--playground-halo"),
      marked && { path: drawn.findIndex(({ path }) => path === marked), step: inspection.step },
    );
  };
  // In turns with the curves below, so that no frame draws both.
  const drawMap = (): void => drawSoon(pathCanvas, draw);
  useSignalEffect(() => {
    void [model.lanes.value, model.shownSteps.value, model.inspection.value];
    drawMap();
  });
  useEffect(drawMap, [projection, theme]);
  useEffect(() => () => forget(pathCanvas), []);

  const moveTo = (event: MouseEvent): void => {
    const { left, top } = place.current!.getBoundingClientRect();
    model.update({ start: projection.pointAt(event.clientX - left, event.clientY - top) });
  };
  const inspect = (event: PointerEvent): void => {
    const { left, top } = place.current!.getBoundingClientRect();
    const nearest = nearestStep(
      model.lanes.value.map(({ path }) => path),
      model.shownSteps.value,
      projection,
      event.clientX - left,
      event.clientY - top,
    );
    if (nearest !== undefined) model.inspection.value = { lane: nearest.path, step: nearest.step };
  };
  return (
    <div
      ref={place}
      class="playground-map"
      onPointerDown={(event) => {
        // A finger on the map scrolls the page; it drags the start by its handle, and a tap moves it.
        const isHandle = event.target instanceof HTMLButtonElement;
        if (event.button !== 0 || (event.pointerType === "touch" && !isHandle)) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        moveTo(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) moveTo(event);
        else inspect(event);
      }}
      onClick={(event) => {
        // Not the click that Enter makes, which has no place.
        if (event.detail > 0) moveTo(event);
      }}
    >
      <canvas ref={contourCanvas} aria-hidden="true" />
      <canvas
        ref={pathCanvas}
        role="img"
        aria-label={`Contour map of the function ${title} with the paths of ${model.lanes.value.length} optimizers. The table has their values.`}
        aria-describedby={tableId}
      />
      {minima.map(([x, y]) => (
        <span
          key={`${x} ${y}`}
          class="playground-minimum"
          title={`Minimum at (${x}, ${y})`}
          style={{ left: `${projection.left(x)}px`, top: `${projection.top(y)}px` }}
        />
      ))}
      <StartHandle model={model} projection={projection} start={start} />
    </div>
  );
}

interface StartHandleProps {
  readonly model: PlaygroundModel;
  readonly projection: MapProjection;
  readonly start: readonly [number, number];
}

/** The start point, which the arrow keys move: by a hundredth of the map, with Shift by a tenth. */
function StartHandle({ model, projection, start: [x, y] }: StartHandleProps) {
  const move = (event: KeyboardEvent): void => {
    const part = event.shiftKey ? 0.1 : 0.01;
    const ways: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const way = ways[event.key];
    if (way === undefined) return;
    event.preventDefault();
    model.update({
      start: projection.moved([x, y], way[0] * part, way[1] * part),
    });
  };
  return (
    <button
      type="button"
      class="playground-start"
      aria-label={`Start at x ${x}, y ${y}. Arrow keys move it, with Shift further.`}
      title="Start: drag it, or click anywhere on the map"
      style={{ left: `${projection.left(x)}px`, top: `${projection.top(y)}px` }}
      onKeyDown={move}
    />
  );
}
