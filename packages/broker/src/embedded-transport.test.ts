import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, connect, connectEmbedded, openStream, sealStream } from "@basil/client";
import { BackendError } from "@basil/core";
import { AdminService, grpcMethods, WatchRequestSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALICE } from "../test/documents.js";
import { type MemoryBackend, memoryBackend } from "../test/memory-backend.js";
import { testBroker } from "../test/test-broker.js";
import type { Broker } from "./broker.js";

const bytes = (text: string) => new TextEncoder().encode(text);
let folder: string;
let backend: MemoryBackend;
let broker: Broker;
let client: Client;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-embedded-"));
  backend = memoryBackend();
  broker = await testBroker({ backends: [backend] });
  await broker.listen({ path: join(folder, "s") });
});
afterEach(async () => {
  await client[Symbol.asyncDispose]();
  await broker.close(0);
  await rm(folder, { recursive: true });
});

/** One client, two ways to the broker: each rule holds for both. */
const WAYS = [
  ["the socket", () => connect(join(folder, "s"))],
  ["the process", async () => connectEmbedded(broker.transport(ALICE))],
] as const;

describe.for(WAYS)("a client over %s", ([, open]) => {
  beforeEach(async () => {
    client = await open();
  });

  it("signs, verifies, encrypts and decrypts", async () => {
    const signature = await client.sign("app.p256", bytes("m"));
    expect(await client.verify("app.p256", bytes("m"), signature)).toBe(true);
    const envelope = await client.encrypt("app.aead", bytes("p"), { aad: bytes("a") });
    expect(await client.decrypt("app.aead", envelope, { aad: bytes("a") })).toEqual(bytes("p"));
  });

  it("lists, and reads keys, status and readiness", async () => {
    expect((await client.listCatalog({ prefix: "app.p" })).map(({ name }) => name)).toEqual([
      "app.p256",
      "app.p384",
      "app.p521",
    ]);
    expect(await client.getPublicKey("app.p384")).toMatchObject({ keyType: "ecdsa-p384", version: 1 });
    expect(await client.status()).toMatchObject({ backend: "aws-kms", protocol: 1 });
    expect(await client.readiness()).toMatchObject({ ready: true, keysOptionalMissing: 2 });
  });

  it.for([
    ["a forbidden key", (c: Client) => c.sign("other.p256", bytes("m")), "UNAUTHORIZED", "sign"],
    ["a wrong class", (c: Client) => c.sign("app.aead", bytes("m")), "INVALID_REQUEST", "sign"],
    ["a payload that is too large", (c: Client) => c.sign("app.ed", new Uint8Array(5000)), "PAYLOAD_TOO_LARGE", "sign"],
    ["what is not offered", (c: Client) => c.rotate("app.p256"), "UNSUPPORTED", "rotate_secret"],
  ] as const)("fails alike for %s", async ([, call, code, op]) => {
    await expect(call(client)).rejects.toMatchObject({ name: "ClientError", code, op, reason: code });
  });

  it("passes on an outage with its hint", async () => {
    backend.before = () => {
      throw new BackendError("UNAVAILABLE", "down", { retryAfterMs: 42 });
    };
    await expect(client.sign("app.p256", bytes("m"))).rejects.toMatchObject({
      code: "BACKEND_UNAVAILABLE",
      retryable: true,
      retryAfterMs: 42,
    });
  });

  it("names the request of a failure as the audit log does, and that of a refusal not", async () => {
    const failed = client.sign("app.aead", bytes("m"));
    await expect(failed).rejects.toMatchObject({ requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    await expect(client.sign("other.p256", bytes("m"))).rejects.toMatchObject({ requestId: undefined });
  });

  it("seals and opens what is larger than a message may be", async () => {
    const content = new Uint8Array(5_000_000).fill(7);
    const aad = bytes("a");
    const opened = await openStream(client, await sealStream(client, "app.aead", content, { aad }), { aad });
    let length = 0;
    for await (const chunk of opened) length += chunk.length;
    expect(length).toBe(content.length);
    const sealed = await sealStream(client, "app.aead", content);
    await expect(openStream(client, sealed, { aad })).rejects.toMatchObject({ code: "DECRYPT_FAILED" });
    await expect(sealStream(client, "other.aead", content)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });

  it("ends calls in CLOSED once it is closed, those under way and later ones", async () => {
    const asked = Promise.withResolvers<void>();
    backend.before = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const call = client.sign("app.p256", bytes("m"));
    void asked.promise.then(() => client[Symbol.asyncDispose]());
    await expect(call).rejects.toMatchObject({ code: "CLOSED" });
    await expect(client.health()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(client.listCatalog()).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("gives up at its deadline and with its signal", async () => {
    backend.before = () => new Promise(() => {});
    const late = client.sign("app.p256", bytes("m"), { timeoutMs: 50 });
    await expect(late).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    const controller = new AbortController();
    const call = client.sign("app.p256", bytes("m"), { signal: controller.signal });
    const reason = new Error("enough");
    setImmediate(() => controller.abort(reason));
    await expect(call).rejects.toMatchObject({ code: "CANCELLED", cause: reason });
  });

  it("watches until it is told to stop", async () => {
    const controller = new AbortController();
    const events: unknown[] = [];
    const watching = (async () => {
      for await (const event of client.watch({ signal: controller.signal })) events.push(event);
    })();
    setTimeout(() => controller.abort(), 20);
    await expect(watching).rejects.toMatchObject({ code: "CANCELLED" });
    expect(events).toEqual([]);
  });
});

describe("EmbeddedTransport", () => {
  it("goes on with a stream whose deadline is further away than a timer reaches", async () => {
    client = connectEmbedded(broker.transport(ALICE));
    const controller = new AbortController();
    const { watch } = grpcMethods(AdminService);
    const options = { signal: controller.signal, timeoutMs: 3_000_000_000 };
    const stream = broker.transport(ALICE).serverStream(watch, create(WatchRequestSchema), options);
    setTimeout(() => controller.abort(), 30);
    await expect(stream.next()).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("ends a stream at its deadline with an error", async () => {
    client = connectEmbedded(broker.transport(ALICE));
    const { watch } = grpcMethods(AdminService);
    const stream = broker.transport(ALICE).serverStream(watch, create(WatchRequestSchema), { timeoutMs: 20 });
    await expect(stream.next()).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });
});

describe("Caller", () => {
  it("names the request of a failure as the audit log does, and that of a refusal not", async () => {
    client = connectEmbedded(broker.transport(ALICE));
    const alice = broker.as(ALICE);
    await expect(alice.sign("app.aead", bytes("m"))).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    await expect(alice.sign("other.p256", bytes("m"))).rejects.toMatchObject({ requestId: undefined });
  });
});
