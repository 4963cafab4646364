import { createCipheriv, createDecipheriv, createHmac, type KeyObject, randomBytes } from "node:crypto";

/**
 * Symmetric ciphertext, in the layout seen on the real service: a 5-byte version, a 32-byte key reference, a big-endian
 * u32 length and a CMS EncryptedData (RFC 5652 §8) with AES-256-GCM (RFC 5084). Its content is a 27-byte salt, the
 * ciphertext and a 16-byte tag, so 16 bytes of plaintext make 167. Everything before the content is authenticated,
 * together with the encryption context.
 */
const version = Uint8Array.of(0x01, 0x02, 0x02, 0x00, 0x78);
const referenceBytes = 32;
const saltBytes = 27;
const nonceBytes = 12;
const tagBytes = 16;

const encryptedDataOid = Uint8Array.from([0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06]);
const dataOid = Uint8Array.from([0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01]);
const gcmOid = Uint8Array.from([0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e]);

function derHeader(tag: number, length: number): number[] {
  if (length < 0x80) return [tag, length];
  return length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
}

/** Everything before the content, for a content of `length` bytes. */
function frame(materialId: Uint8Array, nonce: Uint8Array, length: number): Uint8Array {
  const parameters = [...derHeader(0x04, nonceBytes), ...nonce, 0x02, 0x01, tagBytes];
  const parameterSequence = [...derHeader(0x30, parameters.length), ...parameters];
  const algorithm = [...derHeader(0x30, gcmOid.length + parameterSequence.length), ...gcmOid, ...parameterSequence];
  const content = derHeader(0x80, length);
  const info = [...dataOid, ...algorithm, ...content];
  const infoSequence = [...derHeader(0x30, info.length + length), ...info];
  const data = [0x02, 0x01, 0x00, ...infoSequence];
  const dataSequence = [...derHeader(0x30, data.length + length), ...data];
  const explicit = [...derHeader(0xa0, dataSequence.length + length), ...dataSequence];
  const cms = [...encryptedDataOid, ...explicit];
  const cmsSequence = [...derHeader(0x30, cms.length + length), ...cms];
  const total = cmsSequence.length + length;
  return Uint8Array.from([...version, ...materialId, 0, 0, total >> 8, total & 0xff, ...cmsSequence]);
}

/** Sorted pairs, each text (UTF-16, so that lone surrogates stay apart) prefixed by its byte length: no two contexts look the same. */
export function serializeContext(context: ReadonlyMap<string, string>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const key of [...context.keys()].sort()) {
    for (const text of [key, context.get(key) ?? ""]) {
      const bytes = Buffer.from(text, "utf16le");
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      parts.push(length, bytes);
    }
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** One key a message, by a KDF in the manner of NIST SP 800-108 §4.1 with HMAC-SHA-256 and a single block. */
function contentKey(secret: KeyObject, salt: Uint8Array): Uint8Array {
  return createHmac("sha256", secret).update("\u0000\u0000\u0000\u0001kms ciphertext\u0000").update(salt).digest();
}

/** @param materialId - 64 hex digits. */
export function encryptBlob(
  secret: KeyObject,
  materialId: string,
  plaintext: Uint8Array,
  context: ReadonlyMap<string, string>,
): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const salt = randomBytes(saltBytes);
  const head = frame(Buffer.from(materialId, "hex"), nonce, saltBytes + plaintext.length + tagBytes);
  const cipher = createCipheriv("aes-256-gcm", contentKey(secret, salt), nonce);
  cipher.setAAD(Buffer.concat([head, serializeContext(context)]));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return new Uint8Array(Buffer.concat([head, salt, body, cipher.getAuthTag()]));
}

export interface ParsedBlob {
  /** 64 hex digits. */
  readonly materialId: string;
  readonly head: Uint8Array;
  readonly content: Uint8Array;
}

/** Undefined when the bytes do not have the layout to the last byte. */
export function parseBlob(blob: Uint8Array): ParsedBlob | undefined {
  const reference = blob.subarray(version.length, version.length + referenceBytes);
  if (!version.every((byte, i) => blob[i] === byte) || reference.length !== referenceBytes) return undefined;
  const minimum = saltBytes + tagBytes;
  // The head grows with the DER length fields, from 108 bytes to 120.
  for (let headLength = 108; headLength <= 120; headLength += 1) {
    const length = blob.length - headLength;
    if (length < minimum) return undefined;
    const nonceAt = headLength - derHeader(0x80, length).length - 3 - nonceBytes;
    const head = frame(reference, blob.subarray(nonceAt, nonceAt + nonceBytes), length);
    if (head.length !== headLength) continue;
    if (!head.every((byte, i) => blob[i] === byte)) return undefined;
    return { materialId: Buffer.from(reference).toString("hex"), head, content: blob.subarray(headLength) };
  }
  return undefined;
}

/** Undefined when the key, the context or any byte is not the one of the encryption. */
export function decryptBlob(
  secret: KeyObject,
  blob: ParsedBlob,
  context: ReadonlyMap<string, string>,
): Uint8Array | undefined {
  const nonceAt = blob.head.length - derHeader(0x80, blob.content.length).length - 3 - nonceBytes;
  const salt = blob.content.subarray(0, saltBytes);
  const decipher = createDecipheriv(
    "aes-256-gcm",
    contentKey(secret, salt),
    blob.head.subarray(nonceAt, nonceAt + nonceBytes),
    {
      authTagLength: tagBytes,
    },
  );
  decipher.setAAD(Buffer.concat([blob.head, serializeContext(context)]));
  decipher.setAuthTag(blob.content.subarray(blob.content.length - tagBytes));
  try {
    return new Uint8Array(
      Buffer.concat([
        decipher.update(blob.content.subarray(saltBytes, blob.content.length - tagBytes)),
        decipher.final(),
      ]),
    );
  } catch {
    return undefined;
  }
}
