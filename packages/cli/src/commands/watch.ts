import type { BrokerEvent } from "@basil/client";
import { InvalidArgumentError } from "commander";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand, toJson } from "../command.js";
import { escapeField } from "../escape-text.js";

const KINDS = ["key_rotated", "bundle_changed", "revoked"] as const satisfies readonly BrokerEvent["kind"][];
type Kind = (typeof KINDS)[number];

interface WatchOptions extends BrokerOptions {
  readonly kind?: readonly Kind[];
  readonly json?: boolean;
}

export const watch = defineCommand<WatchOptions, undefined>({
  name: "watch",
  summary: "print what changes, one line an event, until Ctrl-C",
  examples: ["basil watch", "basil watch --kind key_rotated --json"],
  declare(command) {
    command.option("--kind <kind>", `only ${KINDS.join(", ")}; may be repeated`, kinds);
    declareBroker(command, "give up when no broker answers for this long (default: 30)");
  },
  async run({ options }, context) {
    const { signal, terminal } = context;
    let read = true;
    try {
      await withBroker(options, context, async (client, call) => {
        // A stream has no time limit, so that something answers at all is asked before.
        await client.health(call);
        using _ = terminal.working("watching, until Ctrl-C");
        for await (const event of client.watch({ signal, kinds: options.kind ?? [] })) {
          const { at, ...detail } = event;
          const text = options.json ? toJson({ at: at.toISOString(), ...fields(detail) }, "line") : line(event);
          // Where nobody reads any more there is nothing to watch for; the program tells a full disk by itself.
          read = await terminal.outHandedOver(text).then(
            () => true,
            () => false,
          );
          if (!read) return;
        }
      });
    } catch (error) {
      // Ctrl-C is how it ends.
      if (!signal.aborted) throw error;
    }
    if (!signal.aborted && read)
      throw new CliError(
        "UNREACHABLE",
        "the broker ended the stream",
        { socket: "" },
        { remedy: "it has stopped; start watching again when it serves" },
      );
    return undefined;
  },
  render() {},
  json: () => undefined,
});

function kinds(value: string, before: readonly Kind[] | undefined): readonly Kind[] {
  const kind = KINDS.find((known) => known === value);
  if (kind === undefined) throw new InvalidArgumentError(`Allowed choices are ${KINDS.join(", ")}.`);
  return [...(before ?? []), kind];
}

type Detail<T> = T extends unknown ? Omit<T, "at"> : never;

function fields(event: Detail<BrokerEvent>): object {
  switch (event.kind) {
    case "key_rotated":
      return { kind: event.kind, key_id: event.keyId, new_version: event.newVersion };
    case "bundle_changed":
      return { kind: event.kind, trust_domain: event.trustDomain };
    case "revoked":
      return { kind: event.kind, trust_domain: event.trustDomain, id: event.id };
  }
}

function line(event: BrokerEvent): string {
  const { at, ...detail } = event;
  const words = Object.entries(fields(detail as Detail<BrokerEvent>)).map(([name, value]) => `${name}=${value}`);
  return escapeField(`${at.toISOString()}  ${words.join("  ")}`);
}
