import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { selfSignedCertificate } from "./self-signed-certificate.js";
import { encodeTlsKey } from "./tls-key.js";

const p256 = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const KEYS: readonly (readonly [string, () => KeyObject])[] = [
  ["ECDSA P-256", p256],
  ["ECDSA P-384", () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey],
  ["ECDSA P-521", () => generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey],
  ["RSA", () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey],
  ["Ed25519", () => generateKeyPairSync("ed25519").privateKey],
];
const certify = async (commonName: string, validity = "720h", key = p256()) =>
  new X509Certificate(await selfSignedCertificate(key, { commonName, validity }));

describe("selfSignedCertificate", () => {
  it.for(KEYS)("certifies an %s key by itself", async ([, make]) => {
    const key = make();
    const certificate = await certify("dev.internal", "720h", key);
    expect(certificate.checkPrivateKey(key)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate).toMatchObject({ ca: false, subject: "CN=dev.internal", issuer: "CN=dev.internal" });
  });

  it("refuses a key that no certificate can be made for", async () => {
    const key = generateKeyPairSync("x25519").privateKey;
    const certificate = selfSignedCertificate(key, { commonName: "a", validity: "1h" });
    await expect(certificate).rejects.toMatchObject({ code: "UNSUPPORTED_ALGORITHM" });
  });

  it.for([
    ["8760h", 8760 * 3600],
    ["1h30m", 5400],
    ["1.5s", 1],
    ["2562047h", 2_562_047 * 3600],
  ] as const)("is valid from now on for %s", async ([validity, seconds]) => {
    const before = Math.floor(Date.now() / 1000);
    const { validFromDate, validToDate } = await certify("a", validity);
    const from = validFromDate.getTime() / 1000;
    expect(from).toBeGreaterThanOrEqual(before);
    expect(from).toBeLessThanOrEqual(Date.now() / 1000);
    expect(validToDate.getTime() / 1000 - from).toBe(seconds);
  });

  it.for([
    ["dev.internal", "DNS:dev.internal"],
    ["*.dev.internal", "DNS:*.dev.internal"],
    ["192.0.2.7", "IP Address:192.0.2.7"],
    ["2001:db8::7", "IP Address:2001:DB8:0:0:0:0:0:7"],
    ["The service of Bob", undefined],
    ["a_b", undefined],
  ] as const)("names %s as its subject, and as what peers look for where it can be that", async ([name, names]) => {
    expect(await certify(name)).toMatchObject({ subject: `CN=${name}`, subjectAltName: names });
  });

  it("has a serial number of its own each time, positive and of 16 bytes", async () => {
    const serials = await Promise.all(Array.from({ length: 20 }, async () => (await certify("a")).serialNumber));
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(new Set(serials).size).toBe(20);
  });

  it("is taken by a TLS client that trusts it", async () => {
    const key = p256();
    const cert = Buffer.from(await selfSignedCertificate(key, { commonName: "dev.internal", validity: "1h" }));
    const server = createServer({ key: Buffer.from(encodeTlsKey(key)), cert }, (socket) => socket.end());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as { port: number };
    const socket: TLSSocket = connect({ host: "127.0.0.1", port, servername: "dev.internal", ca: cert });
    await once(socket, "secureConnect");
    expect(socket.authorized).toBe(true);
    socket.destroy();
    server.close();
  });
});
