import { createPublicKey, generateKeyPairSync, KeyObject } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeTlsKey, encodeTlsKey, makeTlsKey } from "./tls-key.js";

const bytes = (text: string | Buffer) => new TextEncoder().encode(String(text));
const spki = (key: KeyObject) => createPublicKey(key).export({ type: "spki", format: "pem" });

describe("decodeTlsKey", () => {
  it("reads what encodeTlsKey wrote", async () => {
    const key = await makeTlsKey();
    expect(key.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    const decoded = decodeTlsKey(encodeTlsKey(key));
    expect(decoded && spki(decoded)).toBe(spki(key));
  });

  it("reads PKCS#1 and SEC 1 too", () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const ec = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
    expect(decodeTlsKey(bytes(rsa.export({ type: "pkcs1", format: "pem" })))?.asymmetricKeyType).toBe("rsa");
    expect(decodeTlsKey(bytes(ec.export({ type: "sec1", format: "pem" })))?.asymmetricKeyType).toBe("ec");
  });

  it("takes no encrypted key and no public one", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const secret = { cipher: "aes-256-cbc", passphrase: "secret" };
    expect(decodeTlsKey(bytes(privateKey.export({ type: "pkcs8", format: "pem", ...secret })))).toBeUndefined();
    expect(decodeTlsKey(bytes(publicKey.export({ type: "spki", format: "pem" })))).toBeUndefined();
  });

  it("answers for any bytes, and for any damage to a key", async () => {
    const pem = encodeTlsKey(await makeTlsKey());
    const damaged = fc
      .record({ at: fc.nat(pem.length - 1), byte: fc.nat(255), length: fc.nat(pem.length) })
      .map((it) => {
        const text = pem.slice(0, Math.max(it.at + 1, it.length));
        text[it.at] = it.byte;
        return text;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), damaged), (given) => {
        const key = decodeTlsKey(given);
        expect(key === undefined || key instanceof KeyObject).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
