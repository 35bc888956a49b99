/**
 * Moves the focus after the next frame, from a control that is about to disappear.
 *
 * @param place stays on the page
 * @param selectors of where the focus goes; the first that matches in `place` has it
 */
export function moveFocus(place: Element, ...selectors: readonly string[]): void {
  requestAnimationFrame(() => {
    for (const selector of selectors) {
      const element = place.querySelector<HTMLElement>(selector);
      if (element === null) continue;
      element.focus();
      return;
    }
  });
}
