import { lstat } from "node:fs/promises";
import { resolve } from "node:path";
import { BundleError, type CreatedBundle, createBundle, parseBackendSpec, parseSlotSpec } from "@basil/bundle";
import { CliError } from "../cli-error.js";
import { toJson } from "../command.js";
import { readDocument } from "../config/read-document.js";
import type { CommandContext } from "../context.js";
import { nonEmpty, repeated } from "../option-values.js";
import { declarePluginsAndConfiguration, kindsForCredentials } from "../plugins/plugin-kinds.js";
import { backendCredential } from "./backend-credential.js";
import { declareBundle, defineBundleCommand } from "./bundle-command.js";
import { type Manifest, parseManifest } from "./manifest.js";
import { bundlePath, warnUntried } from "./open-options.js";
import { type SlotPhrase, showPhrases } from "./phrase-output.js";
import { writePublicFile } from "./public-file.js";
import { SecretSource } from "./secret-source.js";
import { type SlotToMake, slotToMake } from "./slot-providers.js";

interface CreateOptions {
  readonly from?: string;
  readonly slot?: readonly string[];
  readonly backend?: readonly string[];
  readonly depositKey?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly plugin?: readonly string[];
  readonly config?: string;
}

interface CreateReport extends CreatedBundle {
  readonly bundle: string;
  readonly backends: readonly string[];
  readonly printed: boolean;
}

export const create = defineBundleCommand<CreateOptions, CreateReport>({
  name: "create",
  summary: "seal a new bundle with its unlock slots and backend credentials",
  examples: [
    "basil bundle create creds.sealed --slot passphrase:file=/run/basil/pass --backend id=kms,type=aws-kms,region=us-east-1",
    "basil bundle create creds.sealed --slot passphrase:prompt=true --slot bip39",
    "basil bundle create creds.sealed --from bundle.toml",
  ],
  declare(command) {
    declareBundle(command)
      .option("--slot <spec>", "a way to unlock, e.g. passphrase:file=FILE; may be repeated", repeated)
      .option("--backend <spec>", "a credential, e.g. id=kms,type=aws-kms,region=us-east-1; may be repeated", repeated)
      .option("--from <file>", "read slots and backends from a TOML manifest instead", nonEmpty)
      .option("--deposit-key <file>", "make a deposit key and write its public half here", nonEmpty)
      .option("--force", "replace a bundle that is there");
    declarePluginsAndConfiguration(command);
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    const { slots: slotSpecs, backends: backendSpecs } = await specs(options, context);
    using secrets = new SecretSource(context);
    const kinds = await kindsForCredentials(options, context);
    const backends = [];
    for (const spec of backendSpecs) backends.push(await backendCredential(spec, secrets, kinds));
    if (!options.force && slotSpecs.some(({ fields }) => SecretSource.isAsked(fields))) await requireFree(path);
    const slots: SlotToMake[] = [];
    for (const spec of slotSpecs) slots.push(await slotToMake(spec, secrets));
    const ids = backends.map(({ id }) => id);
    const generated = slots.some(({ phrase }) => phrase !== undefined);
    const created = await createBundle(path, {
      slots,
      backends,
      depositKey: options.depositKey !== undefined,
      force: options.force ?? false,
      signal: context.signal,
      onSealed: async (sealed) => {
        if (!generated) return;
        const phrases: SlotPhrase[] = sealed.slots.flatMap(({ id, label }, index) => {
          const phrase = slots[index]?.phrase;
          return phrase === undefined ? [] : [{ slot: id, label, phrase }];
        });
        if (options.json)
          await context.terminal.outHandedOver(
            toJson(jsonOf({ ...sealed, bundle: typed, backends: ids }, phrases), "line"),
          );
        else await showPhrases(phrases, context);
      },
    });
    if (options.depositKey !== undefined && created.depositRecipient !== undefined) {
      await writePublicFile(resolve(context.cwd, options.depositKey), `${created.depositRecipient}\n`);
    }
    for (const { warning } of backends) if (warning !== undefined) context.terminal.err(`warning: ${warning}`);
    warnUntried(created.untriedSlots, created.slots, context);
    return { ...created, bundle: typed, backends: ids, printed: generated };
  },
  render({ bundle }, { out }) {
    out(`bundle ${bundle} created`);
  },
  json: (report) => (report.printed ? undefined : jsonOf(report, [])),
});

function jsonOf(
  report: CreatedBundle & { readonly bundle: string; readonly backends: readonly string[] },
  phrases: readonly SlotPhrase[],
): unknown {
  const { bundle, bundleId, epoch, slots, backends, untriedSlots, depositRecipient } = report;
  return {
    bundle,
    bundleId,
    epoch,
    slots,
    backends,
    untriedSlots,
    depositRecipient,
    ...(phrases.length > 0 && { phrases }),
  };
}

async function specs(options: CreateOptions, context: CommandContext): Promise<Manifest> {
  const { from, slot = [], backend = [] } = options;
  if (from !== undefined && (slot.length > 0 || backend.length > 0)) {
    throw new CliError("USAGE", "--from cannot be combined with --slot or --backend", { flag: "--from" });
  }
  const given =
    from === undefined
      ? { slots: slot.map(parseSlotSpec), backends: backend.map(parseBackendSpec) }
      : await parseManifest(from, await readDocument(from, "manifest", context.cwd));
  if (given.slots.length === 0) {
    throw new CliError("USAGE", "a bundle needs at least one --slot to be opened by", { flag: "--slot" });
  }
  return given;
}

/** Before somebody types a passphrase for nothing. @throws {@link BundleError} `EXISTS`. */
async function requireFree(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined) throw new BundleError("EXISTS", `${path} exists already`, { path });
}
