import { isBackendError, type KeyRef } from "@basil/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { type Answer, ok, scriptedServer } from "../test/scripted-server.js";
import { awsKms } from "./backend.js";

const key: KeyRef = { name: "k", path: "alias/k", keyType: "ecdsa-p256" };
const aes: KeyRef = { ...key, keyType: "aes-256-gcm" };
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const ARN = "arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab";
const bytes = new Uint8Array(64);

/** Every operation, against a server that answers each request the same way. */
async function outcomes(answer: Answer, wire: "lean" | "sdk"): Promise<unknown[]> {
  await using server = await scriptedServer(answer);
  await using backend = awsKms({ region: "us-east-1", endpoint: server.endpoint, credentials, maxAttempts: 1, wire });
  const { transit } = backend;
  if (!transit) throw new Error("no transit engine");
  const envelope = { keyVersion: 1, nonce: new Uint8Array(0), ciphertext: bytes };
  const calls: Promise<unknown>[] = [
    transit.sign(key, bytes, context()),
    transit.verify(key, bytes, bytes, context()),
    transit.publicKey(key, context()),
    transit.encrypt(aes, bytes, undefined, context()),
    transit.decrypt(aes, envelope, undefined, context()),
    backend.probe(key, context()),
  ];
  return await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
}

describe.for(["lean", "sdk"] as const)("an answer that is not one of KMS, over the %s wire", (wire) => {
  it.for([
    ["200 with a web page", (response) => response.writeHead(200).end("<html>sign in</html>")],
    ["200 with an empty object", ok({})],
    ["200 with an array", ok([])],
    [
      "200 with members of other types",
      ok({ KeyId: 7, Signature: true, PublicKey: [], KeyMetadata: "x", Plaintext: {} }),
    ],
    [
      "200 with a signature that is none",
      ok({ KeyId: ARN, Signature: "AAAA", PublicKey: "AAAA", KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }),
    ],
    ["more than a megabyte", (response) => response.writeHead(200).end("x".repeat(2_000_000))],
  ] as [string, Answer][])("is PROTOCOL: %s", async ([, answer]) => {
    const failures = (await outcomes(answer, wire)).filter((outcome) => outcome instanceof Error);
    expect(failures.length).toBeGreaterThanOrEqual(4);
    for (const failure of failures) expect(failure, String(failure)).toMatchObject({ code: "PROTOCOL" });
  });

  it("never makes a valid signature of a value that is only like true", async () => {
    for (const SignatureValid of ["false", "true", 1, {}, []]) {
      const [, verified] = await outcomes(ok({ KeyId: ARN, SignatureValid }), wire);
      expect(verified).toMatchObject({ code: "PROTOCOL" });
    }
  });

  it.for([400, 403, 404])("is REJECTED or PROTOCOL: status %i with a web page", async (status) => {
    for (const failure of await outcomes((response) => response.writeHead(status).end("<html>no</html>"), wire)) {
      expect(["REJECTED", "PROTOCOL"]).toContain(isBackendError(failure) && failure.code);
    }
  });

  it("ends in an error of the contract or a well-formed result, whatever it is", async () => {
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.record({ __type: fc.string(), message: fc.string() }).map((value) => JSON.stringify(value)),
      fc
        .dictionary(fc.constantFrom("KeyId", "Signature", "SignatureValid", "PublicKey", "KeyMetadata"), fc.jsonValue())
        .map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(200, 201, 301, 400, 403, 404, 413), body, async (status, text) => {
        for (const outcome of await outcomes((response) => response.writeHead(status).end(text), wire)) {
          if (outcome instanceof Error) expect(isBackendError(outcome), String(outcome.stack)).toBe(true);
          else if (typeof outcome === "object" && outcome && "valid" in outcome)
            expect(typeof outcome.valid).toBe("boolean");
        }
      }),
      { numRuns: 40 },
    );
  });
});
