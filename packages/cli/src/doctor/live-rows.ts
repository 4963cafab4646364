import type { KmsLiveDescribedKey, KmsLiveFinding, KmsLiveReport } from "@basil/backend-aws-kms";
import type { KeyEntry } from "@basil/catalog";
import { type Check, fatal, ok, warn } from "./check.js";

const NAME = "live";

/**
 * A live check as doctor's rows: one for the backend and its identity; for each key of `entries` one if it is in order,
 * one for each fault if it is not, and a fatal one if it was not checked.
 */
export function liveRows(
  backend: string,
  report: KmsLiveReport,
  entries: readonly Pick<KeyEntry, "name" | "missing">[],
): Check[] {
  const { findings, identity, keys } = report;
  const described = keys.filter((key) => key.arn !== undefined);
  const missing = new Map(entries.map((entry) => [entry.name, entry.missing]));
  const general = findings.filter(({ key }) => key === undefined);
  const single = findings.filter(({ key, code }) => key !== undefined && code !== "excess");
  const rows = [
    ...single.map((finding) => keyFindingRow(finding, identity?.arn, missing.get(finding.key ?? ""))),
    ...excessRows(
      findings.filter(({ code }) => code === "excess"),
      new Map(
        described
          .flatMap((key) => [key, ...key.versions.map((of) => ({ ...of, key: key.key }))])
          .map((of) => [subjectOf(of), of.unproved]),
      ),
    ),
  ];
  const troubled = new Set(findings.map(({ key }) => key));
  const fine = described.filter(({ key }) => !troubled.has(key)).map(keyRow);
  const seen = new Set([...rows, ...fine].map(({ name }) => name));
  const unchecked = entries
    .filter(({ name }) => !seen.has(`${NAME}:${name}`))
    .map(({ name }) => uncheckedRow(name, backend));
  return [backendRow(backend, report, general), ...fine, ...rows, ...unchecked];
}

/** Faults that concern every key first, then the identity. */
function backendRow(backend: string, report: KmsLiveReport, general: readonly KmsLiveFinding[]): Check {
  const name = `${NAME}:${backend}`;
  const detail = [...general.map(({ message }) => message), ...identityParts(report)].join("; ");
  if (general.length === 0) return ok(name, detail);
  const remedy = [...new Set(general.map((finding) => remedyOf(finding, report.identity?.arn)))].join("; ");
  return (general.some(({ severity }) => severity === "fatal") ? fatal : warn)(name, detail, remedy);
}

function uncheckedRow(key: string, backend: string): Check {
  const remedy = `correct the row ${NAME}:${backend}, then run doctor again`;
  return fatal(`${NAME}:${key}`, `not checked: KMS did not describe it`, remedy);
}

function identityParts({ identity, region, skewMs }: KmsLiveReport): string[] {
  if (identity === undefined) return [];
  return [
    identity.arn ?? `the ARN is not known: ${identity.arnUnknown ?? "nothing named it"}`,
    `credentials of ${identity.source}`,
    identity.expiresAt === undefined ? "no expiry" : `until ${identity.expiresAt.toISOString()}`,
    region === undefined ? "no region" : `region ${region}`,
    ...(skewMs === undefined ? [] : [`clock ${clockText(skewMs)}`]),
    "kms:CreateKey and the alias actions cannot be proved",
  ];
}

/** AWS tells its time in whole seconds. */
const AS_EXACT_AS_TOLD_MS = 1500;

function clockText(skewMs: number): string {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return Math.abs(skewMs) < AS_EXACT_AS_TOLD_MS ? "in step" : `${seconds} s ${skewMs > 0 ? "behind" : "ahead of"} AWS`;
}

function keyRow(report: KmsLiveDescribedKey): Check {
  const { key, path, arn, keySpec, keyUsage, keyState, allowed, unproved, versions } = report;
  const parts = [
    path === arn
      ? `${arn}: ${keyState}, ${keySpec}, ${keyUsage}`
      : `${path} is ${arn}: ${keyState}, ${keySpec}, ${keyUsage}`,
    `allowed: ${allowed.join(", ")}`,
    ...notProved(unproved),
    ...versions.flatMap((one) => [
      `version ${one.version} is ${one.arn}: ${one.keyState}, allowed: ${one.allowed.join(", ")}`,
      ...notProved(one.unproved),
    ]),
  ];
  return ok(`${NAME}:${key}`, parts.join("; "));
}

/** The name of what KMS answered, without its text. */
function notProved(unproved: readonly string[]): string[] {
  return unproved.length === 0
    ? []
    : [`not proved: ${unproved.map((text) => text.split(":", 3).join(":")).join(", ")}`];
}

/** One row a key or version of it, however much more than it needs is allowed. */
function excessRows(findings: readonly KmsLiveFinding[], unproved: ReadonlyMap<string, readonly string[]>): Check[] {
  return [...Map.groupBy(findings, subjectOf)].map(([subject, excess]) => {
    const [{ key = "", version, resource } = {}] = excess;
    const actions = excess.map(({ action }) => action).join(", ");
    const remedy = `take ${actions} on ${resource} out of what gives it to the identity, IAM or the key's policy; 'basil iam policy --policy' writes what is needed`;
    const [are, them] = excess.length === 1 ? ["is", "it"] : ["are", "them"];
    const of = version === undefined ? "" : `version ${version}: `;
    const parts = [
      `${of}${actions} ${are} allowed, and no rule needs ${them}`,
      ...notProved(unproved.get(subject) ?? []),
    ];
    return warn(`${NAME}:${key}`, parts.join("; "), remedy);
  });
}

/** The key in use, or a version of it. */
function subjectOf({ key, version }: Pick<KmsLiveFinding, "key" | "version">): string {
  return `${version ?? ""} ${key ?? ""}`;
}

function keyFindingRow(
  finding: KmsLiveFinding,
  identity: string | undefined,
  missing: KeyEntry["missing"] | undefined,
): Check {
  const { code, key, message } = finding;
  const name = `${NAME}:${key}`;
  if (code === "absent" && missing === "generate") {
    const remedy =
      "start the agent once, or run 'basil provision', with an identity that may create it: that cannot be proved";
    return warn(name, `${message}; the agent makes it when it starts`, remedy);
  }
  if (code === "absent" && missing === "warn") {
    return warn(name, `${message}; operations on it fail until it is there`, remedyOf(finding, identity));
  }
  return (finding.severity === "fatal" ? fatal : warn)(name, message, remedyOf(finding, identity));
}

function remedyOf(finding: KmsLiveFinding, identity: string | undefined): string {
  switch (finding.code) {
    case "credentials":
      return "renew the credentials of the identity the agent runs as, or name its profile in the bundle";
    case "clock":
      return "set this host's clock by NTP";
    case "region":
      return "correct region in the bundle ('basil bundle set-backend'), or path in the catalog";
    case "unreachable":
      return "check the network path to KMS, and endpoint in the bundle";
    case "absent":
      return "create the key there, or correct path in the catalog, or region in the bundle";
    case "state":
      if (finding.version !== undefined) {
        return "cancel its deletion and enable it, as long as what was sealed or signed with it matters; else move its /vN alias to the key of the next version before it is gone";
      }
      return "enable the key, or cancel its deletion; else name another one in the catalog";
    case "spec":
      if (finding.version !== undefined) return "move the alias of that version to the key that it was";
      return "correct keyType or path in the catalog";
    case "alias-moved":
      return "move the alias back; to change keys on purpose, 'basil provision rotate' keeps the old one as a version";
    case "unproved":
      return "run it again; if it stays so, prove the action by one real use of the key after the start";
    case "dry-run-ignored":
      return "name an endpoint of AWS KMS, or of an emulator that knows DryRun";
    case "excess":
      return "see the row";
    case "denied":
      return denialRemedy(finding, identity);
  }
}

function denialRemedy({ denial, action, resource }: KmsLiveFinding, identity: string | undefined): string {
  const statement = { Effect: "Allow", Action: action, Resource: resource ?? "THE KEY'S ARN" };
  const text = JSON.stringify(statement);
  switch (denial) {
    case "explicit-deny":
      return `some policy denies it explicitly, and no Allow helps: take that Deny out; what has to be allowed is ${text}`;
    case "key-policy": {
      const Principal = { AWS: identity === undefined ? "THE IDENTITY'S ARN" : principalOf(identity) };
      const inKeyPolicy = JSON.stringify({ Effect: "Allow", Principal, Action: action, Resource: "*" });
      return `the key's own policy does not leave it to IAM: add to that policy ${inKeyPolicy}, or let it delegate to the account and add to the identity's policy: ${text}`;
    }
    case "no-such-key":
      return `AWS does not tell which: correct the ARN in the catalog; else add to the identity's policy: ${text}`;
    case "other":
      return `a permissions boundary, a session policy or one of the organization does not allow it: allow it there, and in the identity's policy: ${text}`;
    default:
      return `add to the identity's policy: ${text}`;
  }
}

/** A policy names the role, not one session of it. */
function principalOf(arn: string): string {
  const session = /^arn:([^:]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
  return session === null ? arn : `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
}
