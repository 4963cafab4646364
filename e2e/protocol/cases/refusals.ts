import { expect } from "vitest";
import { type Case, expectFailure, type Failure, refusal, unsupported } from "../case.js";
import type { Json } from "../drivers/driver.js";

/** Methods that name a key: where the name stands, and the operation a refusal carries. */
const KEYED: readonly (readonly [method: string, withKey: (key: string) => Json, op: string])[] = [
  ["SigningService/NewKey", (keyId) => ({ keyId, keyType: 99 }), "new_key"],
  ["SigningService/Import", (keyId) => ({ keyId, keyType: 99 }), "import"],
  ["SigningService/ImportSet", (keyId) => ({ entries: [{ keyId }, { keyId }] }), "import"],
  ["SigningService/Sign", (keyId) => ({ keyId, algorithm: 99 }), "sign"],
  ["SigningService/Verify", (keyId) => ({ keyId, algorithm: 99 }), "verify"],
  ["SigningService/GetPublicKey", (keyId) => ({ keyId, version: 7 }), "get_public_key"],
  ["AeadService/Encrypt", (keyId) => ({ keyId, algorithm: 99 }), "encrypt"],
  ["AeadService/Decrypt", (keyId) => ({ keyId }), "decrypt"],
  ["AeadService/WrapEnvelope", (keyId) => ({ keyId, kemAlgorithm: 99 }), "encrypt"],
  ["AeadService/UnwrapEnvelope", (keyId) => ({ keyId }), "decrypt"],
  ["AeadService/UnsealCose", (keyId) => ({ keyId }), "decrypt"],
  ["SecretService/GetSecret", (secretId) => ({ secretId, version: 7 }), "get"],
  ["SecretService/SetSecret", (secretId) => ({ secretId }), "set"],
  ["SecretService/RotateSecret", (secretId) => ({ secretId }), "rotate"],
  ["MintingService/MintJwt", (keyId) => ({ keyId, ttl: "-1s" }), "mint"],
  ["MintingService/IssueCertificate", (issuerKeyId) => ({ issuerKeyId }), "mint"],
  ["NatsService/MintNatsUser", (keyId) => ({ keyId }), "mint"],
  ["NatsService/MintNatsAccount", (keyId) => ({ keyId }), "mint"],
  ["NatsService/MintNatsOperator", (keyId) => ({ keyId }), "mint"],
  ["NatsService/MintNatsSigner", (keyId) => ({ keyId }), "mint"],
  ["NatsService/MintNatsServer", (keyId) => ({ keyId }), "mint"],
  ["NatsService/MintNatsCurve", (keyId) => ({ keyId }), "mint"],
  ["NatsService/EncryptNatsCurve", (keyId) => ({ keyId }), "encrypt_nats_curve"],
  ["NatsService/DecryptNatsCurve", (keyId) => ({ keyId }), "decrypt_nats_curve"],
  ["NatsService/SignNatsJwt", (keyId) => ({ keyId }), "sign_nats_jwt"],
];

const idOf = (method: string) =>
  method
    .split("/")[1]!
    .replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase();

/**
 * A key that is not there, one that the caller may not use, and a name that is none: the same bytes, whatever else is
 * wrong with the request.
 */
const alike: readonly Case[] = KEYED.map(([method, withKey, op]) => ({
  id: `refused.${idOf(method)}`,
  run: async (scene) => {
    for (const [world, names] of [
      ["kms", ["other.p256", "no.such.key", "", "../etc/passwd", "alias/e2e/p256"]],
      ["store", ["other.password", "no.such.key", "other.public.x"]],
    ] as const) {
      const [forbidden, ...others] = await Promise.all(names.map((name) => scene.call(world, method, withKey(name))));
      expectFailure(forbidden!, refusal(op));
      for (const other of others) expect(other).toEqual(forbidden);
    }
  },
}));

const ADMIN: readonly (readonly [method: string, request: Json, failure: Failure])[] = [
  ["AdminService/Status", {}, refusal("status")],
  ["AdminService/Watch", {}, refusal("watch")],
  ["AdminService/Reload", {}, refusal("reload")],
  ["AdminService/Explain", { subject: "me", op: "sign", key: "app.p256" }, refusal("explain")],
  ["AdminService/Revoke", { trustDomain: "example.org", jti: "1", expiresAtUnix: "4102444800" }, refusal("revoke")],
  [
    "NatsService/ValidateNatsJwt",
    {},
    {
      code: "UNAUTHENTICATED",
      reason: "UNAUTHENTICATED",
      op: "validate_nats_jwt",
      message: "missing or unresolved peer credentials",
    },
  ],
];

/** A uid that the policy does not know, and one that two subjects claim, are nobody, and look like anyone else refused. */
const nobody: readonly Case[] = [
  ...KEYED.map(([method, withKey, op]) => [method, withKey("app.p256"), refusal(op)] as const),
  ...ADMIN,
].map(([method, request, failure]) => ({
  id: `nobody.${idOf(method)}`,
  run: async (scene) => {
    expectFailure(await scene.call("stranger", method, request), failure);
    expectFailure(await scene.call("ambiguous", method, request), failure);
  },
}));

const open: readonly Case[] = [
  {
    id: "nobody.health",
    run: async (scene) => {
      for (const world of ["stranger", "ambiguous"] as const) {
        expect(await scene.answer(world, "AdminService/Health")).toMatchObject({ alive: true });
      }
    },
  },
  {
    id: "nobody.readiness",
    run: async (scene) => {
      for (const world of ["stranger", "ambiguous"] as const) {
        expect(await scene.answer(world, "AdminService/Readiness")).toMatchObject({ generation: "1" });
      }
    },
  },
  {
    id: "nobody.list-catalog",
    run: async (scene) => {
      for (const world of ["stranger", "ambiguous"] as const) {
        expect(await scene.call(world, "SecretService/ListCatalog")).toMatchObject({ code: "OK", answers: [] });
      }
    },
  },
  {
    id: "nobody.invoke",
    run: async (scene) => {
      expectFailure(await scene.call("stranger", "InvocationService/Invoke"), unsupported("invoke"));
    },
  },
];

/** What is allowed in general and never for this entry is refused with the same bytes. */
const byEntry: readonly Case[] = (
  [
    ["refused.issuer-raw-sign", "kms", "SigningService/Sign", { keyId: "app.issuer" }, "sign"],
    ["refused.svid-issuer-raw-sign", "kms", "SigningService/Sign", { keyId: "app.svid" }, "sign"],
    ["refused.svid-issuer-mint", "kms", "MintingService/MintJwt", { keyId: "app.svid", subject: "x" }, "mint"],
    ["refused.not-writable.new-key", "kms", "SigningService/NewKey", { keyId: "app.fixed", keyType: 10 }, "new_key"],
    ["refused.not-writable.import", "kms", "SigningService/Import", { keyId: "app.fixed", keyType: 10 }, "import"],
    ["refused.not-writable.rotate", "kms", "SecretService/RotateSecret", { secretId: "app.fixed" }, "rotate"],
    ["refused.not-writable.set", "store", "SecretService/SetSecret", { secretId: "app.fixed" }, "set"],
  ] as const
).map(([id, world, method, request, op]) => ({
  id,
  run: async (scene) => {
    const outcome = await scene.call(world, method, request);
    expectFailure(outcome, refusal(op));
    const withUnknown = Object.fromEntries(
      Object.entries(request).map(([name, value]) => [name, /Id$/.test(name) ? "no.such.key" : value]),
    );
    expect(await scene.call(world, method, withUnknown)).toEqual(outcome);
  },
}));

export const refusals: readonly Case[] = [...alike, ...nobody, ...open, ...byEntry];
