import { resolve } from "node:path";
import type { AwsKmsOptions } from "@basil/backend-aws-kms";
import type { Catalog } from "@basil/catalog";
import type { BackendLogger } from "@basil/core";
import { loadPlugin } from "../backend-kinds.js";
import { toCliError } from "../bundle/bundle-failure.js";
import { CliError } from "../cli-error.js";
import { type AgentSettings, requiredPath } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import type { KmsFlags } from "./kms-flags.js";
import { kmsRegion } from "./kms-region.js";

/** What the operator's files say without the bundle being opened. */
export interface KmsDeployment {
  readonly settings: AgentSettings;
  readonly catalog: Catalog;
}

/** @throws {@link CliError} `USAGE` for flags that do not fit, and when the region is not known; `PACKAGE_MISSING`. */
export async function kmsOptions(
  id: string,
  flags: KmsFlags,
  deployment: KmsDeployment,
  context: CommandContext,
): Promise<AwsKmsOptions> {
  const { credentialSchema } = await loadPlugin("aws-kms");
  const { awsKmsOptionsOf, awsKmsCredentialSchema } = await import("@basil/backend-aws-kms");
  const spec = await specOf(id, flags.backend ?? []);
  const fields: Record<string, string> = spec ?? fieldsOf(id, flags, deployment, context);
  fields.journal ??= resolve(context.cwd, flags.journal ?? `${requiredPath(deployment.settings, "catalog")}.journal`);
  const parsed = credentialSchema.safeParse(fields);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") || "fields";
    const flag = spec === undefined && field !== "fields" ? `--${field}` : "--backend";
    const value = JSON.stringify(fields[field]);
    const message = issue?.message ?? "";
    const found =
      value === undefined || message.includes(value) ? "" : `${value}${/^[A-Z]/.test(message) ? ": " : " "}`;
    const at = flag === "--backend" ? `${flag}: ${field}` : flag;
    throw new CliError("USAGE", `${at}: ${found}${message}`, { flag });
  }
  return { id, ...awsKmsOptionsOf(awsKmsCredentialSchema.parse(fields)), logger: warningsTo(context) };
}

async function specOf(id: string, specs: readonly string[]): Promise<Record<string, string> | undefined> {
  if (specs.length === 0) return undefined;
  const { isBundleError, parseBackendSpec } = await import("@basil/bundle");
  try {
    const parsed = specs.map(parseBackendSpec);
    const other = parsed.find(({ type }) => type !== "aws-kms");
    if (other !== undefined) {
      const message = `--backend: type is ${JSON.stringify(other.type)}; allowed: aws-kms`;
      throw new CliError("USAGE", message, { flag: "--backend" });
    }
    const spec = parsed.find((each) => each.id === id);
    if (spec !== undefined) return Object.fromEntries(spec.fields);
  } catch (error) {
    throw isBundleError(error) ? toCliError(error) : error;
  }
  throw new CliError("USAGE", `no --backend has id=${id}, the catalog's name of the backend`, { flag: "--backend" });
}

function fieldsOf(
  id: string,
  { region, profile }: KmsFlags,
  deployment: KmsDeployment,
  { env }: CommandContext,
): Record<string, string> {
  return { region: kmsRegion(id, { flag: region, env, ...deployment }), ...(profile !== undefined && { profile }) };
}

/** What the backend has to say to an operator, as lines. */
function warningsTo({ terminal: { err, errColors } }: CommandContext): BackendLogger {
  const line = (fields: Readonly<Record<string, unknown>>, message: string): void => {
    const named = Object.entries(fields).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    err(`${errColors.yellow("warning:")} ${message}: ${named.join(", ")}`);
  };
  return { info: () => {}, warn: line, error: line };
}
