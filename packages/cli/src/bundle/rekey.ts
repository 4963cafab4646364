import { type AnySlotProvider, parseSlotSpec, type Rekeyed, rekey as rekeyIn } from "@basil/bundle";
import { CliError } from "../cli-error.js";
import { counted } from "../counted.js";
import { integer, repeated } from "../option-values.js";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions, warnUntried } from "./open-options.js";
import { SecretSource } from "./secret-source.js";
import { providerToRewrap, slotToMake } from "./slot-providers.js";

interface RekeyOptions extends OpenOptions {
  readonly slot?: readonly string[];
  readonly dropSlot?: readonly number[];
  readonly discardDeposits?: boolean;
}

const slotId = integer(0, 0xffff_ffff);

export const rekey = defineBundleCommand<
  RekeyOptions,
  Omit<Rekeyed, "recipient"> & { bundle: string; epoch: number; recipient: string | null }
>({
  name: "rekey",
  summary:
    "replace the master key and the deposit key, so that removed slots and old copies open nothing written from now on",
  examples: [
    "basil bundle rekey creds.sealed --open passphrase:file=/run/basil/pass --slot bip39:prompt=true",
    "basil bundle rekey creds.sealed --open passphrase:file=/run/basil/pass --drop-slot 1",
  ],
  declare(command) {
    declareOpen(declareBundle(command), "required")
      .option("--slot <spec>", "the secret of a further passphrase or bip39 slot; may be repeated", repeated)
      .option("--drop-slot <id>", "leave a slot out; may be repeated", (value: string, before?: number[]) => [
        ...(before ?? []),
        slotId(value),
      ])
      .option("--discard-deposits", "list and drop the deposits beside the bundle (default: promote them)");
    declareAcceptRollback(command);
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    const specs = (options.slot ?? []).map(parseSlotSpec);
    using secrets = new SecretSource(context);
    const opening = await openOptions(options, path, context, secrets);
    const slots: AnySlotProvider[] = [];
    for (const spec of specs) {
      const { provider, phrase } = await slotToMake(spec, secrets);
      if (phrase !== undefined) {
        throw new CliError(
          "USAGE",
          "rekey keeps a phrase and makes none: name where it is, e.g. --slot bip39:file=FILE",
          {
            flag: "--slot",
          },
        );
      }
      slots.push(provider);
    }
    const changed = await rekeyIn(path, {
      ...opening,
      slots,
      dropSlots: options.dropSlot ?? [],
      discardDeposits: options.discardDeposits === true,
      providerFor: ({ method, parameters }) => providerToRewrap(method, parameters),
    });
    warnUntried(changed.untriedSlots, changed.result.slots, context);
    const { recipient = null, ...rekeyed } = changed.result;
    return { bundle: typed, epoch: changed.epoch, ...rekeyed, recipient };
  },
  render({ bundle, slots, recipient, contributors, promoted, removed }, { out }) {
    out(`bundle ${bundle} has a new master key, wrapped for ${counted(slots.length, "slot")}`);
    for (const backend of promoted) out(`promoted the deposit for ${backend}`);
    for (const file of removed) out(`removed deposit ${file}`);
    if (recipient === null) return;
    out(`new deposit recipient: ${recipient}`);
    for (const id of contributors) out(`contributor ${id} needs the new recipient`);
  },
});
