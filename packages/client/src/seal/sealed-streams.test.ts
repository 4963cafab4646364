import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import {
  type CiphertextEnvelope,
  CiphertextEnvelopeSchema,
  type DecryptRequest,
  DecryptResponseSchema,
  type EncryptRequest,
  EncryptResponseSchema,
  type GrpcMethod,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Client } from "../client.js";
import { ClientError, isClientError } from "../errors.js";
import type { Transport } from "../transport.js";
import type { ByteSource } from "./byte-source.js";
import { MAX_HEADER_BYTES } from "./header.js";
import { openStream } from "./open-stream.js";
import { sealStream } from "./seal-stream.js";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const bytes = (text: string) => new TextEncoder().encode(text);

/** A broker of symmetric keys by name, really encrypting; `calls` are the methods it was asked for. */
function brokerOf(...names: string[]) {
  const keys = new Map(names.map((name) => [name, randomBytes(32)]));
  const calls: string[] = [];
  const keyOf = (name: string) => {
    const key = keys.get(name);
    if (key === undefined) throw new ClientError("UNAUTHORIZED", "not authorized", {});
    return key;
  };
  const contextOf = (aad: Uint8Array | undefined) => (aad === undefined ? Buffer.of(0) : Buffer.of(1, ...aad));
  const encrypt = ({ keyId, plaintext, aad, algorithm }: EncryptRequest) => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", keyOf(keyId), nonce).setAAD(contextOf(aad));
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    const envelope = create(CiphertextEnvelopeSchema, { alg: algorithm, keyVersion: 7, nonce, ciphertext });
    return create(EncryptResponseSchema, { envelope });
  };
  const decrypt = ({ keyId, envelope, aad }: DecryptRequest) => {
    const { nonce, ciphertext } = envelope as CiphertextEnvelope;
    try {
      const decipher = createDecipheriv("aes-256-gcm", keyOf(keyId), nonce).setAAD(contextOf(aad));
      decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
      const plaintext = Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final()]);
      return create(DecryptResponseSchema, { plaintext });
    } catch (cause) {
      throw isClientError(cause) ? cause : new ClientError("DECRYPT_FAILED", "decryption failed", {}, { cause });
    }
  };
  const transport = {
    unary: async (method: never, request: never) => {
      const { path } = method as GrpcMethod<never, never>;
      calls.push(path.slice(path.lastIndexOf("/") + 1));
      return (path.endsWith("/Encrypt") ? encrypt(request) : decrypt(request)) as never;
    },
    serverStream: () => [] as never,
    async [Symbol.asyncDispose]() {},
  } satisfies Transport;
  return { client: new Client(transport), calls };
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const { client, calls } = brokerOf("app.files", "other.key");
const seal = async (source: ByteSource, options = {}) =>
  collect(await sealStream(client, "app.files", source, options));
const open = async (source: ByteSource, options = {}) => collect(await openStream(client, source, options));

/** What came out before the failure, and its code. */
async function failureOf(sealed: Uint8Array, options = {}): Promise<{ code: string; out: Buffer }> {
  const out: Uint8Array[] = [];
  try {
    for await (const chunk of await openStream(client, sealed, options)) out.push(chunk);
  } catch (error) {
    if (isClientError(error)) return { code: error.code, out: Buffer.concat(out) };
    throw error;
  }
  throw new Error("it opened");
}

describe("sealStream and openStream", () => {
  it.for([0, 1, 65_535, 65_536, 65_537, 200_000, 3_000_000])("carry %i bytes, for one call each", async (length) => {
    const content = randomBytes(length);
    calls.length = 0;
    const sealed = await seal(content);
    expect((await open(sealed)).equals(content)).toBe(true);
    expect(calls).toEqual(["Encrypt", "Decrypt"]);
  });

  it("take and give any chunks: web streams, generators, arrays, Node streams", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 4000 }),
        fc.constantFrom<(chunks: Uint8Array[]) => ByteSource>(
          (chunks) => chunks,
          (chunks) => ReadableStream.from(chunks),
          async function* (chunks) {
            yield* chunks;
          },
        ),
        async (chunks, size, as) => {
          const sealed = await seal(as(chunks));
          const pieces = Array.from({ length: Math.ceil(sealed.length / size) }, (_, i) =>
            sealed.subarray(i * size, (i + 1) * size),
          );
          expect((await open(as(pieces))).equals(Buffer.concat(chunks))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("name the key that opened", async () => {
    const opened = await openStream(client, await seal(bytes("text")));
    expect(opened.keyId).toBe("app.files");
    await opened.cancel();
  });

  it("bind the AAD, and keep absent and empty apart", async () => {
    const aads = [undefined, new Uint8Array(), bytes("order 7"), randomBytes(100_000)];
    for (const aad of aads) {
      const sealed = await seal(bytes("text"), { aad });
      for (const other of aads) {
        if (other === aad) expect(await open(sealed, { aad })).toEqual(Buffer.from("text"));
        else expect(await failureOf(sealed, { aad: other })).toEqual({ code: "DECRYPT_FAILED", out: Buffer.alloc(0) });
      }
    }
  });

  it("seal for the age program's recipients as well", async () => {
    const identity = await generateIdentity();
    const recipients = [await identityToRecipient(identity)];
    const sealed = await seal(bytes("text"), { recipients, aad: bytes("a") });
    const age = new Decrypter();
    age.addIdentity(identity);
    expect(await age.decrypt(sealed, "text")).toBe("text");
    expect(await open(sealed, { aad: bytes("a") })).toEqual(Buffer.from("text"));
    await expect(seal(bytes("text"), { recipients: ["age1nonsense"] })).rejects.toThrow(TypeError);
  });
});

describe("sealStream", () => {
  it("writes a header that names key, cipher and version, and nothing else of the broker", async () => {
    const [version, stanza] = (await seal(bytes("text"))).toString("latin1").split("\n");
    expect(version).toBe("age-encryption.org/v1");
    expect(stanza).toMatch(/^-> basil app\.files aes-256-gcm 7 [A-Za-z0-9+/]{16}$/);
  });

  it("reads its source only as it is read, and lets go of it when the reader does", async () => {
    let read = 0;
    let returned = false;
    const endless = (async function* () {
      try {
        for (;;) {
          read += 65_536;
          yield new Uint8Array(65_536);
        }
      } finally {
        returned = true;
      }
    })();
    const sealed = await sealStream(client, "app.files", endless);
    const reader = sealed.getReader();
    for (let n = 0; n < 20; n++) await reader.read();
    expect(read).toBeLessThan(30 * 65_536);
    await reader.cancel();
    await expect.poll(() => returned).toBe(true);
  });

  it("fails as the broker does before a byte is written, and lets go of its source", async () => {
    let cancelled = false;
    const source = new ReadableStream<Uint8Array>({
      cancel() {
        cancelled = true;
      },
    });
    await expect(sealStream(client, "no.such", source)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    await expect.poll(() => cancelled).toBe(true);
  });

  it("ends in what its source throws", async () => {
    const broken = new Error("the disk is gone");
    const source = async function* () {
      yield bytes("some");
      throw broken;
    };
    await expect(seal(source())).rejects.toBe(broken);
  });

  it.for([
    ["a text", "text"],
    ["a number", 7],
    ["nothing", undefined],
  ] as const)("refuses %s as a source", async ([, source]) => {
    await expect(seal(source as never)).rejects.toThrow(TypeError);
  });

  it("refuses chunks that are no bytes, and names that no stanza can hold", async () => {
    await expect(seal(["text"] as never)).rejects.toThrow(/no Uint8Array/);
    const text = Readable.from(["text"]);
    await expect(seal(text)).rejects.toThrow(/no Uint8Array/);
    expect(text.destroyed).toBe(true);
    await expect(sealStream(client, "two words", bytes("text"))).rejects.toThrow(TypeError);
    await expect(sealStream(client, "", bytes("text"))).rejects.toThrow(TypeError);
  });

  it.for([
    ["a web stream", (gone: () => void) => new ReadableStream<Uint8Array>({ cancel: gone })],
    ["a Node stream", (gone: () => void) => new Readable({ read() {} }).once("close", gone)],
  ] as const)(
    "lets go of %s at once when the signal aborts or the reader leaves, also while a read hangs",
    async ([, hanging]) => {
      const controller = new AbortController();
      const aborted = Promise.withResolvers<void>();
      const stream = await sealStream(client, "app.files", hanging(aborted.resolve), { signal: controller.signal });
      controller.abort();
      await expect(collect(stream)).rejects.toMatchObject({ code: "CANCELLED" });
      await aborted.promise;
      const left = Promise.withResolvers<void>();
      await (await sealStream(client, "app.files", hanging(left.resolve))).cancel();
      await left.promise;
    },
  );

  it("ends in CANCELLED when the signal aborts while the source gives nothing", async () => {
    const controller = new AbortController();
    const sealed = await sealStream(client, "app.files", new ReadableStream(), { signal: controller.signal });
    const reason = new Error("enough");
    const ended = collect(sealed);
    setImmediate(() => controller.abort(reason));
    await expect(ended).rejects.toMatchObject({ code: "CANCELLED", cause: reason });
  });
});

describe("openStream", () => {
  it.for([
    ["nothing", new Uint8Array()],
    ["a text", bytes("a letter to somebody")],
    ["the beginning of an age file and no more", bytes("age-encryption.org/v1\n")],
    ["another version of the format", bytes("age-encryption.org/v2\n-> basil k aes-256-gcm 1 -\nAAAA\n--- AAAA\n")],
    ["armor", bytes("-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n")],
    ["a header without a MAC", bytes("age-encryption.org/v1\n-> basil k aes-256-gcm 1 -\nAAAA\n---\n")],
    ["a header that does not end", bytes(`age-encryption.org/v1\n${"-> x y\n\n".repeat(20_000)}`)],
    ["a line that does not end", bytes(`age-encryption.org/v1\n-> ${"x".repeat(MAX_HEADER_BYTES)}`)],
  ])("ends in SEALED_HEADER_INVALID for %s", async ([, input]) => {
    calls.length = 0;
    expect(await failureOf(input as Uint8Array)).toEqual({ code: "SEALED_HEADER_INVALID", out: Buffer.alloc(0) });
    expect(calls).toEqual([]);
  });

  it("reads no more than a header's worth of what never becomes a sealed file", async () => {
    let read = 0;
    const endless = async function* () {
      yield bytes("age-encryption.org/v1\n");
      for (;;) {
        read += 1000;
        yield new Uint8Array(1000).fill(0x2d);
      }
    };
    await expect(openStream(client, endless())).rejects.toMatchObject({ code: "SEALED_HEADER_INVALID" });
    expect(read).toBeLessThan(MAX_HEADER_BYTES + 2000);
  });

  const wrapped = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  it.for([
    ["too few words", "basil app.files aes-256-gcm 7"],
    ["a word too many", "basil app.files aes-256-gcm 7 - x"],
    ["a name that is no key's", `basil ${"k".repeat(513)} aes-256-gcm 7 -`],
    ["a cipher nobody knows", "basil app.files rot13 7 -"],
    ["a version with a zero before it", "basil app.files aes-256-gcm 07 -"],
    ["a version that is none", "basil app.files aes-256-gcm one -"],
    ["a version above 32 bits", "basil app.files aes-256-gcm 4294967296 -"],
    ["a padded nonce", "basil app.files aes-256-gcm 7 AA=="],
    ["a nonce with stray bits", "basil app.files aes-256-gcm 7 AB"],
    ["a nonce of 65 bytes", `basil app.files aes-256-gcm 7 ${Buffer.alloc(65).toString("base64").replace("=", "")}`],
  ])("ends in SEALED_HEADER_INVALID for a stanza with %s", async ([, line]) => {
    const input = bytes(`age-encryption.org/v1\n-> ${line}\n${wrapped}\n--- ${wrapped}\n`);
    calls.length = 0;
    expect((await failureOf(input)).code).toBe("SEALED_HEADER_INVALID");
    expect(calls).toEqual([]);
  });

  it("asks nothing of the broker for an age file of others, or with two basil stanzas", async () => {
    const age = new Encrypter();
    age.addRecipient(await identityToRecipient(await generateIdentity()));
    calls.length = 0;
    expect((await failureOf(await age.encrypt("text"))).code).toBe("SEALED_RECIPIENT_MISSING");
    const stanza = `-> basil app.files aes-256-gcm 7 -\n${wrapped}\n`;
    const twice = bytes(`age-encryption.org/v1\n${stanza}${stanza}--- ${wrapped}\n`);
    expect((await failureOf(twice)).code).toBe("SEALED_HEADER_INVALID");
    expect(calls).toEqual([]);
  });

  it("takes only the key it is told to expect", async () => {
    const sealed = await seal(bytes("text"));
    expect(await open(sealed, { keyId: "app.files" })).toEqual(Buffer.from("text"));
    calls.length = 0;
    await expect(openStream(client, sealed, { keyId: "other.key" })).rejects.toMatchObject({
      code: "SEALED_KEY_UNEXPECTED",
      details: { keyId: "app.files" },
    });
    expect(calls).toEqual([]);
  });

  it("opens nothing that was encrypted for another purpose", async () => {
    // Somebody who may only encrypt puts a key of their own choice into a header.
    const envelope = await client.encrypt("app.files", randomBytes(16));
    const { encodeStanza } = await import("./stanza.js");
    const { args, body } = encodeStanza({ keyId: "app.files", envelope });
    const body64 = Buffer.from(body).toString("base64").replace(/=+$/, "");
    const input = bytes(`age-encryption.org/v1\n-> ${args.join(" ")}\n${body64}\n--- ${wrapped}\n`);
    expect((await failureOf(input)).code).toBe("DECRYPT_FAILED");
  });

  describe("of a file of three chunks and a bit", () => {
    const CHUNK = 65_536 + TAG_BYTES;
    const content = randomBytes(3 * 65_536 + 100);
    const make = async () => {
      const sealed = await seal(content);
      const payload = sealed.indexOf("\n", sealed.indexOf("\n---") + 1) + 1;
      return { sealed, chunks: payload + 16 };
    };

    it.for<[string, (sealed: Buffer, chunks: number) => Buffer, number]>([
      ["the last chunk is gone", (s, c) => s.subarray(0, c + 3 * CHUNK), 2],
      ["all chunks but one are gone", (s, c) => s.subarray(0, c + CHUNK), 0],
      ["all chunks are gone", (s, c) => s.subarray(0, c), 0],
      ["the payload's nonce is cut", (s, c) => s.subarray(0, c - 1), 0],
      ["the last byte is gone", (s) => s.subarray(0, -1), 3],
      ["a byte is appended", (s) => Buffer.concat([s, Buffer.of(0)]), 3],
      ["a chunk is appended", (s, c) => Buffer.concat([s, s.subarray(c, c + CHUNK)]), 3],
      ["two chunks changed places", (s, c) => swapped(s, c, CHUNK), 0],
      ["a chunk is there twice", (s, c) => Buffer.concat([s.subarray(0, c + CHUNK), s.subarray(c)]), 1],
      [
        "a chunk in the middle is gone",
        (s, c) => Buffer.concat([s.subarray(0, c + CHUNK), s.subarray(c + 2 * CHUNK)]),
        1,
      ],
      ["the second chunk has another bit", (s, c) => flipped(s, c + CHUNK + 5), 1],
      ["the payload's nonce has another bit", (s, c) => flipped(s, c - 3), 0],
    ])("gives sound chunks at most, then SEALED_PAYLOAD_INVALID, when %s", async ([, change, sound]) => {
      const { sealed, chunks } = await make();
      const { code, out } = await failureOf(change(sealed, chunks));
      expect(code).toBe("SEALED_PAYLOAD_INVALID");
      expect(out.length).toBeLessThanOrEqual(sound * 65_536);
      expect(out.equals(content.subarray(0, out.length))).toBe(true);
    });

    it("ends in SEALED_HEADER_INVALID when the header gained a recipient", async () => {
      const { sealed } = await make();
      const mac = sealed.indexOf("\n---") + 1;
      const added = Buffer.from(`-> other x\n\n`);
      const changed = Buffer.concat([sealed.subarray(0, mac), added, sealed.subarray(mac)]);
      expect((await failureOf(changed)).code).toBe("SEALED_HEADER_INVALID");
    });
  });

  it("ends in a code, whatever one byte is changed, and gives no byte that was not sealed", async () => {
    const content = randomBytes(70_000);
    const sealed = await seal(content);
    const headerLength = sealed.indexOf("\n", sealed.indexOf("\n---") + 1) + 1;
    const position = fc.oneof(
      fc.integer({ min: 0, max: headerLength + 15 }),
      fc.integer({ min: 0, max: sealed.length - 1 }),
    );
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = Buffer.from(sealed);
        changed[at] = (changed[at] as number) ^ mask;
        const { out } = await failureOf(changed);
        expect(out.equals(content.subarray(0, out.length))).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it("ends in a code for any bytes behind the first line", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom("-", ">", " ", "\n", "A", "basil", "k", "1", "--- ") }),
        async (text) => {
          await failureOf(bytes(`age-encryption.org/v1\n${text}`));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("ends in what its source throws, wherever that is", async () => {
    const sealed = await seal(randomBytes(200_000));
    for (const after of [0, 10, 1000, 150_000]) {
      const broken = new Error("the disk is gone");
      const source = async function* () {
        yield sealed.subarray(0, after);
        throw broken;
      };
      await expect(open(source())).rejects.toBe(broken);
    }
  });

  it("ends in CANCELLED when the signal aborts, in the header or behind it", async () => {
    const sealed = await seal(randomBytes(200_000));
    for (const after of [10, 150_000]) {
      const controller = new AbortController();
      const source = async function* () {
        yield sealed.subarray(0, after);
        controller.abort("SIGINT");
        await new Promise(() => {});
      };
      await expect(open(source(), { signal: controller.signal })).rejects.toMatchObject({
        code: "CANCELLED",
        cause: "SIGINT",
      });
    }
  });
});

function flipped(sealed: Buffer, at: number): Buffer {
  const changed = Buffer.from(sealed);
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}

function swapped(sealed: Buffer, chunks: number, size: number): Buffer {
  const changed = Buffer.from(sealed);
  sealed.copy(changed, chunks, chunks + size, chunks + 2 * size);
  sealed.copy(changed, chunks + size, chunks, chunks + size);
  return changed;
}
