import { z } from "zod";
import { EmulatorError } from "./errors.js";
import { keyStates } from "./kms/key.js";
import { keySpecs, keyUsages } from "./kms/key-spec.js";
import type { KmsEmulatorOptions } from "./options.js";

const text = z.string();
const policy = z.record(text, z.json());
const tags = z.record(text, text);
const span = z.union([z.number(), z.strictObject({ min: z.number(), max: z.number() })]);
const identity = {
  name: text,
  policies: z.array(policy).optional(),
  tags: tags.optional(),
  path: text.optional(),
  account: text.optional(),
};
const applies = z.boolean().optional();

const faultSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("throttle") }),
  z.strictObject({ kind: z.literal("error"), status: z.int().optional(), code: text.optional(), applies }),
  z.strictObject({ kind: z.literal("reset"), applies }),
  z.strictObject({ kind: z.literal("hang"), applies }),
  z.strictObject({ kind: z.literal("truncate"), bytes: z.int().optional() }),
  z.strictObject({ kind: z.literal("date"), offsetMs: z.number() }),
  z.strictObject({ kind: z.literal("latency"), ms: z.number() }),
]);

/** The seed file of the program: the options of `startKmsEmulator` that are data, policies as JSON, material as PEM or base64. */
const seedSchema = z.strictObject({
  account: text.optional(),
  region: text.optional(),
  seed: z.int().optional(),
  rootAccessKey: z.strictObject({ accessKeyId: text, secretAccessKey: text }).optional(),
  keys: z
    .array(
      z.strictObject({
        spec: z.enum(keySpecs),
        usage: z.enum(keyUsages).optional(),
        id: text.optional(),
        aliases: z.array(text).optional(),
        description: text.optional(),
        policy: policy.optional(),
        tags: tags.optional(),
        multiRegion: z.boolean().optional(),
        state: z.enum(keyStates).optional(),
        material: text.optional(),
      }),
    )
    .optional(),
  users: z
    .array(z.strictObject({ ...identity, accessKeyId: text.optional(), secretAccessKey: text.optional() }))
    .optional(),
  roles: z
    .array(z.strictObject({ ...identity, trust: policy.optional(), maxSessionSeconds: z.int().optional() }))
    .optional(),
  instanceProfiles: z.array(z.strictObject({ name: text, role: text })).optional(),
  oidcProviders: z
    .array(
      z.strictObject({
        url: text,
        publicKey: z.union([text, z.record(text, z.union([text, z.array(text)]))]),
        audiences: z.array(text).optional(),
      }),
    )
    .optional(),
  instanceMetadata: z.strictObject({ instanceProfile: text, instanceId: text.optional() }).optional(),
  containerCredentials: z.strictObject({ role: text, authorizationToken: text }).optional(),
  ssoPortal: z.strictObject({ accessToken: text, roles: z.array(text) }).optional(),
  latencyMs: span.optional(),
  faults: z
    .array(
      z.strictObject({
        fault: faultSchema,
        operation: z.union([text, z.array(text)]).optional(),
        principal: text.optional(),
        skip: z.int().optional(),
        times: z.int().optional(),
        probability: z.number().optional(),
      }),
    )
    .optional(),
  unofferedKeySpecs: z.array(z.enum(keySpecs)).optional(),
  quotas: z.union([z.boolean(), z.record(text, z.number())]).optional(),
  propagation: z.strictObject({ keyMs: span.optional(), aliasMs: span.optional() }).optional(),
});

export type SeedDocument = z.output<typeof seedSchema>;

/** Leaves out members that are undefined, so that they count as absent everywhere. */
function present<T>(value: T): T {
  if (Array.isArray(value)) return value.map(present) as T;
  if (typeof value !== "object" || value === null) return value;
  const pairs = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(pairs.map(([name, inner]) => [name, present(inner)])) as T;
}

/**
 * Reads a seed file.
 *
 * @throws {@link EmulatorError} `OPTION_INVALID` that lists every refusal with its place in the document.
 */
export function parseSeedDocument(json: string): KmsEmulatorOptions {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new EmulatorError("OPTION_INVALID", "seed document: is not JSON", { path: "" }, { cause });
  }
  const parsed = seedSchema.safeParse(value);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `  ${z.core.toDotPath(path) || "(top)"}: ${message}`);
    const [first] = parsed.error.issues;
    const path = z.core.toDotPath(first?.path ?? []);
    throw new EmulatorError("OPTION_INVALID", `seed document:\n${lines.join("\n")}`, { path });
  }
  return present(parsed.data) as KmsEmulatorOptions;
}
