import { EmulatorError } from "../errors.js";
import { type Condition, parseConditions } from "./condition.js";

/** A policy document as it is given: JSON text, or the value it parses to. */
export type PolicyInput = string | Readonly<Record<string, unknown>>;

/** The principals that a statement of a resource policy names, e.g. `{ AWS: ["arn:…:root"] }`; `"*"` is everybody. */
export type PrincipalElement = "*" | ReadonlyMap<string, readonly string[]>;

export interface Statement {
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly string[] | undefined;
  readonly notActions: readonly string[] | undefined;
  readonly resources: readonly string[] | undefined;
  readonly notResources: readonly string[] | undefined;
  readonly principal: PrincipalElement | undefined;
  readonly notPrincipal: PrincipalElement | undefined;
  readonly conditions: readonly Condition[];
}

export interface PolicyDocument {
  /** The document as text, as it was given. */
  readonly text: string;
  /** `${…}` is a variable only in `2012-10-17`. */
  readonly version: "2012-10-17" | "2008-10-17";
  readonly statements: readonly Statement[];
}

/** `identity`: attached to a user or role. `key`: the policy of a KMS key. `trust`: who may assume a role. */
export type PolicyKind = "identity" | "key" | "trust";

type JsonObject = Readonly<Record<string, unknown>>;

export function malformed(path: string, message: string): EmulatorError {
  return new EmulatorError("POLICY_MALFORMED", `policy document: ${path || "the document"} ${message}`, { path });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 80) ?? String(value);
}

function members(value: JsonObject, allowed: readonly string[], path: string): void {
  for (const name of Object.keys(value)) {
    if (!allowed.includes(name)) {
      throw malformed(path === "" ? name : `${path}.${name}`, `is not a member; allowed: ${allowed.join(", ")}`);
    }
  }
}

function strings(value: unknown, path: string): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? value : [value];
  return list.map((item: unknown, i) => {
    if (typeof item === "string") return item;
    throw malformed(
      Array.isArray(value) ? `${path}[${i}]` : path,
      `must be a string or an array of strings, found ${show(item)}`,
    );
  });
}

function actions(value: unknown, path: string): readonly string[] | undefined {
  const list = strings(value, path);
  for (const action of list ?? []) {
    if (action !== "*" && !/^[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+$/.test(action)) {
      throw malformed(path, `must hold actions such as "kms:Sign" or "*", found ${show(action)}`);
    }
  }
  return list;
}

function resources(value: unknown, path: string): readonly string[] | undefined {
  const list = strings(value, path);
  for (const resource of list ?? []) {
    if (resource !== "*" && resource.split(":").length < 6) {
      throw malformed(path, `must hold ARNs or "*", found ${show(resource)}`);
    }
  }
  return list;
}

function principal(value: unknown, path: string): PrincipalElement | undefined {
  if (value === undefined) return undefined;
  if (value === "*") return "*";
  if (!isObject(value)) throw malformed(path, `must be "*" or an object such as {"AWS": …}, found ${show(value)}`);
  members(value, ["AWS", "Service", "Federated"], path);
  return new Map(Object.entries(value).map(([kind, who]) => [kind, strings(who, `${path}.${kind}`) ?? []]));
}

function statement(value: unknown, kind: PolicyKind, path: string): Statement {
  if (!isObject(value)) throw malformed(path, `must be an object, found ${show(value)}`);
  const shared = ["Sid", "Effect", "Action", "NotAction", "Condition"];
  const inResourcePolicy = ["Principal", "NotPrincipal"];
  const onResources = ["Resource", "NotResource"];
  members(
    value,
    kind === "identity"
      ? [...shared, ...onResources]
      : kind === "key"
        ? [...shared, ...inResourcePolicy, ...onResources]
        : [...shared, ...inResourcePolicy],
    path,
  );
  const { Sid: sid, Effect: effect } = value;
  if (sid !== undefined && typeof sid !== "string")
    throw malformed(`${path}.Sid`, `must be a string, found ${show(sid)}`);
  if (effect !== "Allow" && effect !== "Deny")
    throw malformed(`${path}.Effect`, `must be "Allow" or "Deny", found ${show(effect)}`);
  const parsed: Statement = {
    sid,
    effect,
    actions: actions(value.Action, `${path}.Action`),
    notActions: actions(value.NotAction, `${path}.NotAction`),
    resources: resources(value.Resource, `${path}.Resource`),
    notResources: resources(value.NotResource, `${path}.NotResource`),
    principal: principal(value.Principal, `${path}.Principal`),
    notPrincipal: principal(value.NotPrincipal, `${path}.NotPrincipal`),
    conditions: parseConditions(value.Condition, (at, message) => malformed(`${path}.Condition${at}`, message)),
  };
  const pairs = [
    ["Action", "NotAction", parsed.actions, parsed.notActions, kind !== "key"],
    ["Resource", "NotResource", parsed.resources, parsed.notResources, kind === "identity"],
    ["Principal", "NotPrincipal", parsed.principal, parsed.notPrincipal, kind !== "identity"],
  ] as const;
  for (const [name, not, one, other, required] of pairs) {
    if (one !== undefined && other !== undefined) throw malformed(`${path}.${not}`, `cannot stand beside ${name}`);
    // A key policy may leave out Action or Resource; such a statement has no effect.
    if (required && one === undefined && other === undefined)
      throw malformed(`${path}.${name}`, `is required (or ${not})`);
  }
  checkNotPrincipal(parsed, kind, `${path}.NotPrincipal`);
  // A key policy may describe its statements in any words; "Enable IAM User Permissions" is the service's own.
  if (kind !== "key" && !/^[0-9A-Za-z]*$/.test(sid ?? "")) {
    throw malformed(`${path}.Sid`, `must hold letters and digits only, found ${show(sid)}`);
  }
  if (kind === "trust") {
    const other = parsed.actions?.find((action) => !/^sts:/i.test(action));
    if (other !== undefined) throw malformed(`${path}.Action`, `must hold actions of sts only, found ${show(other)}`);
  }
  return parsed;
}

/** IAM User Guide, "AWS JSON policy elements: NotPrincipal". */
function checkNotPrincipal({ effect, notPrincipal }: Statement, kind: PolicyKind, path: string): void {
  if (notPrincipal === undefined) return;
  if (kind === "trust") throw malformed(path, "cannot be used in a trust policy; name the principals in Principal");
  if (effect === "Allow") {
    throw malformed(path, 'cannot be used with Effect "Allow"; name the principals in Principal');
  }
}

/** IAM refuses a document that uses a `Sid` twice; AWS KMS does not. */
function checkUniqueSids(statements: readonly Statement[]): void {
  const seen = new Set<string>();
  for (const [i, { sid = "" }] of statements.entries()) {
    if (sid !== "" && seen.has(sid)) throw malformed(`Statement[${i}].Sid`, `is used twice: ${show(sid)}`);
    seen.add(sid);
  }
}

/**
 * Reads a policy document strictly (IAM User Guide, "Grammar of the IAM JSON policy language").
 *
 * @throws {@link EmulatorError} `POLICY_MALFORMED` with the place in the document, what was found and what is allowed.
 */
export function parsePolicyDocument(input: PolicyInput, kind: PolicyKind): PolicyDocument {
  const text = typeof input === "string" ? input : JSON.stringify(input);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EmulatorError("POLICY_MALFORMED", "policy document: the document is not JSON", { path: "" }, { cause });
  }
  if (!isObject(value)) throw malformed("", `must be a JSON object, found ${show(value)}`);
  members(value, ["Version", "Id", "Statement"], "");
  const version = value.Version ?? "2008-10-17";
  if (version !== "2012-10-17" && version !== "2008-10-17") {
    throw malformed("Version", `must be "2012-10-17" or "2008-10-17", found ${show(version)}`);
  }
  const listed = value.Statement;
  if (listed === undefined) throw malformed("Statement", "is required");
  const statements = Array.isArray(listed)
    ? listed.map((item: unknown, i) => statement(item, kind, `Statement[${i}]`))
    : [statement(listed, kind, "Statement")];
  if (kind !== "key") checkUniqueSids(statements);
  return { text, version, statements };
}
