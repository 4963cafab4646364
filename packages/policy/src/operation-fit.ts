import { type KeyEntry, natsType, svidKind } from "@basil/catalog";
import type { Operation } from "./operations.js";

/**
 * True when a key of this class, type and engine can ever serve the operation. The decision does not look at it: an allowed
 * operation that does not fit is refused afterwards, as an invalid request.
 */
export function operationFits(operation: Operation, key: KeyEntry): boolean {
  return FITS[operation](key);
}

const isMlKem = ({ keyType }: KeyEntry) => keyType?.startsWith("ml-kem-") ?? false;
const isMlDsa = ({ keyType }: KeyEntry) => keyType?.startsWith("ml-dsa-") ?? false;
const isAsymmetric = (key: KeyEntry) => key.class === "asymmetric";
const isAsymmetricOrPublic = (key: KeyEntry) => key.class === "asymmetric" || key.class === "public";
const encrypts = (key: KeyEntry) => key.class === "symmetric" || key.class === "sealing";
const isCurve = (key: KeyEntry) => key.class === "sealing" && key.keyType === "x25519";
const isCryptoInPlace = (key: KeyEntry) =>
  (key.class === "asymmetric" || key.class === "symmetric") && key.engine !== "kv2" && !isMlDsa(key);
const mints = (key: KeyEntry) => isAsymmetric(key) && key.keyType !== "ecdsa-p521" && !isMlDsa(key);
const never = () => false;

const FITS: Readonly<Record<Operation, (key: KeyEntry) => boolean>> = {
  get: (key) => key.class === "value" || key.class === "public",
  list: () => true,
  get_public_key: (key) => isAsymmetricOrPublic(key) || (key.class === "sealing" && isMlKem(key)),
  verify: isAsymmetricOrPublic,
  sign: isAsymmetric,
  encrypt: encrypts,
  decrypt: encrypts,
  mint: mints,
  sign_nats_jwt: (key) => natsType(key) !== undefined,
  validate_nats_jwt: (key) => isAsymmetricOrPublic(key) && natsType(key) !== undefined,
  encrypt_nats_curve: isCurve,
  decrypt_nats_curve: isCurve,
  validate: (key) => svidKind(key) === "jwt",
  set: (key) => key.class === "value",
  rotate: (key) => isCryptoInPlace(key) || (key.class === "value" && key.generate !== undefined),
  import: isCryptoInPlace,
  new_key: (key) =>
    key.class === "asymmetric" || key.class === "symmetric" || (key.class === "sealing" && isMlKem(key)),
  use_software_custody: (key) => isMlDsa(key) || isMlKem(key),
  reload: never,
  explain: never,
  revoke: never,
  watch: never,
};
