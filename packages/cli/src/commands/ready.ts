import { setTimeout as sleep } from "node:timers/promises";
import type { BrokerReadiness } from "@basil/client";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import type { CommandContext } from "../context.js";
import { escapeField } from "../escape-text.js";
import { EXIT } from "../exit-code.js";
import { seconds } from "../option-values.js";

interface ReadyOptions extends BrokerOptions {
  /** Milliseconds. */
  readonly wait?: number;
}

interface ReadyReport {
  readonly ready: boolean;
  readonly reason: string;
  readonly generation: number;
  readonly keys_total: number;
  readonly keys_present: number;
  readonly keys_required_missing: number;
  readonly keys_optional_missing: number;
}

const POLL_MS = 100;

export const ready = defineCommand<ReadyOptions, ReadyReport>({
  name: "ready",
  summary: "ask whether the broker can serve; exits 1 when it cannot",
  examples: ["basil ready", "basil ready --wait 30"],
  declare(command) {
    command.option("--wait <seconds>", "ask again until it is ready, for this long", seconds);
    declareBroker(command);
  },
  async run({ options }, context) {
    const answer = await (options.wait === undefined ? ask(options, context) : waitFor(options, options.wait, context));
    return {
      ready: answer.ready,
      reason: answer.reason,
      generation: answer.generation,
      keys_total: answer.keysTotal,
      keys_present: answer.keysPresent,
      keys_required_missing: answer.keysRequiredMissing,
      keys_optional_missing: answer.keysOptionalMissing,
    };
  },
  render(report, { out }) {
    for (const [name, value] of Object.entries(report)) out(escapeField(`${name}: ${value}`));
  },
  exitCode: (report) => (report.ready ? EXIT.done : EXIT.no),
});

function ask(options: BrokerOptions, context: CommandContext): Promise<BrokerReadiness> {
  return withBroker(options, context, (client, call) => client.readiness(call));
}

/** The last answer or failure counts when the time is over. */
async function waitFor(options: BrokerOptions, waitMs: number, context: CommandContext): Promise<BrokerReadiness> {
  const end = performance.now() + waitMs;
  using _ = context.terminal.working("waiting until the broker is ready");
  for (;;) {
    const left = Math.max(1, Math.ceil(end - performance.now()));
    const over = (): boolean => performance.now() + POLL_MS >= end;
    try {
      const answer = await ask({ ...options, timeout: Math.min(left, options.timeout ?? left) }, context);
      if (answer.ready || over()) return answer;
    } catch (error) {
      const again = error instanceof CliError && (error.code === "UNREACHABLE" || error.code === "DEADLINE");
      if (!again || over() || context.signal.aborted) throw error;
    }
    await sleep(POLL_MS, undefined, { signal: context.signal }).catch(() => {
      throw new CliError("DEADLINE", "interrupted while waiting for the broker", {}, { remedy: "run it again" });
    });
  }
}
