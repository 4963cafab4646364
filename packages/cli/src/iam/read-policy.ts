import { CliError } from "../cli-error.js";
import { readDocument } from "../config/read-document.js";
import { parseOperator } from "./condition.js";
import type { PolicyStatement } from "./policy-statement.js";

type JsonObject = Readonly<Record<string, unknown>>;
type Told = (path: string, problem: string) => undefined;

const STATEMENT_MEMBERS = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
const VERSIONS = ["2012-10-17", "2008-10-17"];

/**
 * Reads an identity policy: the document itself, or what `aws iam get-policy-version`, `get-role-policy` and
 * `get-user-policy` print around it.
 *
 * @param what - What the file is, for messages: "runtime policy".
 * @throws {@link CliError} `FILE`; `DOCUMENT_REFUSED` with every place that is wrong.
 */
export async function readPolicy(path: string, what: string, cwd: string): Promise<PolicyStatement[]> {
  return parsePolicyText(await readDocument(path, what, cwd), path, what);
}

/** As {@link readPolicy}, from bytes. */
export function parsePolicyText(bytes: Uint8Array, path: string, what: string): PolicyStatement[] {
  const refused = (problems: readonly string[], cause?: unknown) =>
    new CliError(
      "DOCUMENT_REFUSED",
      `the ${what} ${path} is refused`,
      { path, problems },
      { ...(cause !== undefined && { cause }), remedy: "give an identity's IAM policy document, as AWS has it" },
    );
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refused(["it is not JSON"], cause);
  }
  const problems: string[] = [];
  const told: Told = (at, problem) => void problems.push(`${at}: ${problem}`) as undefined;
  const statements = statementsOf(unwrapped(value), told);
  if (problems.length > 0) throw refused(problems.slice(0, 50));
  return statements;
}

function unwrapped(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { PolicyVersion, PolicyDocument } = value;
  if (isObject(PolicyVersion) && "Document" in PolicyVersion) return PolicyVersion.Document;
  return PolicyDocument ?? value;
}

function statementsOf(document: unknown, told: Told): PolicyStatement[] {
  if (!isObject(document)) return told("document", `is ${shown(document)}; allowed: an object`) ?? [];
  known(document, ["Version", "Id", "Statement"], "", told);
  const { Version = "2008-10-17", Statement } = document;
  if (!VERSIONS.includes(Version as string)) told("Version", `is ${shown(Version)}; allowed: ${VERSIONS.join(", ")}`);
  if (Statement === undefined) return told("Statement", "is missing") ?? [];
  const variables = Version === "2012-10-17";
  if (!Array.isArray(Statement))
    return [statementOf(Statement, "Statement", variables, told)].flatMap((one) => one ?? []);
  return Statement.flatMap((one: unknown, at) => statementOf(one, `Statement[${at}]`, variables, told) ?? []);
}

function statementOf(value: unknown, at: string, variables: boolean, told: Told): PolicyStatement | undefined {
  if (!isObject(value)) return told(at, `is ${shown(value)}; allowed: an object`);
  if ("Principal" in value || "NotPrincipal" in value) {
    return told(
      `${at}.Principal`,
      "is there; an identity's policy has none, so this is a key's or a role's trust policy",
    );
  }
  known(value, STATEMENT_MEMBERS, `${at}.`, told);
  const { Sid, Effect } = value;
  if (Sid !== undefined && typeof Sid !== "string") told(`${at}.Sid`, `is ${shown(Sid)}; allowed: text`);
  if (Effect !== "Allow" && Effect !== "Deny")
    return told(`${at}.Effect`, `is ${shown(Effect)}; allowed: "Allow", "Deny"`);
  const list = (name: string, allowed: (item: string) => boolean, form: string): readonly string[] | undefined => {
    if (value[name] === undefined) return undefined;
    const items: unknown[] = [value[name]].flat();
    const bad = items.find((item) => typeof item !== "string" || !allowed(item));
    if (items.length === 0 || bad !== undefined) told(`${at}.${name}`, `has ${shown(bad ?? [])}; allowed: ${form}`);
    return items.filter((item) => typeof item === "string");
  };
  const actions = (name: string) => list(name, isAction, 'actions such as "kms:Sign", with * and ?');
  const resources = (name: string) => list(name, isResource, 'ARNs, with * and ?, or "*"');
  const parts = {
    Action: actions("Action"),
    NotAction: actions("NotAction"),
    Resource: resources("Resource"),
    NotResource: resources("NotResource"),
    Condition: conditionsOf(value.Condition, `${at}.Condition`, told),
  };
  for (const [one, other] of [
    ["Action", "NotAction"],
    ["Resource", "NotResource"],
  ] as const) {
    const both = parts[one] !== undefined && parts[other] !== undefined;
    if (both) told(`${at}.${other}`, `stands beside ${one}; allowed: one of them`);
    if (parts[one] === undefined && parts[other] === undefined)
      told(`${at}.${one}`, `is missing; allowed: it or ${other}`);
  }
  const given = Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
  const place = typeof Sid === "string" && Sid !== "" ? `${at} ${JSON.stringify(Sid)}` : at;
  return { ...given, place, Effect, variables };
}

function conditionsOf(value: unknown, at: string, told: Told): PolicyStatement["Condition"] {
  if (value === undefined) return undefined;
  if (!isObject(value)) return told(at, `is ${shown(value)}; allowed: an object`);
  const conditions = Object.entries(value).map(([operator, keys]) => {
    if (parseOperator(operator) === undefined) told(`${at}.${operator}`, "is no condition operator of IAM");
    if (!isObject(keys)) told(`${at}.${operator}`, `is ${shown(keys)}; allowed: an object`);
    const read = Object.entries(isObject(keys) ? keys : {}).map(([key, values]) => {
      const items: unknown[] = [values].flat();
      const bad = items.find((item) => !["string", "number", "boolean"].includes(typeof item));
      if (bad !== undefined) told(`${at}.${operator}.${key}`, `has ${shown(bad)}; allowed: text, numbers, true, false`);
      return [key, items.map(String)] as const;
    });
    return [operator, Object.fromEntries(read)] as const;
  });
  return Object.fromEntries(conditions);
}

function known(value: JsonObject, allowed: readonly string[], at: string, told: Told): void {
  for (const name of Object.keys(value)) {
    if (!allowed.includes(name)) told(`${at}${name}`, `is no member here; allowed: ${allowed.join(", ")}`);
  }
}

const isAction = (text: string): boolean => text === "*" || /^[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+$/.test(text);
const isResource = (text: string): boolean => text === "*" || text.split(":").length >= 6;
const shown = (value: unknown): string => (value === undefined ? "missing" : JSON.stringify(value).slice(0, 80));

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
