import type { MarkdownRenderer } from "vitepress";

/** Gives formulas, which are pictures, their LaTeX as the text for screen readers. */
export function accessibleMath({ renderer, utils }: MarkdownRenderer): void {
  for (const name of ["math_inline", "math_block"]) {
    const render = renderer.rules[name];
    if (render === undefined) continue;
    renderer.rules[name] = (tokens, index, ...rest) =>
      render(tokens, index, ...rest).replace(
        'role="img"',
        () => `role="img" aria-label="${utils.escapeHtml(tokens[index].content.trim())}"`,
      );
  }
}
