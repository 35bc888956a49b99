import type { Random } from "@gradstep/apps-shared/random";

/** Shuffles `order` in place (Fisher and Yates). */
export function shuffle(order: Uint16Array, random: Random): void {
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const moved = order[last];
    order[last] = order[other];
    order[other] = moved;
  }
}
