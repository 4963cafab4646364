import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { writeTable } from "../table.js";

interface ListOptions extends BrokerOptions {
  readonly prefix?: string;
}

interface ListReport {
  readonly keys: readonly {
    readonly name: string;
    readonly kind: string;
    readonly key_type: string | null;
    readonly latest_version: number;
  }[];
}

export const list = defineCommand<ListOptions, ListReport>({
  name: "list",
  summary: "list the keys you may know about",
  strayOperand: "--prefix",
  examples: ["basil list", "basil list --prefix jwt. --json"],
  declare(command) {
    command.option("--prefix <text>", "only names that begin with this");
    declareBroker(command);
  },
  async run({ options }, context) {
    const { prefix } = options;
    const items = await withBroker(options, context, (client, call) =>
      client.listCatalog({ ...call, ...(prefix !== undefined && { prefix }) }),
    );
    return {
      keys: items.map(({ name, kind, keyType, latestVersion }) => ({
        name,
        kind,
        key_type: keyType ?? null,
        latest_version: latestVersion,
      })),
    };
  },
  render({ keys }, terminal) {
    const rows = keys.map((key) => [key.name, key.kind, key.key_type ?? "-", String(key.latest_version)]);
    writeTable(["NAME", "KIND", "KEY TYPE", "VERSION"], rows, terminal);
    if (rows.length > 0) return;
    terminal.err("no key to show: no rule lets you list one, or none has the prefix");
    terminal.err("hint: ask the broker's operator for op:list; 'basil status' shows who you are to the broker");
  },
});
