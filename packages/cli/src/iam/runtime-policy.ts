import type { Catalog, KeyEntry } from "@basil/catalog";
import type { Operation, Policy } from "@basil/policy";
import { CliError } from "../cli-error.js";
import { type IamDocument, type IamStatement, iamDocument, oneOrMany } from "./iam-document.js";
import { type KmsPlace, kmsArn } from "./kms-place.js";

/** A key of an aws-kms backend and its ARN. */
export interface KmsKeyArn {
  readonly key: KeyEntry;
  readonly arn: string;
  /** Which version of the key that is; absent when the ARN was given, as all that follows. */
  readonly version?: number;
  /** The versions beside that one, oldest first. */
  readonly others?: readonly { readonly version: number; readonly arn: string }[];
  /** Versions that are there and could not be described. */
  readonly hidden?: readonly number[];
}

/**
 * Every action of the runtime identity on every key: the form of the documentation. Versions that are not in use have
 * statements of their own, of what is called on them.
 */
export async function runtimePolicy(
  actions: readonly string[],
  keys: readonly KmsKeyArn[],
  graceVersions?: number,
): Promise<IamDocument> {
  const inUse: IamStatement = {
    Sid: "BasilBrokerInPlaceOps",
    Effect: "Allow",
    Action: actions,
    Resource: [...new Set(keys.map(({ arn }) => arn))],
  };
  const onOthers = await Promise.all(keys.map((key) => grantsOnOthers(key, actions, graceVersions)));
  return iamDocument(inUse, ...statementsOf(onOthers.flat()));
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

/** The operations that may be about another version than the newest. */
const ON_ANY_VERSION: ReadonlySet<Operation> = new Set<Operation>(["verify", "get_public_key", "decrypt"]);

/** The actions on a key that some rule lets somebody cause, DescribeKey included. */
export interface NeededActions {
  readonly inUse: ReadonlySet<string>;
  /** Those of operations that may be about a version which is not in use. */
  readonly onOthers: ReadonlySet<string>;
}

export function neededActions(
  key: KeyEntry,
  catalog: Catalog,
  policy: Policy,
  decide: typeof import("@basil/policy").decide,
): NeededActions {
  const inUse = new Set(["kms:DescribeKey"]);
  const onOthers = new Set(["kms:DescribeKey"]);
  for (const [operation, needed = []] of Object.entries(ACTIONS) as [Operation, readonly string[]][]) {
    const somebody = [...policy.subjects.keys()].some(
      (subject) => decide(policy, catalog, subject, operation, key.name).allowed,
    );
    // A rule may grant what the class of the key has no use for; that needs no permission.
    for (const action of somebody ? needed.filter((action) => fits(key, action)) : []) {
      inUse.add(action);
      if (ON_ANY_VERSION.has(operation)) onOthers.add(action);
    }
  }
  return { inUse, onOthers };
}

/** Only what some rule lets somebody do: one statement for each distinct set of actions, versions not in use last. */
export async function leastRuntimePolicy(
  actions: readonly string[],
  keys: readonly KmsKeyArn[],
  catalog: Catalog,
  policy: Policy,
  graceVersions?: number,
): Promise<IamDocument> {
  const { decide } = await import("@basil/policy");
  const onNewest: Grant[] = [];
  const onOthers: Grant[] = [];
  for (const key of keys) {
    const needed = neededActions(key.key, catalog, policy, decide);
    const among = (set: ReadonlySet<string>) => actions.filter((action) => set.has(action));
    onNewest.push({ actions: among(needed.inUse), arn: key.arn });
    onOthers.push(...(await grantsOnOthers(key, among(needed.onOthers), graceVersions)));
  }
  return iamDocument(...statementsOf([...onNewest, ...onOthers]));
}

interface Grant {
  readonly actions: readonly string[];
  readonly arn: string;
}

/** Of these actions, what is called on each version of a key that is not in use. */
async function grantsOnOthers(
  { version: current = 1, others = [] }: KmsKeyArn,
  actions: readonly string[],
  graceVersions = 1,
): Promise<Grant[]> {
  if (others.length === 0) return [];
  const { awsKmsActionsOnVersion } = await import("@basil/backend-aws-kms");
  return others.map(({ version, arn }) => ({
    actions: awsKmsActionsOnVersion(actions, { version, current, graceVersions }),
    arn,
  }));
}

function statementsOf(grants: readonly Grant[]): IamStatement[] {
  const bySet = new Map<string, { actions: readonly string[]; arns: Set<string> }>();
  for (const { actions, arn } of grants) {
    const group = bySet.get(actions.join()) ?? { actions, arns: new Set() };
    group.arns.add(arn);
    bySet.set(actions.join(), group);
  }
  return [...bySet.values()].map(({ actions, arns }) => ({
    Sid: `Basil${actions.map((action) => action.slice("kms:".length)).join("")}`,
    Effect: "Allow",
    Action: oneOrMany(actions),
    Resource: oneOrMany([...arns]),
  }));
}

function fits(key: KeyEntry, action: string): boolean {
  const ciphers = action === "kms:Encrypt" || action === "kms:Decrypt";
  return key.class === "symmetric" ? ciphers : !ciphers;
}
