/** One way of doing the thing; called once for each operation. */
export interface Contender {
  readonly name: string;
  readonly once: () => Promise<unknown>;
}

export interface TurnsResult {
  readonly inFlight: number;
  readonly rounds: number;
  readonly callsPerRound: number;
  /** Median calls a second of each contender. */
  readonly perSecond: Readonly<Record<string, number>>;
  /** Median of (first / second) calls a second, taken round by round. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
}

/**
 * Lets two contenders take turns, round by round, so that a slow stretch of the machine falls on both.
 * The order is turned round in every other round.
 */
export async function measureInTurns(
  first: Contender,
  second: Contender,
  { inFlight, rounds = 9, calls = 1500 }: { inFlight: number; rounds?: number; calls?: number },
): Promise<TurnsResult> {
  const rate = async ({ once }: Contender): Promise<number> => {
    const start = performance.now();
    let left = calls;
    const lane = async (): Promise<void> => {
      while (left-- > 0) await once();
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return (calls * 1000) / (performance.now() - start);
  };
  await rate(first);
  await rate(second);
  const rates: [number, number][] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const a = await rate(first);
      rates.push([a, await rate(second)]);
    } else {
      const b = await rate(second);
      rates.push([await rate(first), b]);
    }
  }
  const ratios = rates.map(([a, b]) => a / b);
  return {
    inFlight,
    rounds,
    callsPerRound: calls,
    perSecond: {
      [first.name]: Math.round(median(rates.map(([a]) => a))),
      [second.name]: Math.round(median(rates.map(([, b]) => b))),
    },
    ratio: round3(median(ratios)),
    ratioMin: round3(Math.min(...ratios)),
    ratioMax: round3(Math.max(...ratios)),
  };
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
const round3 = (value: number): number => Math.round(value * 1000) / 1000;
