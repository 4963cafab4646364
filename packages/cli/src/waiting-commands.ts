import type { Command } from "commander";
import { CliError } from "./cli-error.js";

interface Waiting {
  /** What this build lacks. */
  readonly lacks: string;
  /** What to do meanwhile. */
  readonly remedy: string;
}

const NO_IMPORT: Waiting = {
  lacks: "no backend here takes a private key",
  remedy: "make the key where it is to stay, with 'basil new-key' or 'basil provision'",
};
const NO_NATS: Waiting = {
  lacks: "the broker has no NATS methods",
  remedy: "make it with the nsc program of NATS; 'basil mint-jwt' makes plain JWTs",
};

/** Commands of Basil 0.7.1 whose methods the broker does not build. They are known, take what they took, and say so. */
const WAITING: Readonly<Record<string, Waiting>> = {
  import: NO_IMPORT,
  "import-set": NO_IMPORT,
  "mint-nats-user": NO_NATS,
  "sign-nats-jwt": NO_NATS,
  "issue-nats-creds": NO_NATS,
  "issue-cert": {
    lacks: "no backend here issues certificates",
    remedy: "ask your certificate authority; 'basil sign' signs what it gives you to sign",
  },
};

/** Declares them, out of the list of commands and named below it. */
export function declareWaiting(program: Command): void {
  for (const [name, { lacks, remedy }] of Object.entries(WAITING)) {
    program
      .command(name, { hidden: true })
      .description(`not part of this build: ${lacks}`)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        throw new CliError(
          "UNSUPPORTED",
          `basil ${name} is not part of this build: ${lacks}`,
          { feature: name },
          { remedy },
        );
      });
  }
  program.addHelpText("after", `\nNot part of this build, and say so: ${Object.keys(WAITING).join(", ")}.`);
}
