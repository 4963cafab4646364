import { type Case, fails, unsupported as failure } from "../case.js";
import type { Json } from "../drivers/driver.js";

const METHODS: readonly (readonly [method: string, request: Json, op: string])[] = [
  ["AeadService/WrapEnvelope", { keyId: "app.p256" }, "wrap_envelope"],
  ["AeadService/UnwrapEnvelope", { keyId: "app.p256" }, "unwrap_envelope"],
  ["AeadService/UnsealCose", { keyId: "app.p256" }, "unseal_cose"],
  ["MintingService/IssueCertificate", { issuerKeyId: "app.p256" }, "issue_certificate"],
  ["NatsService/MintNatsUser", { keyId: "app.p256" }, "mint_nats_user"],
  ["NatsService/MintNatsAccount", { keyId: "app.p256" }, "mint_nats_account"],
  ["NatsService/MintNatsOperator", { keyId: "app.p256" }, "mint_nats_operator"],
  ["NatsService/MintNatsSigner", { keyId: "app.p256" }, "mint_nats_signer"],
  ["NatsService/MintNatsServer", { keyId: "app.p256" }, "mint_nats_server"],
  ["NatsService/MintNatsCurve", { keyId: "app.p256" }, "mint_nats_curve"],
  ["NatsService/EncryptNatsCurve", { keyId: "app.p256" }, "encrypt_nats_curve"],
  ["NatsService/DecryptNatsCurve", { keyId: "app.p256" }, "decrypt_nats_curve"],
  ["NatsService/SignNatsJwt", { keyId: "app.p256" }, "sign_nats_jwt"],
  ["NatsService/ValidateNatsJwt", { jwt: "a.b.c" }, "validate_nats_jwt"],
  ["InvocationService/Invoke", { message: "" }, "invoke"],
];

/** Methods without a backend, for a caller who may: after authorization, never before. */
export const unsupported: readonly Case[] = METHODS.map(([method, request, op]) =>
  fails(`unsupported.${op.replaceAll("_", "-")}`, "kms", method, request, failure(op)),
);
