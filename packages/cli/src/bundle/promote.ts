import { type DepositReview, promoteDeposits } from "@basil/bundle";
import { counted } from "../counted.js";
import { repeated } from "../option-values.js";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions } from "./open-options.js";
import { reviewLine } from "./review-line.js";
import { SecretSource } from "./secret-source.js";

interface PromoteOptions extends OpenOptions {
  readonly backend?: readonly string[];
  readonly contributor?: readonly string[];
  readonly dryRun?: boolean;
  readonly prune?: boolean;
}

interface PromoteReport {
  readonly bundle: string;
  readonly dryRun: boolean;
  readonly epoch: number;
  readonly review: readonly DepositReview[];
  readonly promoted: readonly string[];
  readonly removed: readonly string[];
}

export const promote = defineBundleCommand<PromoteOptions, PromoteReport>({
  name: "promote",
  summary: "seal effective deposits into the bundle and remove their records",
  examples: [
    "basil bundle promote creds.sealed --dry-run --open passphrase:file=/run/basil/pass",
    "basil bundle promote creds.sealed --backend kms --open passphrase:file=/run/basil/pass",
  ],
  declare(command) {
    declareOpen(declareBundle(command), "required")
      .option("--dry-run", "print the review and change nothing")
      .option("--backend <id>", "only this backend; may be repeated", repeated)
      .option("--contributor <id>", "only this contributor; may be repeated", repeated)
      .option("--prune", "also remove records that can never become effective");
    declareAcceptRollback(command);
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    const { backend: backends = [], contributor: contributors = [], dryRun = false, prune = false } = options;
    using secrets = new SecretSource(context);
    const opening = await openOptions(options, path, context, secrets);
    const { result, epoch } = await promoteDeposits(path, { ...opening, backends, contributors, dryRun, prune });
    return { bundle: typed, dryRun, epoch, ...result };
  },
  render({ bundle, dryRun, review, promoted }, { out }) {
    for (const item of review) out(reviewLine(item));
    if (dryRun) return;
    const which = promoted.length > 0 ? `: ${promoted.join(", ")}` : "";
    out(`${counted(promoted.length, "deposit")} promoted into ${bundle}${which}`);
  },
});
