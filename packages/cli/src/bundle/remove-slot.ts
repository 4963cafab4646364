import { removeSlot as removeSlotFrom } from "@basil/bundle";
import { integer } from "../option-values.js";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions } from "./open-options.js";
import { SecretSource } from "./secret-source.js";

interface RemoveSlotOptions extends OpenOptions {
  readonly slot: number;
}

export const removeSlot = defineBundleCommand<
  RemoveSlotOptions,
  { bundle: string; slot: { id: number; method: string; label: string }; epoch: number }
>({
  name: "remove-slot",
  summary: "take a way to unlock out of a bundle; follow it with rekey when its secret is lost",
  examples: ["basil bundle remove-slot creds.sealed --slot 1 --open passphrase:file=/run/basil/pass"],
  declare(command) {
    declareBundle(command).requiredOption("--slot <id>", "the slot, as show lists it", integer(0, 0xffff_ffff));
    declareAcceptRollback(declareOpen(command, "required"));
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    using secrets = new SecretSource(context);
    const { result, epoch } = await removeSlotFrom(
      path,
      options.slot,
      await openOptions(options, path, context, secrets),
    );
    return { bundle: typed, slot: result, epoch };
  },
  render({ bundle, slot }, { out }) {
    out(`slot ${slot.id} (${slot.method}) removed from ${bundle}`);
  },
});
