import { z } from "zod";
import { socketModeSchema } from "./socket-mode.js";
import { isSocketAddress, isWebUrl } from "./web-address.js";

/** The agent's configuration file: every key of Basil 0.7.1, kebab-case, unknown ones refused at every level. */

const path = z.string().min(1);
const whole = (min: number, max: number) =>
  z
    .bigint()
    .refine((value) => value >= min && value <= max, {
      error: (issue) => `is ${issue.input}; allowed: a whole number from ${min} to ${max}`,
    })
    .transform(Number);
const size = whole(1, Number.MAX_SAFE_INTEGER);
const basilUri = z.string().refine(isBasilUri, {
  error: (issue) => `is ${JSON.stringify(issue.input)}; allowed: basil://HOST/PATH without user, query or fragment`,
});

const webUrl = z.string().refine(isWebUrl, {
  error: (issue) =>
    `is ${JSON.stringify(issue.input)}; allowed: an http or https URL without user or fragment, and not of a metadata service`,
});

const unlockSchema = z.strictObject({
  "age-yubikey": z.boolean().default(false),
  "bip39-phrase-file": path.optional(),
  "unlock-tpm": z.boolean().default(false),
  "unlock-passphrase-file": path.optional(),
  "unlock-age-identity-file": path.optional(),
  /** Key ARN or alias; naming it pins it. */
  "unlock-aws-kms-key": path.optional(),
  "unlock-aws-kms-region": path.optional(),
  "unlock-passphrase-wipe": z.boolean().default(false),
  /** Taken from older files and without effect: nothing is wiped unless `unlock-passphrase-wipe` says so. */
  "unlock-passphrase-no-wipe": z.boolean().default(false),
  "strict-bundle-perms": z.boolean().default(false),
});

const brokerIdentitySchema = z
  .strictObject({ id: basilUri, "response-signing-key-id": z.string().min(1) })
  .partial()
  .refine((it) => (it.id === undefined) === (it["response-signing-key-id"] === undefined), {
    error: "needs both id and response-signing-key-id, or neither",
  });

const invocationSchema = z.strictObject({
  enable: z.boolean().default(false),
  audience: z.array(basilUri).default([]),
  "request-encryption-key-id": z.string().min(1).optional(),
  "max-ttl-secs": whole(1, 300).default(60),
  "clock-skew-secs": whole(0, 300).default(30),
  "replay-cache-capacity": whole(1, 1_000_000).default(4096),
});

const jwksSchema = z.strictObject({
  enable: z.boolean().default(false),
  listen: z
    .string()
    .refine(isSocketAddress, {
      error: (issue) => `is ${JSON.stringify(issue.input)}; allowed: an address and a port, as 127.0.0.1:8201`,
    })
    .default("127.0.0.1:8201"),
  issuer: webUrl.optional(),
  tls: z
    .strictObject({ enable: z.boolean().default(false), "cert-file": path.optional(), "key-file": path.optional() })
    .prefault({}),
});

const loggingSchema = z.strictObject({
  stdout: z.strictObject({ enable: z.boolean().optional() }).prefault({}),
  journald: z.strictObject({ enable: z.boolean().default(true) }).prefault({}),
  file: z
    .strictObject({
      enable: z.boolean().default(false),
      dir: path.optional(),
      path: path.optional(),
      prefix: z.string().default("basil-agent-"),
      rotation: z.enum(["none", "hourly", "daily", "weekly"]).default("daily"),
    })
    .prefault({}),
  opentelemetry: z
    .strictObject({
      enable: z.boolean().default(false),
      endpoint: webUrl.optional(),
      protocol: z.enum(["grpc", "http-binary", "http-json"]).default("grpc"),
    })
    .prefault({}),
});

/** Where Prometheus reads: a socket of its own, or a port of the loopback interface; nowhere when neither is there. */
const metricsSchema = z
  .strictObject({ socket: path.optional(), port: whole(1, 65_535).optional() })
  .refine((it) => it.socket === undefined || it.port === undefined, {
    error: "takes socket or port, not both",
  });

const count = whole(1, 1_000_000);
/** An open stream alone counts 16 KiB: below a few of them nothing would be answered. */
const openBytes = whole(65_536, Number.MAX_SAFE_INTEGER);
const limitsSchema = z.strictObject({
  "max-connections": count.optional(),
  "max-streams": count.optional(),
  "max-in-flight": count.optional(),
  "max-in-flight-per-caller": count.optional(),
  "max-waiting-per-caller": count.optional(),
  /** Bytes of requests from their first byte to the answer, of all callers. */
  "max-open-bytes": openBytes.optional(),
  /** The same of one uid. */
  "max-open-bytes-per-user": openBytes.optional(),
  /** How long a request gets to come whole. */
  "receive-timeout-secs": whole(1, 3600).optional(),
  "idle-timeout-secs": whole(1, 86_400).optional(),
});

/** A backend package, found from the folder of this file. */
const pluginSchema = z.strictObject({ package: z.string().min(1) });

export const agentConfigSchema = z.strictObject({
  catalog: path.optional(),
  policy: path.optional(),
  bundle: path.optional(),
  socket: path.optional(),
  "socket-mode": socketModeSchema.default(0o600),
  "socket-group": z.string().min(1).optional(),
  "vault-addr": z.string().default("http://127.0.0.1:8200"),
  "transit-mount": z.string().default("transit"),
  "jwt-auth-mount": z.string().default("jwt"),
  "jwt-role": z.string().default(""),
  "jwt-audience": z.string().default("openbao"),
  "svid-ttl-secs": whole(0, Number.MAX_SAFE_INTEGER).default(300),
  "capability-policy": z.enum(["strict", "degraded", "off"]).default("strict"),
  "db-keystore-cipher": z.string().default("aegis256"),
  "onepassword-provider-uri": z.string().default(""),
  "onepassword-project": z.string().default(""),
  "onepassword-profile": z.string().default(""),
  "max-encrypt-size": size.default(1_048_576),
  "max-payload-size": size.default(1_048_576),
  "grace-versions": whole(0, 0xffff_ffff).default(1),
  "retain-versions": whole(0, 0xffff_ffff).optional(),
  "retention-sweep-secs": whole(0, Number.MAX_SAFE_INTEGER).default(3600),
  "audit-log": path.optional(),
  /** What a record that cannot be written means: refuse the request, or serve it and log the loss. */
  "audit-failure": z.enum(["refuse", "serve"]).default("refuse"),
  /** How long requests in flight may take once the agent was told to stop. */
  "drain-timeout-secs": whole(0, 3600).default(10),
  "no-reconcile": z.boolean().default(false),
  /** Which signatures are verified before they are answered. */
  "verify-signatures": z.enum(["first", "always", "never"]).default("first"),
  plugin: z.array(pluginSchema).max(64).default([]),
  unlock: unlockSchema.prefault({}),
  metrics: metricsSchema.prefault({}),
  limits: limitsSchema.prefault({}),
  "broker-identity": brokerIdentitySchema.prefault({}),
  invocation: invocationSchema.prefault({}),
  jwks: jwksSchema.prefault({}),
  logging: loggingSchema.prefault({}),
});
/** As held: every default filled in. */
export type AgentConfig = z.output<typeof agentConfigSchema>;

function isBasilUri(text: string): boolean {
  const url = URL.parse(text);
  return (
    url?.protocol === "basil:" &&
    url.host !== "" &&
    url.pathname.length > 1 &&
    url.username === "" &&
    url.password === "" &&
    url.search === "" &&
    url.hash === ""
  );
}
