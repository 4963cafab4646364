import type {
  AdminService,
  AeadService,
  InvocationService,
  MintingService,
  NatsService,
  SecretService,
  SigningService,
} from "@basil/proto";
import type { Handlers } from "../request/handler.js";
import { decrypt } from "./decrypt.js";
import { encrypt } from "./encrypt.js";
import { explain } from "./explain.js";
import { getPublicKey } from "./get-public-key.js";
import { importKey, importSet } from "./import.js";
import { listCatalog } from "./list-catalog.js";
import { mintJwt } from "./mint-jwt.js";
import { newKey } from "./new-key.js";
import { readiness } from "./readiness.js";
import { reload } from "./reload.js";
import { revoke } from "./revoke.js";
import { getSecret, rotateSecret, setSecret } from "./secrets.js";
import { sign } from "./sign.js";
import { health, status } from "./status.js";
import { unsupported, unsupportedForAll, unsupportedForSubjects, unsupportedLocally } from "./unsupported.js";
import { verify } from "./verify.js";
import { watch } from "./watch.js";

/** Who answers which method. A method that is added to the protocol does not compile until it stands here. */
export const signing: Handlers<typeof SigningService> = {
  newKey,
  import: importKey,
  importSet,
  sign,
  verify,
  getPublicKey,
};

export const aead: Handlers<typeof AeadService> = {
  encrypt,
  decrypt,
  wrapEnvelope: unsupportedLocally("encrypt", "keyId"),
  unwrapEnvelope: unsupportedLocally("decrypt", "keyId"),
  unsealCose: unsupported("decrypt", "keyId"),
};

export const secrets: Handlers<typeof SecretService> = {
  getSecret,
  setSecret,
  rotateSecret,
  listCatalog,
};

export const minting: Handlers<typeof MintingService> = {
  mintJwt,
  issueCertificate: unsupported("mint", "issuerKeyId"),
};

export const nats: Handlers<typeof NatsService> = {
  mintNatsUser: unsupported("mint", "keyId"),
  mintNatsAccount: unsupported("mint", "keyId"),
  mintNatsOperator: unsupported("mint", "keyId"),
  mintNatsSigner: unsupported("mint", "keyId"),
  mintNatsServer: unsupported("mint", "keyId"),
  mintNatsCurve: unsupported("mint", "keyId"),
  encryptNatsCurve: unsupported("encrypt_nats_curve", "keyId"),
  decryptNatsCurve: unsupported("decrypt_nats_curve", "keyId"),
  signNatsJwt: unsupported("sign_nats_jwt", "keyId"),
  validateNatsJwt: unsupportedForSubjects,
};

export const admin: Handlers<typeof AdminService> = {
  status,
  health,
  readiness,
  watch,
  reload,
  explain,
  revoke,
};

export const invocation: Handlers<typeof InvocationService> = { invoke: unsupportedForAll };
