import type { AnyBundleError, BundleErrorCode } from "@basil/bundle";
import { CliError } from "../cli-error.js";

const REMEDIES: Readonly<Record<Exclude<BundleErrorCode, "SPEC_SYNTAX">, string>> = {
  NOT_A_BUNDLE: "check the path; 'basil bundle create' makes a bundle",
  UNSUPPORTED_VERSION: "open it with a newer version of this program",
  DAMAGED: "restore the file from a copy, together with its .epoch file",
  MALFORMED: "restore the file from a copy, together with its .epoch file",
  AUTHENTICATION: "do not use this file: restore it from a copy you trust and find out who changed it",
  WRONG_SECRET: "check which passphrase, phrase or identity belongs to this bundle",
  NO_SLOT_OPENED:
    "give what opens one of the kinds named above, by --open or [unlock]; 'basil bundle show' lists the slots",
  SLOT_UNSUPPORTED: "use another kind of slot: passphrase, bip39, age, age-yubikey, aws-kms",
  ROLLED_BACK: "restore the newest copy; to take this one, change it by a bundle command with --accept-rollback",
  SIDECAR_INVALID: "write the epoch that 'basil bundle show' prints into it, or remove it",
  BAD_MODE: "chmod 0600 it, and consider what it holds as read by others",
  BAD_OWNER: "run the command as the user it belongs to, or chown it",
  NOT_A_PLAIN_FILE: "name the file itself",
  EXISTS: "choose another path, or replace it with --force",
  LAST_SLOT: "add another slot first",
  REKEY_INCOMPLETE: "give --open or --slot for them, or leave them out with --drop-slot N",
  DEPOSITS_LEFT: "allow their contributors again, or drop all deposits with --discard-deposits",
  NO_DEPOSIT_KEY: "make one: 'basil bundle deposit-key'",
  BACKEND_TAKEN: "take it from that contributor first: 'basil bundle disallow'",
  SLOT_UNAVAILABLE: "put right what is named above, or give --open for another slot",
  COST_TOO_HIGH: "do not use this file: no version of this program writes such a slot",
  SECRET_INVALID: "give the secret whole, as it was made",
  NOT_FOUND: "check the path",
  LOCKED: "wait until the other command has ended, and run it again",
  IO: "check the path, its permissions and the disk; the old content is intact",
  LIMIT: "check the path, or give less of what is named above; nothing was changed",
  SLOT_NOT_FOUND: "'basil bundle show' lists the slots; nothing was changed",
  BACKEND_NOT_FOUND: "'basil bundle show --open SPEC' lists the backends; nothing was changed",
  CREDENTIAL_INVALID: "correct the fields named above; nothing was changed",
  CONTRIBUTOR_NOT_FOUND: "give the id that 'basil bundle allow' was given; nothing was changed",
  KEY_INVALID: "give the key as the command that made it printed it; nothing was changed",
  DEPOSIT_NOT_FOUND: "'basil bundle show' lists the deposits; nothing was changed",
  SPEC_INVALID: "correct the field named above; nothing was changed",
};

/** One sentence, the stable code in brackets, and what to do. A broken spec is a usage error, everything else a refusal. */
export function toCliError(error: AnyBundleError): CliError {
  const message = `${error.message} [${error.code}]`;
  if (error.code === "SPEC_SYNTAX") {
    return new CliError("USAGE", message, { flag: error.details.flag }, { cause: error });
  }
  const options = { cause: error, remedy: REMEDIES[error.code] };
  if (error.code === "SPEC_INVALID" && error.details.missing) {
    return new CliError("USAGE", message, { flag: error.details.flag }, options);
  }
  switch (error.code) {
    case "SLOT_UNSUPPORTED":
      return new CliError("UNSUPPORTED", message, { feature: error.details.kind }, options);
    default:
      return new CliError("FAILED", message, { reason: error.code }, options);
  }
}
