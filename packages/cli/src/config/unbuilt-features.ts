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

/** One line a feature that is switched on and not part of this build. */
export function unbuiltFeatures(config: AgentConfig): string[] {
  return UNBUILT.filter(({ wanted }) => wanted(config)).map(
    ({ key, what }) => `${keyName(key)} is switched on: ${what} is not part of this build; take the key out`,
  );
}
