import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCatalog } from "@basil/catalog";
import {
  AeadAlgorithm,
  AeadService,
  type DecryptRequest,
  type DecryptResponse,
  type EncryptRequest,
  type GetSecretResponse,
  ImportSetRequestSchema,
  SecretService,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ALICE, CATALOG_DOCUMENT, testPolicy } from "../../test/documents.js";
import { type MemoryAudit, memoryAudit } from "../../test/memory-audit.js";
import { type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { type MemoryStore, memoryStore } from "../../test/memory-store.js";
import { SocketClient } from "../../test/socket-client.js";
import { type Broker, createBroker } from "../broker.js";
import type { Call } from "./call.js";
import { hasSecrets, zeroSecrets } from "./secret-bytes.js";

/** What went through the handlers, kept as the broker itself had it. */
const seen = vi.hoisted(() => ({ encrypts: [] as unknown[], decrypts: [] as unknown[], gets: [] as unknown[] }));
vi.mock("../handlers/encrypt.js", async (load) => {
  const real = await load<typeof import("../handlers/encrypt.js")>();
  const encrypt = (request: EncryptRequest, call: Call) => {
    seen.encrypts.push(request);
    return real.encrypt(request, call);
  };
  return { ...real, encrypt };
});
vi.mock("../handlers/decrypt.js", async (load) => {
  const real = await load<typeof import("../handlers/decrypt.js")>();
  const decrypt = async (request: DecryptRequest, call: Call) => {
    const response = await real.decrypt(request, call);
    seen.decrypts.push(response);
    return response;
  };
  return { decrypt };
});
vi.mock("../handlers/secrets.js", async (load) => {
  const real = await load<typeof import("../handlers/secrets.js")>();
  const getSecret: typeof real.getSecret = async (request, call) => {
    const response = await real.getSecret(request, call);
    seen.gets.push(response);
    return response;
  };
  return { ...real, getSecret };
});

const bytes = (text: string) => new TextEncoder().encode(text);
const zeros = (text: string) => new Uint8Array(text.length);
const SECRET = "a plaintext of the tests";
const request = { keyId: "app.aead", algorithm: AeadAlgorithm.AES_256_GCM };
let folder: string;
let backend: MemoryBackend;
let store: MemoryStore;
let audit: MemoryAudit;
let broker: Broker;
let client: SocketClient;

beforeEach(async () => {
  for (const kept of Object.values(seen)) kept.length = 0;
  folder = await mkdtemp(join(tmpdir(), "basil-secrets-"));
  backend = memoryBackend();
  store = memoryStore();
  audit = memoryAudit();
  const { backends, keys } = CATALOG_DOCUMENT;
  const catalog = parseCatalog(
    JSON.stringify({
      ...CATALOG_DOCUMENT,
      backends: { ...backends, store: { kind: "keystore", addr: "here", engines: ["kv2"] } },
      keys: {
        ...keys,
        "app.password": {
          class: "value",
          engine: "kv2",
          backend: "store",
          path: "password",
          writable: true,
          missing: "warn",
          description: "a value of the tests",
        },
      },
    }),
  );
  broker = await createBroker({ catalog, policy: testPolicy(), backends: [backend, store], audit });
  await broker.listen({ path: join(folder, "s") });
  client = new SocketClient(join(folder, "s"));
});
afterEach(async () => {
  client.grpc.close();
  await broker.close(0);
  await rm(folder, { recursive: true });
});

const encrypt = (options: { signal?: AbortSignal } = {}) =>
  client.call(AeadService, "encrypt", { ...request, plaintext: bytes(SECRET) }, options);
const encrypted = () => seen.encrypts as EncryptRequest[];
const decrypted = () => seen.decrypts as DecryptResponse[];

describe("a plaintext that came over the socket", () => {
  it("is zeroed once it is encrypted", async () => {
    const { envelope } = await encrypt();
    expect(envelope).toBeDefined();
    expect(encrypted()[0]?.plaintext).toEqual(zeros(SECRET));
  });

  it("is zeroed when no backend is asked", async () => {
    const call = client.call(AeadService, "encrypt", { ...request, keyId: "other.aead", plaintext: bytes(SECRET) });
    await expect(call).rejects.toMatchObject({ code: 7 });
    expect(encrypted()[0]?.plaintext).toEqual(zeros(SECRET));
  });

  it("stays as it is while a backend may read it, though its caller is gone", async () => {
    const asked = Promise.withResolvers<void>();
    const hold = Promise.withResolvers<void>();
    backend.before = () => {
      asked.resolve();
      return hold.promise;
    };
    const gone = new AbortController();
    const call = encrypt({ signal: gone.signal });
    await asked.promise;
    gone.abort();
    await expect(call).rejects.toMatchObject({ code: 1 });
    await expect.poll(() => audit.records.at(-1)).toMatchObject({ op: "encrypt", result: "CANCELLED" });
    expect(encrypted()[0]?.plaintext).toEqual(bytes(SECRET));
    hold.resolve();
    await expect.poll(() => encrypted()[0]?.plaintext).toEqual(zeros(SECRET));
  });

  it("is left to a caller of the same process, whose buffer it is", async () => {
    const plaintext = bytes(SECRET);
    await broker.as(ALICE).encrypt("app.aead", plaintext);
    expect(plaintext).toEqual(bytes(SECRET));
  });
});

describe("a plaintext or value that is answered", () => {
  it("is zeroed once it is encoded, and reaches its caller whole", async () => {
    const { envelope } = await encrypt();
    const reply = await client.call(AeadService, "decrypt", { keyId: "app.aead", envelope: envelope as never });
    expect(reply.plaintext).toEqual(bytes(SECRET));
    expect(decrypted()[0]?.plaintext).toEqual(zeros(SECRET));

    await client.call(SecretService, "setSecret", { secretId: "app.password", value: bytes(SECRET) });
    const got = await client.call(SecretService, "getSecret", { secretId: "app.password" });
    expect(got.value).toEqual(bytes(SECRET));
    expect((seen.gets[0] as GetSecretResponse).value).toEqual(zeros(SECRET));
    expect(store.values.get("password")).toEqual([bytes(SECRET)]);
  });

  it("is zeroed when its record cannot be written and it is withheld", async () => {
    const { envelope } = await encrypt();
    audit.before = () => Promise.reject(new Error("full"));
    const call = client.call(AeadService, "decrypt", { keyId: "app.aead", envelope: envelope as never });
    await expect(call).rejects.toMatchObject({ code: 14 });
    expect(decrypted()[0]?.plaintext).toEqual(zeros(SECRET));
  });

  it("is zeroed in the hands of the backend that gave it, and of one that came too late", async () => {
    const { envelope } = await encrypt();
    const given: Uint8Array[] = [];
    const hold = Promise.withResolvers<void>();
    const { transit } = backend;
    const { decrypt } = transit!;
    Object.assign(transit!, {
      decrypt: async (...args: Parameters<typeof decrypt>) => {
        const result = await decrypt(...args);
        given.push(result.plaintext);
        await hold.promise;
        return result;
      },
    });
    const gone = new AbortController();
    const decryption = { keyId: "app.aead", envelope: envelope as never };
    const call = client.call(AeadService, "decrypt", decryption, { signal: gone.signal });
    await expect.poll(() => given.length).toBe(1);
    gone.abort();
    await expect(call).rejects.toMatchObject({ code: 1 });
    await expect.poll(() => audit.records.at(-1)).toMatchObject({ op: "decrypt", result: "CANCELLED" });
    hold.resolve();
    await expect.poll(() => given[0]).toEqual(zeros(SECRET));
    expect(decrypted()).toEqual([]);
  });

  it("is left to a caller of the same process, whose it is", async () => {
    const alice = broker.as(ALICE);
    expect(await alice.decrypt("app.aead", await alice.encrypt("app.aead", bytes(SECRET)))).toEqual(bytes(SECRET));
  });
});

describe("zeroSecrets", () => {
  it("finds the private keys in a list", () => {
    const seed = bytes(SECRET);
    const set = create(ImportSetRequestSchema, {
      entries: [{ keyId: "a" }, { keyId: "b", material: { material: { case: "ed25519Seed", value: seed } } }],
    });
    zeroSecrets(set);
    expect(seed).toEqual(zeros(SECRET));
  });

  it("knows every message of the protocol that carries a plaintext, a value or a private key", () => {
    const secret = ["plaintext", "value", "private_key_der", "material"];
    const carriers = AeadService.file.messages.filter(({ fields }) => fields.some(({ name }) => secret.includes(name)));
    const unknown = carriers.filter((schema) => !hasSecrets(create(schema))).map(({ name }) => name);
    expect(carriers.length).toBeGreaterThan(10);
    // Only ever a part of ImportSetRequest.
    expect(unknown).toEqual(["ImportEntry"]);
  });
});
