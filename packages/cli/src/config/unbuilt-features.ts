import type { AgentConfig } from "./agent-config.js";
import { keyName } from "./config-problems.js";

interface Feature {
  readonly key: readonly string[];
  /** True when the configuration asks for it. */
  readonly wanted: (config: AgentConfig) => boolean;
  readonly what: string;
}

/** Keys whose feature this build does not have: taken while they are off, refused by name when they are switched on. */
const UNBUILT: readonly Feature[] = [
  { key: ["unlock", "unlock-tpm"], wanted: (it) => it.unlock["unlock-tpm"], what: "unlocking with a TPM" },
  {
    key: ["broker-identity", "id"],
    wanted: (it) => it["broker-identity"].id !== undefined,
    what: "signing invocation responses",
  },
  { key: ["invocation", "enable"], wanted: (it) => it.invocation.enable, what: "sealed invocation" },
  { key: ["jwks", "enable"], wanted: (it) => it.jwks.enable, what: "the JWKS web surface" },
  { key: ["jwks", "tls", "enable"], wanted: (it) => it.jwks.tls.enable, what: "the JWKS web surface" },
  { key: ["logging", "file", "enable"], wanted: (it) => it.logging.file.enable, what: "logging to a file" },
  {
    key: ["logging", "opentelemetry", "enable"],
    wanted: (it) => it.logging.opentelemetry.enable,
    what: "exporting logs by OpenTelemetry",
  },
  { key: ["retain-versions"], wanted: (it) => it["retain-versions"] !== undefined, what: "pruning old key versions" },
];

/** Settings of backends that this build does not have, and what they are when nobody set them. */
const UNBUILT_SETTINGS = {
  "vault-addr": { default: "http://127.0.0.1:8200", what: "the vault backend" },
  "transit-mount": { default: "transit", what: "the vault backend" },
  "jwt-auth-mount": { default: "jwt", what: "the vault backend" },
  "jwt-role": { default: "", what: "the vault backend" },
  "jwt-audience": { default: "openbao", what: "the vault backend" },
  "svid-ttl-secs": { default: 300, what: "the vault backend" },
  "db-keystore-cipher": { default: "aegis256", what: "the keystore backend" },
  "onepassword-provider-uri": { default: "", what: "the keystore backend" },
  "onepassword-project": { default: "", what: "the keystore backend" },
  "onepassword-profile": { default: "", what: "the keystore backend" },
} as const satisfies {
  readonly [K in keyof AgentConfig]?: { readonly default: AgentConfig[K]; readonly what: string };
};

/** One line a feature that is switched on, or setting that is not at its default, and not part of this build. */
export function unbuiltFeatures(config: AgentConfig): string[] {
  const switchedOn = UNBUILT.filter(({ wanted }) => wanted(config)).map(
    ({ key, what }) => `${keyName(key)} is switched on: ${what} is not part of this build; take the key out`,
  );
  const set = Object.entries(UNBUILT_SETTINGS).flatMap(([key, { default: unset, what }]) => {
    const value = config[key as keyof typeof UNBUILT_SETTINGS];
    if (value === unset) return [];
    return `${key} is ${JSON.stringify(value)}: ${what} is not part of this build; take the key out, or leave it at ${JSON.stringify(unset)}`;
  });
  const grace = config["grace-versions"];
  if (grace === 1) return [...switchedOn, ...set];
  const message = `grace-versions is ${grace}: how many older versions verify is a field of a backend's credential here; take the key out, and seal it with 'basil bundle set-backend … grace-versions=${grace}'`;
  return [...switchedOn, ...set, message];
}
