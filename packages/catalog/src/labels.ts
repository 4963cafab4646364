import type { KeyEntry } from "./catalog.js";

/** NATS roles: account, cluster, server, operator, user, curve. */
export const NATS_TYPES = ["A", "C", "N", "O", "U", "X"] as const;
export type NatsType = (typeof NATS_TYPES)[number];

/** What the label `svid_kind` of an issuer takes. */
export const SVID_KINDS = ["jwt", "x509"] as const;
export type SvidKind = (typeof SVID_KINDS)[number];

/** Splits `name=value` at the first `=`; a bare slug has no value. */
export function splitLabel(label: string): { readonly name: string; readonly value?: string } {
  const equals = label.indexOf("=");
  return equals === -1 ? { name: label } : { name: label.slice(0, equals), value: label.slice(equals + 1) };
}

/** The value of the first `name=value` label; a bare slug never answers. */
export function labelValue(labels: readonly string[], name: string): string | undefined {
  const prefix = `${name}=`;
  return labels.find((label) => label.startsWith(prefix))?.slice(prefix.length);
}

/** The key's `nats_type`, when it is one of the six letters. */
export function natsType(key: Pick<KeyEntry, "labels">): NatsType | undefined {
  const value = labelValue(key.labels, "nats_type");
  return NATS_TYPES.find((type) => type === value);
}

/** The key's `svid_kind`, when it is `jwt` or `x509`. */
export function svidKind(key: Pick<KeyEntry, "labels">): SvidKind | undefined {
  const value = labelValue(key.labels, "svid_kind");
  return SVID_KINDS.find((kind) => kind === value);
}

/**
 * True for a key that issues credentials and therefore never signs raw bytes: an SVID issuer, a NATS operator or account,
 * and an `ed25519-nkey` whose NATS role is not known to be another one.
 */
export function isCredentialIssuer(key: Pick<KeyEntry, "labels" | "keyType">): boolean {
  if (svidKind(key) !== undefined) return true;
  const role = natsType(key);
  return role === "O" || role === "A" || (role === undefined && key.keyType === "ed25519-nkey");
}
