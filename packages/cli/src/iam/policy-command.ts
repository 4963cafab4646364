import { Option } from "commander";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import {
  type AgentSettings,
  declareSettings,
  resolveSettings,
  type SettingsOptions,
} from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { loadCatalog, loadPolicy } from "../documents.js";
import { nonEmpty } from "../option-values.js";
import type { IamDocument, IamStatement } from "./iam-document.js";
import { type KeyArnsOptions, keyArns } from "./key-arns.js";
import { type KmsPlace, partitionOf, placeOfKeyArn } from "./kms-place.js";

const IDENTITIES = ["runtime", "provisioner", "rotator"] as const;

interface PolicyOptions extends SettingsOptions, KeyArnsOptions {
  readonly identity: (typeof IDENTITIES)[number];
  readonly account?: string;
  readonly style?: "request-alias";
}

export const policy = defineCommand<PolicyOptions, IamDocument>({
  name: "policy",
  summary: "write the IAM policy of an identity; with --policy only what its rules let somebody do",
  examples: [
    "basil iam policy --identity runtime --catalog catalog.json --region us-east-1",
    "basil iam policy --identity runtime --catalog catalog.json --policy policy.json --arn jwt.signing.primary=arn:aws:kms:…",
    "basil iam policy --identity provisioner --catalog catalog.json --region us-east-1 --account 111122223333",
  ],
  declare(command) {
    command.addOption(new Option("--identity <name>", "whose policy").choices(IDENTITIES).makeOptionMandatory());
    declareSettings(command);
    command
      .option("--arn <key=arn>", "the ARN of a key; may be repeated (default: KMS is asked)", repeated)
      .option("--region <region>", "the region of the keys", nonEmpty)
      .option("--profile <name>", "the AWS profile that asks KMS", nonEmpty)
      .option("--account <id>", "the account of the keys, 12 digits (default: that of the ARNs)", nonEmpty)
      .addOption(new Option("--style <style>", "by the alias a request names").choices(["request-alias"]));
  },
  async run({ options }, context) {
    const settings = await resolveSettings(options, context);
    const catalog = await loadCatalog(settings, context.cwd);
    const keys = [...catalog.keys.values()].filter(({ backend }) => catalog.backends.get(backend)?.kind === "aws-kms");
    if (keys.length === 0) {
      throw new CliError(
        "FAILED",
        "the catalog has no key on an aws-kms backend",
        {},
        { remedy: "name the catalog of the deployment with --catalog" },
      );
    }
    const place = () => placeOf(options, async () => (await keyArns(keys, options, context)).map(({ arn }) => arn));
    if (options.identity !== "runtime") {
      const { provisionerPolicy, rotatorPolicy } = await import("./provisioning-policies.js");
      return (options.identity === "provisioner" ? provisionerPolicy : rotatorPolicy)(keys, await place());
    }
    const { leastRuntimePolicy, runtimePolicy, runtimePolicyByAlias } = await import("./runtime-policy.js");
    const actions = await runtimeActions();
    if (options.style === "request-alias") return runtimePolicyByAlias(actions, keys, await place());
    const arns = await keyArns(keys, options, context);
    const document = asked(settings, options, context)
      ? await leastRuntimePolicy(actions, arns, catalog, await loadPolicy(settings, context.cwd))
      : runtimePolicy(actions, arns);
    return withBundleSlots(document, settings);
  },
  render(document, { out }) {
    out(JSON.stringify(document, null, 2));
  },
  jsonStyle: "document",
});

/** A policy that the configuration happens to name is not meant; one that was asked for is. */
function asked(settings: AgentSettings, options: PolicyOptions, { env }: CommandContext): boolean {
  return settings.policy !== undefined && (options.policy !== undefined || Boolean(env.BASIL_POLICY));
}

async function runtimeActions(): Promise<readonly string[]> {
  const { loadPlugin } = await import("../backend-kinds.js");
  await loadPlugin("aws-kms");
  const { awsKmsPermissions } = await import("@basil/backend-aws-kms");
  return awsKmsPermissions.runtime.map(({ action }) => action);
}

async function placeOf({ region, account }: PolicyOptions, arns: () => Promise<readonly string[]>): Promise<KmsPlace> {
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

function repeated(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), nonEmpty(value)];
}
