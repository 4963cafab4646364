import { openBundle } from "@basil/bundle";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions } from "./open-options.js";
import { SecretSource } from "./secret-source.js";

interface VerifyOptions extends OpenOptions {
  readonly strictPerms?: boolean;
}

interface VerifyReport {
  readonly bundle: string;
  readonly bundleId: string;
  readonly epoch: number;
  readonly openedBy: { readonly id: number; readonly method: string; readonly label: string };
  readonly backends: number;
  readonly deposits: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

export const verify = defineBundleCommand<VerifyOptions, VerifyReport>({
  name: "verify",
  summary: "check that a bundle opens, is whole and is not an older copy; changes nothing",
  examples: ["basil bundle verify creds.sealed --open passphrase:file=/run/basil/pass"],
  declare(command) {
    declareOpen(declareBundle(command), "required").option(
      "--strict-perms",
      "refuse a file that group or others have access to, as the agent does with strict-bundle-perms",
    );
    declareAcceptRollback(command);
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    using secrets = new SecretSource(context);
    using opened = await openBundle(path, {
      ...(await openOptions(options, path, context, secrets)),
      looseMode: options.strictPerms === true ? "refuse" : "warn",
      deposits: "review",
    });
    for (const warning of opened.warnings) context.terminal.err(`warning: ${warning}`);
    const deposits: Record<string, number> = {};
    for (const { status } of opened.deposits) deposits[status] = (deposits[status] ?? 0) + 1;
    const { bundleId, epoch, slot, backends, warnings } = opened;
    return { bundle: typed, bundleId, epoch, openedBy: slot, backends: backends.size, deposits, warnings };
  },
  render({ bundle, epoch, openedBy }, { out }) {
    out(`bundle ${bundle} verified: epoch ${epoch}, opened by slot ${openedBy.id} (${openedBy.method})`);
  },
});
