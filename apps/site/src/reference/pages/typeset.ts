import { liteAdaptor, type LiteAdaptor } from "mathjax-full/js/adaptors/liteAdaptor.js";
import { AssistiveMmlHandler } from "mathjax-full/js/a11y/assistive-mml.js";
import { RegisterHTMLHandler } from "mathjax-full/js/handlers/html.js";
import { TeX } from "mathjax-full/js/input/tex.js";
import "mathjax-full/js/input/tex/ams/AmsConfiguration.js";
import { mathjax } from "mathjax-full/js/mathjax.js";
import { SVG } from "mathjax-full/js/output/svg.js";

const adaptor: LiteAdaptor = liteAdaptor();
AssistiveMmlHandler(RegisterHTMLHandler(adaptor));
/** Each formula defines the shapes of its letters once: a third of the size of shapes at every place. */
const document = mathjax.document("", {
  InputJax: new TeX({ packages: ["base", "ams"] }),
  OutputJax: new SVG({ fontCache: "local" }),
});

/**
 * A formula as SVG, with MathML for screen readers. In the text of a page, `$…$` does the same, but on each build of the
 * site, and takes several times the space.
 * @throws for LaTeX that MathJax refuses
 */
export function typeset(latex: string, { display }: { readonly display: boolean }): string {
  const html = adaptor.outerHTML(document.convert(latex, { display }));
  if (html.includes("data-mjx-error")) throw new Error(`MathJax refuses ${latex}`);
  return html;
}
