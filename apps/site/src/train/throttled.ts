import { effect, signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

/** A number that follows another one at most once in that many milliseconds: at once, if it has rested that long. */
export function useThrottled(
  source: ReadonlySignal<number>,
  milliseconds: number,
): ReadonlySignal<number> {
  const [followed] = useState(() => signal(source.peek()));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const follow = (): void => {
      timer = undefined;
      if (followed.peek() === source.peek()) return;
      followed.value = source.peek();
      timer = setTimeout(follow, milliseconds);
    };
    const end = effect(() => {
      void source.value;
      if (timer === undefined) follow();
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [source]);
  return followed;
}
