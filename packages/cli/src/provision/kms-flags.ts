import type { Command } from "commander";
import { nonEmpty, repeated } from "../option-values.js";

/** Where KMS is and as whom it is called. The sealed bundle is not opened: it is the daemon's, and so is its identity. */
export interface KmsFlags {
  readonly backend?: readonly string[];
  readonly region?: string;
  readonly profile?: string;
  readonly journal?: string;
}

export function declareKms(command: Command): void {
  command
    .option(
      "--region <region>",
      "the region of the keys (environment: AWS_REGION; default: that of their ARNs in the catalog)",
      nonEmpty,
    )
    .option("--profile <name>", "the AWS profile of this job (default: the SDK's chain)", nonEmpty)
    .option(
      "--backend <spec>",
      "id=ID,type=aws-kms,… in place of these flags, as 'basil bundle set-backend' takes it; may be repeated",
      repeated,
    );
}

/** For jobs that create keys. */
export function declareJournal(command: Command): void {
  command.option("--journal <file>", "remembers keys that have no alias yet (default: CATALOG.journal)", nonEmpty);
}
