import { resolve } from "node:path";
import {
  type BundleSummary,
  type DepositReview,
  exportSlot,
  inspectBundle,
  isBundleError,
  openBundle,
} from "@basil/bundle";
import { CliError } from "../cli-error.js";
import { integer, nonEmpty } from "../option-values.js";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions } from "./open-options.js";
import { writePublicFile } from "./public-file.js";
import { reviewLine } from "./review-line.js";
import { SecretSource } from "./secret-source.js";

interface ShowOptions extends OpenOptions {
  readonly slot?: number;
  readonly export?: string;
}

interface ShowReport extends Omit<BundleSummary, "warnings"> {
  readonly bundle: string;
  /** Only when the bundle was opened. */
  readonly backends?: readonly { readonly id: string; readonly kind: string }[];
  readonly openedBy?: number;
  readonly review?: readonly DepositReview[];
  /** Only when a slot was exported. */
  readonly exported?: { readonly slot: number; readonly file: string };
}

export const show = defineBundleCommand<ShowOptions, ShowReport>({
  name: "show",
  summary: "list what a bundle holds; without --open only what needs no secret",
  examples: [
    "basil bundle show creds.sealed",
    "basil bundle show creds.sealed --open passphrase:file=/run/basil/pass",
    "basil bundle show creds.sealed --slot 0 --export slot.age",
  ],
  declare(command) {
    declareOpen(declareBundle(command), "optional")
      .option("--slot <id>", "the slot to export", integer(0, 0xffff_ffff))
      .option("--export <file>", "write the slot as an age file, which the age program opens", nonEmpty);
    declareAcceptRollback(command);
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    const { slot, export: exportTo } = options;
    if ((slot === undefined) !== (exportTo === undefined)) {
      throw new CliError("USAGE", "--slot ID and --export FILE belong together", {
        flag: slot === undefined ? "--slot" : "--export",
      });
    }
    const { warnings, ...summary } = await inspectBundle(path);
    const warn = (told?: string) => {
      for (const warning of warnings) if (warning !== told) context.terminal.err(`warning: ${warning}`);
    };
    if (options.open === undefined || slot !== undefined) warn();
    if (slot !== undefined && exportTo !== undefined) {
      await writePublicFile(resolve(context.cwd, exportTo), await exportSlot(path, slot), 0o600);
      return { bundle: typed, ...summary, exported: { slot, file: exportTo } };
    }
    if (options.open === undefined) return { bundle: typed, ...summary };
    using secrets = new SecretSource(context);
    using opened = await openBundle(path, {
      ...(await openOptions(options, path, context, secrets)),
      deposits: "review",
    }).catch((error: unknown) => {
      // An older copy is one of the warnings, and here the failure.
      warn(isBundleError(error) ? error.message : undefined);
      throw error;
    });
    warn();
    const backends = [...opened.backends].map(([id, { kind }]) => ({ id, kind }));
    return { bundle: typed, ...summary, openedBy: opened.slot.id, backends, review: opened.deposits };
  },
  render(report, { out }) {
    if (report.exported !== undefined) {
      out(`slot ${report.exported.slot} of ${report.bundle} written to ${report.exported.file}`);
      return;
    }
    out(`bundle: ${report.bundle}`);
    out(`epoch: ${report.epoch}`);
    out(`slots: ${report.slots.length}`);
    out(`deposits: ${report.review?.length ?? report.deposits.length}`);
    for (const { id, method, label } of report.slots) out(`slot ${id}: method=${method}, label=${label}`);
    if (report.backends === undefined) {
      for (const { backend, contributor, epoch, sequence } of report.deposits) {
        out(`deposit: backend=${backend}, contributor=${contributor}, epoch=${epoch}, seq=${sequence}`);
      }
      return;
    }
    out(`backends: ${report.backends.length}`);
    for (const { id, kind } of report.backends) out(`backend ${id}: kind=${kind}`);
    for (const item of report.review ?? []) out(reviewLine(item));
  },
});
