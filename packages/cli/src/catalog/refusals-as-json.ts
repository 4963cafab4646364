import { CatalogError, type Refusal } from "@basil/catalog";
import { PolicyError } from "@basil/policy";
import { CliError } from "../cli-error.js";
import { toJson } from "../command.js";
import type { CommandContext } from "../context.js";
import type { DocumentOptions } from "./document-options.js";

/** What a command that judges documents prints with `--json` when one of them is refused. */
export interface RefusalsReport {
  readonly ok: false;
  /** The file, as an absolute path. */
  readonly document: string;
  readonly refusals: readonly Refusal[];
  /** True when there may be more refusals than are listed. */
  readonly truncated: boolean;
}

/**
 * Runs `load`. When it refuses a document and `--json` is given, the refusals go to standard output as data; the failure
 * is thrown on, so that they are told on standard error as well.
 */
export async function refusalsAsJson<T>(
  options: DocumentOptions,
  { terminal }: CommandContext,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const report = refusalsReport(error);
    if (options.json && report !== undefined) terminal.out(toJson(report, "document"));
    throw error;
  }
}

function refusalsReport(error: unknown): RefusalsReport | undefined {
  if (!(error instanceof CliError) || !("problems" in error.details)) return undefined;
  const { cause } = error;
  if (!(cause instanceof CatalogError || cause instanceof PolicyError)) return undefined;
  const { refusals, truncated } = cause.details as Pick<RefusalsReport, "refusals" | "truncated">;
  return { ok: false, document: error.details.path, refusals, truncated };
}
