import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { PageCanvases } from "./session.js";

interface PanelsProps {
  readonly layout: "panels" | "slider";
  readonly ellipses: boolean;
  /** What the fit shows, for screen readers. */
  readonly description: string;
  /** Called once, with canvases that nothing has been drawn on. */
  readonly onCanvases: (canvases: PageCanvases) => void;
  readonly onFile: (file: File) => void;
}

/** The picture, the fit and their difference. A file that is dropped on them becomes the picture. */
export function Panels({ layout, ellipses, description, onCanvases, onFile }: PanelsProps) {
  const picture = useRef<HTMLCanvasElement>(null);
  const fit = useRef<HTMLCanvasElement>(null);
  const difference = useRef<HTMLCanvasElement>(null);
  const [divider, setDivider] = useState(50);
  const [isTarget, setIsTarget] = useState(false);
  const id = useId();
  useEffect(() => {
    onCanvases({ picture: picture.current!, fit: fit.current!, difference: difference.current! });
  }, []);

  return (
    <div
      class={`splats-panels splats-panels-${layout} ${isTarget ? "splats-panels-target" : ""}`}
      style={{ "--splats-divider": `${divider}%` }}
      onDragOver={(event) => {
        event.preventDefault();
        setIsTarget(true);
      }}
      onDragLeave={() => setIsTarget(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsTarget(false);
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) onFile(file);
      }}
    >
      <figure class="splats-panel-picture">
        <canvas ref={picture} role="img" aria-label="The picture to fit" />
        <figcaption>Picture</figcaption>
      </figure>
      <figure class="splats-panel-fit">
        <canvas ref={fit} role="img" aria-label={description} />
        <figcaption>{ellipses ? "Splats, as ellipses" : "Splats"}</figcaption>
      </figure>
      {layout === "slider" && (
        <div class="splats-divider">
          <label for={id}>Picture on the left, splats on the right</label>
          <input
            id={id}
            type="range"
            min={0}
            max={100}
            value={divider}
            aria-valuetext={`${divider} % picture`}
            onInput={(event) => setDivider(event.currentTarget.valueAsNumber)}
          />
        </div>
      )}
      <figure class="splats-panel-difference">
        <canvas
          ref={difference}
          role="img"
          aria-label="The difference of picture and splats, four times as bright"
        />
        <figcaption>Difference, × 4</figcaption>
      </figure>
    </div>
  );
}
