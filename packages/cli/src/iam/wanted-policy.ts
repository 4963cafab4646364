import type { Catalog, KeyEntry } from "@basil/catalog";
import { type Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import {
  type AgentSettings,
  declareSettings,
  resolveSettings,
  type SettingsOptions,
} from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { loadCatalog, loadPolicy } from "../documents.js";
import { integer, nonEmpty, repeated } from "../option-values.js";
import { kmsKeys } from "../provision/catalog-keys.js";
import type { IamDocument, IamStatement } from "./iam-document.js";
import { type KeyArnsOptions, keyArns } from "./key-arns.js";
import { type KmsPlace, partitionOf, placeOfKeyArn } from "./kms-place.js";
import { olderVersionRemarks } from "./older-versions.js";
import type { KmsKeyArn } from "./runtime-policy.js";

const IDENTITIES = ["runtime", "provisioner", "rotator"] as const;

/** What the policy of an identity is written from. */
export interface WantedPolicyOptions extends SettingsOptions, KeyArnsOptions {
  readonly identity: (typeof IDENTITIES)[number];
  readonly account?: string;
  readonly style?: "request-alias";
  readonly graceVersions?: number;
}

/** The policy that an identity should have, and the keys it is about. */
export interface WantedPolicy {
  readonly document: IamDocument;
  readonly catalog: Catalog;
  /** Every key on an aws-kms backend. */
  readonly entries: readonly KeyEntry[];
  /** Those whose ARN had to be known. */
  readonly keys: readonly KmsKeyArn[];
  /** What the document leaves out that the deployment may still need. */
  readonly remarks: readonly string[];
}

export function identityOption(): Option {
  return new Option("--identity <name>", "whose policy").choices(IDENTITIES);
}

export function declareWantedPolicy(command: Command, identity: Option): void {
  command.addOption(identity);
  declareSettings(command);
  command
    .option("--arn <key=arn>", "the ARN of a key; may be repeated (default: KMS is asked)", repeated)
    .option("--region <region>", "the region of the keys (environment: AWS_REGION)", nonEmpty)
    .option("--profile <name>", "the AWS profile that asks KMS", nonEmpty)
    .option("--account <id>", "the account of the keys, 12 digits (default: that of the ARNs)", nonEmpty)
    .addOption(new Option("--style <style>", "by the alias a request names").choices(["request-alias"]))
    .option(
      "--grace-versions <count>",
      "how many older versions of a rotated key verify, as the backend's credential says (default: 1)",
      integer(0, 99),
    );
}

/** @throws {@link CliError} `USAGE`, `FILE`, `DOCUMENT_REFUSED`; `FAILED` when the catalog has no such key. */
export async function wantedPolicy(options: WantedPolicyOptions, context: CommandContext): Promise<WantedPolicy> {
  const settings = await resolveSettings(options, context);
  const catalog = await loadCatalog(settings, context.cwd);
  const entries = kmsKeys(catalog, undefined, "--catalog");
  const place = () => placeOf(options, async () => (await keyArns(entries, options, context)).map(({ arn }) => arn));
  const of = (document: IamDocument, keys: readonly KmsKeyArn[] = []) => ({
    document,
    catalog,
    entries,
    keys,
    remarks: olderVersionRemarks(keys),
  });
  if (options.identity !== "runtime") {
    const { provisionerPolicy, rotatorPolicy } = await import("./provisioning-policies.js");
    return of((options.identity === "provisioner" ? provisionerPolicy : rotatorPolicy)(entries, await place()));
  }
  const { leastRuntimePolicy, runtimePolicy, runtimePolicyByAlias } = await import("./runtime-policy.js");
  const actions = await runtimeActions();
  if (options.style === "request-alias") {
    return of(await withBundleSlots(runtimePolicyByAlias(actions, entries, await place()), settings));
  }
  const keys = await keyArns(entries, options, context);
  const document = asked(settings, options, context)
    ? await leastRuntimePolicy(actions, keys, catalog, await loadPolicy(settings, context.cwd), options.graceVersions)
    : await runtimePolicy(actions, keys, options.graceVersions);
  return of(await withBundleSlots(document, settings), keys);
}

/** A policy that the configuration happens to name is not meant; one that was asked for is. */
function asked(settings: AgentSettings, options: WantedPolicyOptions, { env }: CommandContext): boolean {
  return settings.policy !== undefined && (options.policy !== undefined || Boolean(env.BASIL_POLICY));
}

async function runtimeActions(): Promise<readonly string[]> {
  const { loadPlugin } = await import("../backend-kinds.js");
  await loadPlugin("aws-kms");
  const { awsKmsPermissions } = await import("@basil/backend-aws-kms");
  return awsKmsPermissions.runtime.map(({ action }) => action);
}

async function placeOf(
  { region, account }: WantedPolicyOptions,
  arns: () => Promise<readonly string[]>,
): Promise<KmsPlace> {
  if (region !== undefined && account !== undefined) {
    if (!/^\d{12}$/.test(account)) {
      throw new CliError("USAGE", `--account is ${JSON.stringify(account)}; allowed: 12 digits`, { flag: "--account" });
    }
    return { partition: partitionOf(region), region, account };
  }
  return placeOfKeyArn((await arns())[0] ?? "", "--arn");
}

/** A bundle that opens with a KMS key needs that key, too. */
async function withBundleSlots(document: IamDocument, { bundle }: AgentSettings): Promise<IamDocument> {
  if (bundle === undefined) return document;
  const { inspectBundle, isBundleError } = await import("@basil/bundle");
  const summary = await inspectBundle(bundle).catch(async (error: unknown) => {
    if (!isBundleError(error)) throw error;
    throw (await import("../bundle/bundle-failure.js")).toCliError(error);
  });
  const keys = summary.slots.flatMap(({ method, parameters }) =>
    method === "aws-kms" && parameters.key ? [parameters.key] : [],
  );
  if (keys.length === 0) return document;
  const unlock: IamStatement = { Sid: "BasilUnlockBundle", Effect: "Allow", Action: "kms:Decrypt", Resource: keys };
  return { ...document, Statement: [...document.Statement, unlock] };
}
