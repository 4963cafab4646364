import { randomUUID } from "node:crypto";
import type { KmsKeyListing } from "@basil/backend-aws-kms";
import type { KeyEntry } from "@basil/catalog";
import { loadPlugin } from "../backend-kinds.js";
import { CliError } from "../cli-error.js";
import type { CommandContext } from "../context.js";
import { readFailure } from "../provision/backend-failure.js";
import { placeOfKeyArn } from "./kms-place.js";
import type { KmsKeyArn } from "./runtime-policy.js";

export interface KeyArnsOptions {
  /** `KEY=ARN`, as typed. */
  readonly arn?: readonly string[];
  readonly region?: string;
  readonly profile?: string;
}

/**
 * The ARN of every key: as given, else as DescribeKey tells it to the identity that runs this, and then of its other
 * versions, too.
 *
 * @throws {@link CliError}
 */
export async function keyArns(
  keys: readonly KeyEntry[],
  options: KeyArnsOptions,
  context: CommandContext,
): Promise<KmsKeyArn[]> {
  const given = new Map((options.arn ?? []).map(splitArn));
  const unknown = [...given.keys()].find((name) => !keys.some((key) => key.name === name));
  if (unknown !== undefined) {
    throw new CliError(
      "USAGE",
      `--arn names ${JSON.stringify(unknown)}, which is no key of an aws-kms backend`,
      { flag: "--arn" },
      {
        remedy: `keys: ${keys.map(({ name }) => name).join(", ")}`,
      },
    );
  }
  const open = keys.filter(({ name }) => !given.has(name));
  const found = open.length === 0 ? new Map<string, KmsKeyArn>() : await describe(open, options, context);
  return keys.map((key) => found.get(key.name) ?? { key, arn: given.get(key.name) ?? "" });
}

function splitArn(text: string): [name: string, arn: string] {
  const equals = text.indexOf("=");
  const [name, arn] = [text.slice(0, Math.max(equals, 0)), text.slice(equals + 1)];
  if (name === "") throw new CliError("USAGE", `--arn: ${JSON.stringify(text)} is not KEY=ARN`, { flag: "--arn" });
  placeOfKeyArn(arn, "--arn");
  return [name, arn];
}

async function describe(
  keys: readonly KeyEntry[],
  options: KeyArnsOptions,
  { env, signal }: CommandContext,
): Promise<Map<string, KmsKeyArn>> {
  const { profile } = options;
  const region = options.region ?? (env.AWS_REGION || undefined);
  if (region === undefined) {
    const names = keys.map(({ name }) => name).join(", ");
    throw new CliError(
      "USAGE",
      `the ARNs of ${names} are not known`,
      { flag: "--arn" },
      {
        remedy: "give each with --arn KEY=ARN, or --region REGION to ask KMS for them",
      },
    );
  }
  const { isBackendError, keyRef } = await import("@basil/core");
  await loadPlugin("aws-kms");
  const { awsKmsCredentialSchema, awsKmsOptionsOf, listAwsKmsKeys } = await import("@basil/backend-aws-kms");
  const credential = awsKmsCredentialSchema.parse({ region, ...(profile !== undefined && { profile }) });
  const kms = { id: "kms", ...awsKmsOptionsOf(credential) };
  const call = { signal, requestId: `iam:${randomUUID()}` };
  const listing = await listAwsKmsKeys(kms, keys.map(keyRef), call, { allAliases: false }).catch((error: unknown) => {
    if (!isBackendError(error)) throw error;
    const given = "give each with --arn KEY=ARN";
    throw readFailure(error, { again: `run it again, or ${given}`, otherwise: given });
  });
  return new Map(keys.map((key, at) => [key.name, arnsOf(key, listing.keys[at])]));
}

/** @throws {@link CliError} `FAILED` when there is no such key, or nothing can be learnt of it. */
export function arnsOf(key: KeyEntry, listed: KmsKeyListing | undefined): KmsKeyArn {
  if (listed === undefined || listed.outcome === "absent") {
    throw new CliError(
      "FAILED",
      `key "${key.name}" is not at ${key.path}`,
      {},
      { remedy: `create it, or give --arn ${key.name}=ARN` },
    );
  }
  const { outcome, reason = "", path, versions, hidden } = listed;
  if (outcome === "denied") {
    const remedy = `give it with --arn ${key.name}=ARN`;
    throw new CliError("FAILED", reason, { reason: "ACCESS_DENIED" }, { remedy });
  }
  const inUse = versions.find(({ current }) => current);
  const arn = inUse?.arn ?? path;
  const numbered = versions.flatMap(({ version, arn }) => (version === undefined ? [] : [{ version, arn }]));
  return {
    key,
    arn,
    // A key that is none of its versions counts as the newest of them, as it does for the backend.
    version: inUse?.version ?? numbered.at(-1)?.version ?? 1,
    others: numbered.filter((one) => one.arn !== arn),
    hidden,
  };
}
