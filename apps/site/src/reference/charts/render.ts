import { parse, View, type Spec } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { themes, type Colors } from "./themes.js";

/** A chart as SVG, for light and for dark pages. */
export type Pictures = Readonly<Record<keyof typeof themes, string>>;

async function toSvg(spec: Spec): Promise<string> {
  const view = new View(parse(spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return `${withShortNumbers(svg)}\n`;
}

/** With coordinates of paths to a tenth of a pixel, which makes files a third as large. */
function withShortNumbers(svg: string): string {
  const short = (digits: string): string => String(Number(Number(digits).toFixed(1)));
  return svg.replaceAll(/ (?:d|transform)="[^"]*"/g, (attribute) =>
    attribute.replaceAll(/\d+\.\d{2,}/g, short),
  );
}

/** Renders a specification of Vega in both themes. */
export async function renderVega(specification: (colors: Colors) => Spec): Promise<Pictures> {
  return {
    light: await toSvg(specification(themes.light)),
    dark: await toSvg(specification(themes.dark)),
  };
}

/** Renders a specification of Vega-Lite in both themes. */
export function renderVegaLite(specification: (colors: Colors) => TopLevelSpec): Promise<Pictures> {
  return renderVega((colors) => compile(specification(colors)).spec);
}
