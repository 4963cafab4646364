import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { durationMs } from "@basil/catalog";
import { certificateAlgorithm } from "./certificate-algorithm.js";

export interface CertificateSubject {
  /** Also the subject alternative name, when it is a host name, a `*.` name or an IP address. */
  readonly commonName: string;
  /** From now on, as in `8760h`; fractions of a second are cut off. */
  readonly validity: string;
}

const COMMON_NAME = "2.5.4.3";
const DER_NULL = Uint8Array.of(5, 0);
/** RFC 5280 §4.1.2.2: at most 20 bytes, and positive. */
const SERIAL_BYTES = 16;
const HOST_NAME = /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;
const PEM_LINE = /.{1,64}/g;

/**
 * A certificate of `key` by itself, as PEM (RFC 7468 §5): X.509 version 3 (RFC 5280), not a CA, for TLS servers and
 * clients, valid from this second on.
 *
 * @throws {@link BackendError} `UNSUPPORTED_ALGORITHM` for a key that is neither RSA, ECDSA on P-256, P-384 or P-521, nor Ed25519.
 */
export async function selfSignedCertificate(key: KeyObject, subject: CertificateSubject): Promise<Uint8Array> {
  const { oid, hash, nullParameters } = certificateAlgorithm(key);
  // Loaded by those alone who have such a key.
  const { AsnConvert, OctetString } = await import("@peculiar/asn1-schema");
  const x509 = await import("@peculiar/asn1-x509");
  const { commonName, validity } = subject;

  const extension = (extnID: string, value: unknown, critical = false) =>
    new x509.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
  const commonNameOnly = new x509.RelativeDistinguishedName([
    new x509.AttributeTypeAndValue({
      type: COMMON_NAME,
      value: new x509.AttributeValue({ utf8String: commonName }),
    }),
  ]);
  const name = new x509.Name([commonNameOnly]);
  const algorithm = new x509.AlgorithmIdentifier({ algorithm: oid });
  if (nullParameters) algorithm.parameters = DER_NULL.buffer;
  const spki = AsnConvert.parse(
    createPublicKey(key).export({ type: "spki", format: "der" }),
    x509.SubjectPublicKeyInfo,
  );
  const usage = x509.KeyUsageFlags.digitalSignature | (nullParameters ? x509.KeyUsageFlags.keyEncipherment : 0);
  // RFC 5280 §4.2.1.2, method 1
  const keyId = createHash("sha1").update(new Uint8Array(spki.subjectPublicKey)).digest();
  const extensions = [
    extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: false }), true),
    extension(x509.id_ce_keyUsage, new x509.KeyUsage(usage), true),
    extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth, x509.id_kp_clientAuth])),
    extension(x509.id_ce_subjectKeyIdentifier, new x509.SubjectKeyIdentifier(keyId)),
  ];
  const alternative = alternativeName(commonName);
  if (alternative !== undefined) {
    const names = new x509.SubjectAlternativeName([new x509.GeneralName(alternative)]);
    extensions.push(extension(x509.id_ce_subjectAltName, names));
  }
  const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000);
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: serialNumber(),
    signature: algorithm,
    issuer: name,
    validity: new x509.Validity({ notBefore, notAfter: new Date(notBefore.getTime() + durationMs(validity)) }),
    subject: name,
    subjectPublicKeyInfo: spki,
    extensions: new x509.Extensions(extensions),
  });
  const signature = sign(hash, new Uint8Array(AsnConvert.serialize(tbsCertificate)), key);
  const certificate = new x509.Certificate({
    tbsCertificate,
    signatureAlgorithm: algorithm,
    signatureValue: Uint8Array.from(signature).buffer,
  });
  return pem(AsnConvert.serialize(certificate));
}

function alternativeName(commonName: string): { iPAddress: string } | { dNSName: string } | undefined {
  if (isIP(commonName) !== 0) return { iPAddress: commonName };
  return HOST_NAME.test(commonName) ? { dNSName: commonName } : undefined;
}

function serialNumber(): ArrayBuffer {
  const bytes = Uint8Array.from(randomBytes(SERIAL_BYTES));
  // Neither negative nor with a leading zero byte, which DER has no room for.
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.buffer;
}

function pem(der: ArrayBuffer): Uint8Array {
  const lines = Buffer.from(der).toString("base64").match(PEM_LINE) ?? [];
  return new TextEncoder().encode(`-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`);
}
