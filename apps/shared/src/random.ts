/** Returns the next number in [0, 1). The same seed gives the same numbers on every machine. */
export type Random = () => number;

/** A generator that can go on where another one was. */
export interface SeededRandom extends Random {
  /** An integer of 32 bits: set it to what another generator had, and the same numbers follow. */
  state: number;
}

/** Mulberry32 (Tommy Ettinger): 32 bits of state. */
export function seededRandom(seed: number): SeededRandom {
  const random = Object.assign(
    () => {
      random.state = (random.state + 0x6d2b79f5) | 0;
      const { state } = random;
      let bits = Math.imul(state ^ (state >>> 15), state | 1);
      bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
      return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
    },
    { state: seed | 0 },
  );
  return random;
}
