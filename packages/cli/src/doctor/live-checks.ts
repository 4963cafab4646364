import type { KmsLiveFinding, KmsLiveKeyReport, KmsLiveReport } from "@basil/backend-aws-kms";
import type { Catalog } from "@basil/catalog";
import type { Policy } from "@basil/policy";
import { readUnlockInputs } from "../agent/unlock-inputs.js";
import { loadPlugin } from "../backend-kinds.js";
import { CliError } from "../cli-error.js";
import { type AgentSettings, requiredPath } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { loadDocuments } from "../documents.js";
import { neededActions } from "../iam/runtime-policy.js";
import { type Check, fatal, ok, warn } from "./check.js";

const NAME = "live";
const KIND = "aws-kms";

/**
 * Opens the bundle and asks AWS KMS, as the identity of each backend, about its keys and what may be done with them: one
 * row for the identity, one for each key, one for each thing wrong. Nothing is made, used, wiped or written.
 */
export async function checkLive(settings: AgentSettings, context: CommandContext): Promise<Check[]> {
  try {
    return await ask(settings, context);
  } catch (error) {
    if (context.signal.aborted) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const remedy = error instanceof CliError ? error.remedy : undefined;
    return [fatal(NAME, `AWS cannot be asked: ${why}`, remedy ?? "correct the rows above and what the message names")];
  }
}

async function ask(settings: AgentSettings, context: CommandContext): Promise<Check[]> {
  const { catalog, policy } = await loadDocuments(settings, context.cwd);
  const ids = [...catalog.backends.values()].filter(({ kind }) => kind === KIND).map(({ name }) => name);
  if (ids.length === 0) return [ok(NAME, "no aws-kms backend is declared, so AWS is not asked")];
  await loadPlugin(KIND);
  const { openBundle } = await import("@basil/bundle");
  using unlock = await readUnlockInputs(settings.config, context.cwd);
  await using bundle = await openBundle(requiredPath(settings, "bundle"), {
    unlock: unlock.providers,
    signal: context.signal,
  });
  const rows: Check[] = [];
  for (const id of ids) {
    const sealed = bundle.backends.get(id);
    if (sealed?.kind !== KIND) {
      const found = sealed === undefined ? "none" : `one of kind "${sealed.kind}"`;
      const remedy = `seal one: basil bundle set-backend BUNDLE --backend id=${id},type=${KIND},region=REGION`;
      rows.push(fatal(`${NAME}:${id}`, `the bundle has ${found} for backend "${id}"`, remedy));
    } else rows.push(...(await askAs(id, sealed.credential, catalog, policy, context.signal)));
  }
  return rows;
}

async function askAs(
  id: string,
  credential: unknown,
  catalog: Catalog,
  policy: Policy,
  signal: AbortSignal,
): Promise<Check[]> {
  const { awsKmsCredentialSchema, awsKmsOptionsOf, checkAwsKms } = await import("@basil/backend-aws-kms");
  const { keyRef } = await import("@basil/core");
  const { decide } = await import("@basil/policy");
  const options = { id, ...awsKmsOptionsOf(awsKmsCredentialSchema.parse(credential)) };
  const keys = [...catalog.keys.values()]
    .filter(({ backend }) => backend === id)
    .map((entry) => ({ key: keyRef(entry), needs: [...neededActions(entry, catalog, policy, decide)] }));
  const report = await checkAwsKms(options, keys, { signal });
  return rowsOf(id, report);
}

function rowsOf(id: string, report: KmsLiveReport): Check[] {
  const findings = report.findings.map((finding) => findingRow(id, finding));
  const troubled = new Set(report.findings.map(({ key }) => key));
  const fine = report.keys.filter(({ key }) => !troubled.has(key)).map(keyRow);
  // A finding about all of them speaks for the identity and for the keys it was not asked about.
  return troubled.has(undefined) && report.identity === undefined
    ? findings
    : [identityRow(id, report), ...fine, ...findings];
}

function identityRow(id: string, { identity, region, skewMs }: KmsLiveReport): Check {
  const parts = [
    identity?.arn ?? "its ARN is known to AWS alone: nothing was denied, and only a denial names it",
    `credentials of ${identity?.source}`,
    identity?.expiresAt === undefined ? "without an end" : `until ${identity.expiresAt.toISOString()}`,
    `region ${region}`,
    ...(skewMs === undefined ? [] : [`clock ${(skewMs / 1000).toFixed(1)} s off`]),
    "kms:CreateKey and the alias actions cannot be proved",
  ];
  return ok(`${NAME}:${id}`, parts.join("; "));
}

function keyRow({ key, arn, keySpec, keyUsage, keyState, allowed }: KmsLiveKeyReport): Check {
  return ok(`${NAME}:${key}`, `${arn}: ${keyState}, ${keySpec}, ${keyUsage}; allowed: ${allowed.join(", ")}`);
}

function findingRow(id: string, finding: KmsLiveFinding): Check {
  const row = finding.severity === "fatal" ? fatal : warn;
  return row(`${NAME}:${finding.key ?? id}`, finding.message, remedyOf(finding));
}

function remedyOf({ code, action, resource, denial }: KmsLiveFinding): string {
  switch (code) {
    case "credentials":
      return "renew the credentials of the identity the agent runs as, or name its profile in the bundle";
    case "clock":
      return "set this host's clock by NTP";
    case "region":
      return "correct region in the bundle ('basil bundle set-backend'), or path in the catalog";
    case "unreachable":
      return "check the network path to KMS, and endpoint in the bundle";
    case "absent":
      return "create the key there, or correct path in the catalog";
    case "state":
      return "enable the key, or cancel its deletion; else name another one in the catalog";
    case "spec":
      return "correct keyType or path in the catalog";
    case "alias-moved":
      return "move the alias back to one of its versions, or give the key a path of its own";
    case "excess":
      return `take ${action} on ${resource} out of the identity's policies; 'basil iam policy --policy' writes what is needed`;
    case "denied":
      return denialRemedy(denial, { Effect: "Allow", Action: action, Resource: resource ?? "THE KEY'S ARN" });
  }
}

function denialRemedy(denial: KmsLiveFinding["denial"], statement: object): string {
  const text = JSON.stringify(statement);
  switch (denial) {
    case "explicit-deny":
      return `some policy denies it explicitly, and no Allow helps: take that Deny out; what has to be allowed is ${text}`;
    case "key-policy":
      return `the key's own policy does not leave it to IAM: allow the identity there, or the account; and in IAM ${text}`;
    default:
      return `add to the identity's policy: ${text}`;
  }
}
