import { addSlot as addSlotTo, inspectBundle, parseSlotSpec } from "@basil/bundle";
import { toJson } from "../command.js";
import { nonEmpty } from "../option-values.js";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions, warnUntried } from "./open-options.js";
import { showPhrases } from "./phrase-output.js";
import { SecretSource } from "./secret-source.js";
import { slotToMake } from "./slot-providers.js";

interface AddSlotOptions extends OpenOptions {
  readonly slot: string;
  readonly json?: boolean;
}

interface AddSlotReport {
  readonly bundle: string;
  readonly slot: { readonly id: number; readonly method: string; readonly label: string };
  readonly epoch: number;
  readonly printed: boolean;
}

export const addSlot = defineBundleCommand<AddSlotOptions, AddSlotReport>({
  name: "add-slot",
  summary: "add a way to unlock a bundle",
  examples: [
    "basil bundle add-slot creds.sealed --slot bip39 --open passphrase:file=/run/basil/pass",
    "basil bundle add-slot creds.sealed --slot age:recipient=age1… --open passphrase:prompt=true",
  ],
  declare(command) {
    declareBundle(command).requiredOption("--slot <spec>", "the way to unlock, e.g. passphrase:file=FILE", nonEmpty);
    declareAcceptRollback(declareOpen(command, "required"));
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    const spec = parseSlotSpec(options.slot);
    using secrets = new SecretSource(context);
    // Read before anything is asked for, so that a wrong path costs no typing.
    await inspectBundle(path);
    const opening = await openOptions(options, path, context, secrets);
    const slot = await slotToMake(spec, secrets);
    const { phrase } = slot;
    const changed = await addSlotTo(path, slot, {
      ...opening,
      onSealed: async ({ result, epoch }) => {
        if (phrase === undefined) return;
        const shown = { slot: result.id, label: result.label, phrase };
        if (options.json) {
          await context.terminal.outHandedOver(
            toJson({ bundle: typed, slot: result, epoch, phrases: [shown] }, "line"),
          );
        } else await showPhrases([shown], context);
      },
    });
    warnUntried(changed.untriedSlots, [changed.result], context);
    return { bundle: typed, slot: changed.result, epoch: changed.epoch, printed: phrase !== undefined };
  },
  render({ bundle, slot }, { out }) {
    out(`slot ${slot.id} (${slot.method}) added to ${bundle}`);
  },
  json: ({ printed, ...report }) => (printed ? undefined : report),
});
