const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text from outside, such as a file name, for use in HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]);
}

/** Marks the options in a text, so that no line ends between their dashes. */
export function withOptions(html: string): string {
  return html.replaceAll(/--[a-z]+(?:-[a-z]+)*/g, '<span class="option">$&</span>');
}

/** A card with a heading. In a grid, a wide one takes both columns. */
export function section(title: string, content: string, size: "" | "wide" = ""): string {
  return `<section class="${size === "wide" ? "card both" : "card"}"><h2>${title}</h2>\n${content}\n</section>`;
}

/** A figure in large type with a caption, in which numbers and their units stay on one line. */
export function tile(figure: string, caption: string): string {
  const text = caption.replaceAll(/(?<=\d) (?=%|m?s\b)/g, "&nbsp;");
  return `<div><b>${figure}</b><span>${text}</span></div>`;
}

/** A table with row headings that scrolls sideways where it does not fit, and shows that it does. */
export function table([headings, ...rows]: readonly (readonly string[])[]): string {
  const head = headings.map((text) => `<th scope="col">${text}</th>`).join("");
  const body = rows.map(
    ([first, ...cells]) =>
      `<tr><th scope="row">${first}</th>${cells.map((text) => `<td>${text}</td>`).join("")}</tr>`,
  );
  return `<div class="scroll" tabindex="0"><table class="rows"><thead><tr>${head}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>`;
}

/** A legend: a colored line and a name for each. */
export function legend(entries: readonly (readonly [color: string, name: string])[]): string {
  const items = entries.map(
    ([color, name]) => `<span><i style="background: var(--${color})"></i>${name}</span>`,
  );
  return `<p class="legend">${items.join("")}</p>`;
}
