import type { Catalog, KeyEntry } from "@basil/catalog";
import type { Operation, Policy } from "@basil/policy";
import { CliError } from "../cli-error.js";
import { type IamDocument, iamDocument, oneOrMany } from "./iam-document.js";
import { type KmsPlace, kmsArn } from "./kms-place.js";

/** A key of an aws-kms backend and its ARN. */
export interface KmsKeyArn {
  readonly key: KeyEntry;
  readonly arn: string;
  /** Which version of the key that is; absent when the ARN was given. */
  readonly version?: number;
}

/** Every action of the runtime identity on every key: the form of the documentation. */
export function runtimePolicy(actions: readonly string[], keys: readonly KmsKeyArn[]): IamDocument {
  return iamDocument({
    Sid: "BasilBrokerInPlaceOps",
    Effect: "Allow",
    Action: actions,
    Resource: [...new Set(keys.map(({ arn }) => arn))],
  });
}

/** The same by the alias that a request names, for keys that come and go. @throws {@link CliError} `DOCUMENT_REFUSED`. */
export function runtimePolicyByAlias(
  actions: readonly string[],
  keys: readonly KeyEntry[],
  place: KmsPlace,
): IamDocument {
  const direct = keys.filter(({ path }) => isArnOrId(path));
  if (direct.length > 0) {
    const problems = direct.map(({ name, path }) => `key "${name}" is reached by ${path}, not by an alias`);
    throw new CliError(
      "DOCUMENT_REFUSED",
      "a statement on aliases does not cover these keys",
      { path: "", problems },
      {
        remedy: "give them an alias as path, or leave --style out",
      },
    );
  }
  return iamDocument({
    Sid: "BasilBrokerInPlaceOps",
    Effect: "Allow",
    Action: actions,
    Resource: kmsArn(place, "key/*"),
    Condition: { "ForAnyValue:StringLike": { "kms:RequestAlias": oneOrMany(aliasPatterns(keys, "and versions")) } },
  });
}

/** The aliases of the keys, and those of their versions when they are asked for; the generated namespace as a whole. */
export function aliasPatterns(keys: readonly KeyEntry[], versions?: "and versions"): string[] {
  const patterns = keys
    .filter(({ path }) => !isArnOrId(path))
    .flatMap(({ path }) => {
      if (!path.startsWith("alias/") || path.startsWith("alias/basil/")) return ["alias/basil/*"];
      return versions === undefined ? [path] : [path, `${path}/v*`];
    });
  return [...new Set(patterns)];
}

function isArnOrId(path: string): boolean {
  return path.startsWith("arn:") || /^(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(path);
}

/** What an operation that a rule grants calls at run time. */
const ACTIONS: Readonly<Partial<Record<Operation, readonly string[]>>> = {
  sign: ["kms:Sign"],
  verify: ["kms:Verify"],
  get_public_key: ["kms:GetPublicKey"],
  encrypt: ["kms:Encrypt"],
  decrypt: ["kms:Decrypt"],
  mint: ["kms:Sign", "kms:GetPublicKey"],
};

/** The actions on a key that some rule lets somebody cause, DescribeKey included. */
export function neededActions(
  key: KeyEntry,
  catalog: Catalog,
  policy: Policy,
  decide: typeof import("@basil/policy").decide,
): ReadonlySet<string> {
  const granted = new Set(["kms:DescribeKey"]);
  for (const [operation, needed = []] of Object.entries(ACTIONS) as [Operation, readonly string[]][]) {
    const somebody = [...policy.subjects.keys()].some(
      (subject) => decide(policy, catalog, subject, operation, key.name).allowed,
    );
    // A rule may grant what the class of the key has no use for; that needs no permission.
    if (somebody) for (const action of needed) if (fits(key, action)) granted.add(action);
  }
  return granted;
}

/** Only what some rule lets somebody do: one statement for each distinct set of actions. */
export async function leastRuntimePolicy(
  actions: readonly string[],
  keys: readonly KmsKeyArn[],
  catalog: Catalog,
  policy: Policy,
): Promise<IamDocument> {
  const { decide } = await import("@basil/policy");
  const bySet = new Map<string, { actions: string[]; arns: string[] }>();
  for (const { key, arn } of keys) {
    const granted = neededActions(key, catalog, policy, decide);
    const set = actions.filter((action) => granted.has(action));
    const group = bySet.get(set.join()) ?? { actions: set, arns: [] };
    if (!group.arns.includes(arn)) group.arns.push(arn);
    bySet.set(set.join(), group);
  }
  return iamDocument(
    ...[...bySet.values()].map(({ actions: set, arns }) => ({
      Sid: `Basil${set.map((action) => action.slice("kms:".length)).join("")}`,
      Effect: "Allow" as const,
      Action: oneOrMany(set),
      Resource: oneOrMany(arns),
    })),
  );
}

function fits(key: KeyEntry, action: string): boolean {
  const ciphers = action === "kms:Encrypt" || action === "kms:Decrypt";
  return key.class === "symmetric" ? ciphers : !ciphers;
}
