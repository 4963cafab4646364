import { readDemoData } from "../data-file.js";

/** The documents of the demo, made from those the package carries. */

/** The one catalog that is served as it stands. */
export function seedCatalog(): Promise<string> {
  return readDemoData("seed-catalog.json");
}

export function signingCatalog(): Promise<string> {
  return readDemoData("signing-catalog.json");
}

interface CatalogDocument {
  readonly backends: { readonly kms: { mintKeyTypes: string[] } };
  readonly keys: Record<string, { readonly keyType: string; missing: string }>;
}

/** The keys of both catalogs, each to be made when it is missing. */
export async function provisioningCatalog(): Promise<string> {
  const [seed, signing] = [await seedCatalog(), await signingCatalog()].map(
    (text) => JSON.parse(text) as CatalogDocument,
  );
  if (seed === undefined || signing === undefined) throw new TypeError("two catalogs are expected");
  Object.assign(seed.keys, signing.keys);
  for (const key of Object.values(seed.keys)) key.missing = "generate";
  seed.backends.kms.mintKeyTypes = [...new Set(Object.values(seed.keys).map(({ keyType }) => keyType))];
  return `${JSON.stringify(seed, null, 2)}\n`;
}

/** One new key, to be made by whoever starts an agent on it. */
export async function newKeyCatalog(): Promise<string> {
  const document = JSON.parse(await seedCatalog()) as CatalogDocument;
  const [key] = Object.values(document.keys);
  const fresh = {
    ...key,
    path: "alias/basil/one-more-key",
    missing: "generate",
    description: "A key that nobody made yet",
  };
  return `${JSON.stringify({ ...document, keys: { "one.more.key": fresh } }, null, 2)}\n`;
}

/**
 * The user who runs the demo may use the keys of this catalog, each for what it is for, and nobody else may anything. A
 * rule that no key of it falls under is left out.
 */
export function policy(uid: number, catalog: string): string {
  const { keys } = JSON.parse(catalog) as CatalogDocument;
  const isSigner = ({ keyType }: { keyType: string }) => keyType !== "aes-256-gcm";
  const names = (signs: boolean) => Object.keys(keys).filter((name) => keys[name] && isSigner(keys[name]) === signs);
  const rules = [
    { id: "demo-signs", subjects: ["demo.user"], action: ["role:signer"], target: names(true) },
    { id: "demo-seals", subjects: ["demo.user"], action: ["role:sealer"], target: names(false) },
  ].filter(({ target }) => target.length > 0);
  const roles = {
    signer: ["sign", "verify", "get_public_key", "list"],
    sealer: ["encrypt", "decrypt", "list"],
  };
  const document = {
    schemaVersion: 2,
    subjects: { "demo.user": { allOf: [{ kind: "unix", uid }] } },
    roles: Object.fromEntries(
      Object.entries(roles).filter(([name]) => rules.some(({ action }) => action.includes(`role:${name}`))),
    ),
    rules,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

type IamPolicy = {
  readonly Version: string;
  readonly Statement: { Action: string[]; Resource: string[] }[];
};

/** The runtime policy of docs/backend-aws-kms.md with these keys for its `Resource`; nothing else is changed. */
export async function runtimeIamPolicy(keyArns: readonly string[]): Promise<IamPolicy> {
  const document = JSON.parse(await readDemoData("seed-iam-runtime.json")) as IamPolicy;
  for (const statement of document.Statement) statement.Resource = [...keyArns];
  return document;
}

/** The same without one action. */
export async function runtimeIamPolicyWithout(action: string, keyArns: readonly string[]): Promise<IamPolicy> {
  const document = await runtimeIamPolicy(keyArns);
  for (const statement of document.Statement) statement.Action = statement.Action.filter((name) => name !== action);
  return document;
}

export function provisionerIamPolicy(): Promise<string> {
  return readDemoData("seed-iam-provisioner.json");
}

export interface AgentFileOptions {
  readonly catalog: string;
  readonly policy: string;
  readonly bundle: string;
  /** Whose group may connect, besides the user; nobody else's without. */
  readonly socketGroup?: string;
}

/** An agent's configuration. The passphrase file stays, so that every agent of the demo can start from it, again and again. */
export function agentToml(name: string, { catalog, policy, bundle, socketGroup }: AgentFileOptions): string {
  return `catalog = "${catalog}"
policy = "${policy}"
bundle = "${bundle}"
socket-mode = "${socketGroup === undefined ? "0600" : "0660"}"${socketGroup === undefined ? "" : `\nsocket-group = "${socketGroup}"`}
audit-log = "${name}-audit.jsonl"

[unlock]
unlock-passphrase-file = "passphrase"
unlock-passphrase-no-wipe = true
`;
}
