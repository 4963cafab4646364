import { aliasOf, EXAMPLE_KEY, type InitAnswers, type InitKey } from "./answers.js";

/** What `basil init` writes, as text: the smallest deployment that serves these keys. */

export const BACKEND = "primary";

const isExample = ([key, ...more]: readonly InitKey[]): boolean => key?.name === EXAMPLE_KEY.name && more.length === 0;
const isSigning = ({ keyType }: InitKey): boolean => keyType !== "aes-256-gcm";

export function initCatalog({ region, keys }: InitAnswers): string {
  return json({
    schemaVersion: 1,
    backends: {
      [BACKEND]: {
        kind: "aws-kms",
        addr: `aws-kms:${region}`,
        engines: ["transit"],
        ...(keys.length > 0 && { mintKeyTypes: [...new Set(keys.map(({ keyType }) => keyType))] }),
      },
    },
    keys: Object.fromEntries(keys.map((key) => [key.name, keyEntry(key, isExample(keys))])),
  });
}

function keyEntry(key: InitKey, example: boolean): object {
  const signing = isSigning(key);
  return {
    class: signing ? "asymmetric" : "symmetric",
    keyType: key.keyType,
    backend: BACKEND,
    engine: "transit",
    path: aliasOf(key.name),
    writable: true,
    missing: "generate",
    description: `${example ? "An example signing key" : signing ? "Signing key" : "Encryption key"} held in AWS KMS`,
  };
}

export function initPolicy({ keys, uids }: InitAnswers): string {
  const users = uids.map((uid) => ({ uid, subject: uids.length === 1 ? "init.user" : `init.user_${uid}` }));
  const example = isExample(keys);
  const signing = keys.filter(isSigning).map(({ name }) => name);
  const encryption = keys.filter((key) => !isSigning(key)).map(({ name }) => name);
  const signer = example ? "example-signer" : "signer";
  const subjects = users.map(({ subject }) => subject);
  const rule = (id: string, role: string, target: readonly string[]): object[] =>
    target.length === 0 ? [] : [{ id, subjects, action: [`role:${role}`], target }];
  return json({
    schemaVersion: 2,
    subjects: Object.fromEntries(users.map(({ uid, subject }) => [subject, { allOf: [{ kind: "unix", uid }] }])),
    roles: {
      ...(signing.length > 0 && { [signer]: ["sign", "verify", "get_public_key", "list"] }),
      ...(encryption.length > 0 && { encrypter: ["encrypt", "decrypt", "list"] }),
    },
    rules: [
      ...rule(example ? "running-user-may-sign-example-key" : "users-may-sign", signer, signing),
      ...rule("users-may-encrypt", "encrypter", encryption),
    ],
    config: { names: { users: Object.fromEntries(users.map(({ uid, subject }) => [uid, nameOf(subject)])) } },
  });
}

const nameOf = (subject: string): string => subject.replaceAll(/[._]/g, "-");

/** Where the files of a deployment are; absolute, all of them. */
export interface InitPaths {
  readonly catalog: string;
  readonly policy: string;
  readonly config: string;
  readonly bundle: string;
  readonly socket: string;
  readonly auditLog: string;
  readonly passphraseFile: string;
}

/** @param shared - Whether users other than the broker's own are to reach the socket. */
export function initConfig(paths: InitPaths, shared: boolean): string {
  return `catalog = ${toml(paths.catalog)}
policy = ${toml(paths.policy)}
bundle = ${toml(paths.bundle)}
socket = ${toml(paths.socket)}
socket-mode = ${shared ? '"0666"' : '"0600"'}
audit-log = ${toml(paths.auditLog)}

[unlock]
unlock-passphrase-file = ${toml(paths.passphraseFile)}
`;
}

/** A basic string of TOML 1.0, whose escapes are those of JSON. */
function toml(text: string): string {
  return JSON.stringify(text);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
