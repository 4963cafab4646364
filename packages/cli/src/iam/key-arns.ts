import { randomUUID } from "node:crypto";
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

/** The ARN of every key: as given, else as DescribeKey tells it to the identity that runs this. @throws {@link CliError} */
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
  const found = open.length === 0 ? new Map<string, FoundKey>() : await describe(open, options, context);
  return keys.map((key) => {
    const arn = given.get(key.name);
    return arn === undefined ? { key, arn: "", ...found.get(key.name) } : { key, arn };
  });
}

interface FoundKey {
  readonly arn: string;
  readonly version?: number;
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
): Promise<Map<string, FoundKey>> {
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
  const plugin = await loadPlugin("aws-kms");
  const credential = plugin.credentialSchema.parse({ region, ...(profile !== undefined && { profile }) });
  await using backend = await plugin.open(credential, { id: "kms" });
  const arns = new Map<string, FoundKey>();
  for (const key of keys) {
    const probe = await backend
      .probe(keyRef(key), { signal, requestId: `iam:${randomUUID()}` })
      .catch((error: unknown) => {
        if (!isBackendError(error)) throw error;
        const given = `give it with --arn ${key.name}=ARN`;
        throw readFailure(error, { again: `run it again, or ${given}`, otherwise: given });
      });
    if (probe.state === "absent" || probe.resource === undefined) {
      throw new CliError(
        "FAILED",
        `key "${key.name}" is not at ${key.path}`,
        {},
        { remedy: `create it, or give --arn ${key.name}=ARN` },
      );
    }
    arns.set(key.name, {
      arn: probe.resource,
      ...(probe.state === "present" && { version: probe.latestVersion }),
    });
  }
  return arns;
}
