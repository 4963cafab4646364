import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { auditCounts, isDenied, LANES, startEnduranceStack, verifyChain } from "./endurance-stack.ts";
import { Load } from "./load.ts";

export interface KillReport {
  readonly kills: number;
  readonly replies: number;
  /** Those of the replies that must have a line of their own: all but denials above the rate. */
  readonly recorded: number;
  /** Audit lines of decisions. */
  readonly lines: number;
  /** Lines that a kill left torn; each was closed and marked by the next start. */
  readonly torn: number;
  /** Replies whose line is not in the log, and lines beyond what was asked. */
  readonly problems: readonly string[];
}

/** Kills an agent with SIGKILL at a random moment under load and starts it again, so many times. */
export async function killRounds(kills: number, onRound: (round: number) => void = () => {}): Promise<KillReport> {
  await using stack = await startEnduranceStack();
  using load = new Load(stack.socket);
  const problems: string[] = [];
  let stopped = false;
  const lane = async (n: number): Promise<void> => {
    while (!stopped) {
      const before = load.lost;
      await load.sign(n);
      await load.askUnknown(n);
      // The socket is not there for a while.
      if (load.lost !== before) await sleep(5);
    }
  };

  let agent = await stack.startAgent();
  for (let n = 0; n < LANES; n++) await load.prepare(n);
  const lanes = Array.from({ length: LANES }, (_, n) => lane(n));
  try {
    for (let round = 1; round <= kills; round++) {
      await sleep(randomInt(20, 600));
      await agent.stop("SIGKILL");
      const { ok, problems: found } = await verifyChain(stack);
      if (!ok) problems.push(`after kill ${round}: ${JSON.stringify(found)}`);
      agent = await stack.startAgent();
      onRound(round);
    }
    await sleep(200);
  } finally {
    stopped = true;
    await Promise.all(lanes);
    await agent.stop();
  }

  const { ok, recovered, lines, problems: found } = await verifyChain(stack);
  if (!ok) problems.push(`at the end: ${JSON.stringify(found)}`);
  const counts = await auditCounts(stack);
  let recorded = 0;
  for (const [name, replies] of load.replies) {
    const told = counts.get(name) ?? 0;
    // Above a rate denials are counted in memory for up to a minute, which a kill loses; none may have two lines.
    if (isDenied(name) && told <= replies) continue;
    recorded += replies;
    // A lane asks one thing at a time: at most one line a kill has no reply.
    if (told < replies || told > replies + kills) problems.push(`${name}: ${replies} replies, ${told} lines`);
  }
  if (load.wrongCount > 0) problems.push(...load.wrong);
  return { kills, replies: load.answered, recorded, lines, torn: recovered, problems };
}
