import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KeySpec, type KmsEmulator, type KmsEmulatorOptions, startKmsEmulator } from "@basil/aws-kms-emulator";
import type { Backend, KeyRef, KeyType, TransitEngine } from "@basil/core";
import { vi } from "vitest";
import { awsKms } from "../src/backend.js";
import type { AwsKmsOptions } from "../src/options.js";

export const SPECS: Readonly<Record<string, KeySpec>> = {
  ed25519: "ECC_NIST_EDWARDS25519",
  "ecdsa-p256": "ECC_NIST_P256",
  "ecdsa-p384": "ECC_NIST_P384",
  "ecdsa-p521": "ECC_NIST_P521",
  "aes-256-gcm": "SYMMETRIC_DEFAULT",
};
export const KEY_TYPES = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "aes-256-gcm"] as const;
export const SIGNING_KEY_TYPES = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"] as const;

export const keyRef = (keyType: KeyType): KeyRef => ({
  name: `key.${keyType}`,
  path: `alias/basil/${keyType}`,
  keyType,
});

/** A type and no interface, so that it passes for any JSON object. */
export type PolicyDocument = {
  readonly Version: string;
  readonly Statement: readonly {
    readonly Sid?: string;
    readonly Effect: "Allow" | "Deny";
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
    readonly Condition?: unknown;
  }[];
};

/** A document of the product page, as it stands in the repository. */
export function seedDocument<T = PolicyDocument>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../vectors/seed/${name}`, import.meta.url), "utf8")) as T;
}

/** The policy with one action taken out of every statement. */
export function without(policy: PolicyDocument, action: string): PolicyDocument {
  const Statement = policy.Statement.map((statement) => ({
    ...statement,
    Action: [statement.Action].flat().filter((allowed) => allowed !== action),
  })).filter(({ Action }) => Action.length > 0);
  return { ...policy, Statement };
}

export const IDENTITIES = ["runtime", "provisioner", "rotator", "admin"] as const;
export type Identity = (typeof IDENTITIES)[number];

const ADMIN: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }],
};

/** Profiles for the identities, in files of their own; for `beforeAll`, which takes them away when the tests are over. */
export async function useProfiles(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "aws-"));
  const profile = (name: Identity) =>
    `[${name}]\naws_access_key_id = ${accessKeyId(name)}\naws_secret_access_key = secret-of-${name}\n`;
  await writeFile(join(folder, "credentials"), IDENTITIES.map(profile).join(""));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "credentials"));
  vi.stubEnv("AWS_CONFIG_FILE", "/dev/null");
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  return () => rm(folder, { recursive: true });
}

const accessKeyId = (name: Identity) => `AKIDEXAMPLE${name.toUpperCase()}`;

export interface Emulated extends AsyncDisposable {
  readonly emulator: KmsEmulator;
  /** The backend as one identity. */
  open(identity: Identity, options?: Partial<AwsKmsOptions>): Backend & { readonly transit: TransitEngine };
  setPolicy(identity: Identity, policy: PolicyDocument): void;
}

/** An emulator with the identities, all but `admin` without any permission, and with a key of every type unless told not to. */
export async function emulated(
  options: KmsEmulatorOptions & { readonly policies?: { readonly [I in Identity]?: PolicyDocument } } = {},
): Promise<Emulated> {
  const { policies = {}, ...emulatorOptions } = options;
  const emulator = await startKmsEmulator({
    keys: Object.entries(SPECS).map(([keyType, spec]) => ({ spec, aliases: [`alias/basil/${keyType}`] })),
    users: IDENTITIES.map((name) => ({
      name,
      accessKeyId: accessKeyId(name),
      secretAccessKey: `secret-of-${name}`,
      policies: [policies[name] ?? (name === "admin" ? ADMIN : { ...ADMIN, Statement: [] })],
    })),
    ...emulatorOptions,
  });
  const opened: Backend[] = [];
  return {
    emulator,
    open(identity, more = {}) {
      const backend = awsKms({
        id: "kms",
        region: emulator.region,
        endpoint: emulator.endpoint,
        profile: identity,
        attemptTimeoutMs: 2000,
        ...more,
      });
      opened.push(backend);
      if (!backend.transit) throw new Error("no transit engine");
      return { ...backend, transit: backend.transit };
    },
    setPolicy: (identity, policy) => emulator.principals.setPolicies(identity, [policy]),
    [Symbol.asyncDispose]: async () => {
      for (const backend of opened) await backend[Symbol.asyncDispose]();
      await emulator.close();
    },
  };
}
