import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AdminService,
  type AeadAlgorithm,
  AeadService,
  CatalogEntrySchema,
  CatalogKind,
  CiphertextEnvelopeSchema,
  DecryptResponseSchema,
  EncryptResponseSchema,
  encodeStatusDetails,
  GetPublicKeyResponseSchema,
  grpcMethods,
  HealthResponseSchema,
  KeyType,
  NewKeyResponseSchema,
  ReadinessReason,
  ReadinessResponseSchema,
  SecretService,
  SigningService,
  SignResponseSchema,
  STATUS_DETAILS_KEY,
  VerifyResponseSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { Metadata, Server, ServerCredentials, type ServiceDefinition, type status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Client } from "./client.js";
import { connect } from "./connect.js";

const text = (value: string) => new TextEncoder().encode(value);
const refusal = (code: status, message: string, reason?: string, extra: Record<string, string> = {}) => {
  const metadata = new Metadata();
  if (reason) {
    const details = encodeStatusDetails({ code, message, reason, op: "sign" });
    metadata.set(STATUS_DETAILS_KEY, Buffer.from(details));
  }
  for (const [key, value] of Object.entries(extra)) metadata.set(key, value);
  return { code, details: message, metadata };
};

type Unary = (
  call: { request: never; once(event: string, listener: () => void): void },
  done: (error: unknown, value?: unknown) => void,
) => void;

const LEAK = { trustDomain: "d", jti: "j" };

let folder: string;
let path: string;
let server: Server;
let client: Client | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-client-"));
  path = join(folder, "s.sock");
  server = new Server();
});
afterEach(async () => {
  await client?.[Symbol.asyncDispose]();
  client = undefined;
  server.forceShutdown();
  await rm(folder, { recursive: true });
});

async function serve(service: Parameters<typeof grpcMethods>[0], handlers: Record<string, unknown>): Promise<Client> {
  const methods = grpcMethods(service) as unknown as ServiceDefinition;
  server.addService(methods, handlers as Record<string, never>);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
  client = await connect(path);
  return client;
}

describe("connect", () => {
  it.for([
    ["nothing is there", async () => {}, "ENOENT"],
    ["a file is there that is no socket", () => writeFile(path, ""), "ECONNREFUSED"],
  ] as const)("fails at once when %s", async ([, prepare, errno]) => {
    await prepare();
    await expect(connect(path)).rejects.toMatchObject({
      code: "UNREACHABLE",
      details: { path, errno },
      retryable: true,
      grpcStatus: undefined,
    });
  });

  it("gives up when the signal aborts", async () => {
    const reason = new Error("enough");
    await expect(connect(path, { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: "CANCELLED",
      cause: reason,
    });
  });

  it.for([
    ["timeoutMs 0", "x", { timeoutMs: 0 }],
    ["timeoutMs NaN", "x", { timeoutMs: Number.NaN }],
    ["keepAliveMs -1", "x", { keepAliveMs: -1 }],
    ["an empty path", "", {}],
  ] as const)("refuses %s as a wrong argument", async ([, where, options]) => {
    await expect(connect(where, options)).rejects.toThrow(TypeError);
  });
});

describe("connect", () => {
  const health = (_: unknown, done: (error: null, value: unknown) => void) =>
    done(null, create(HealthResponseSchema, { alive: true }));

  it.for([
    ["two slashes at its start", () => `/${path}`],
    ["a link and .. in it", () => join(folder, "elsewhere").concat("/../s.sock")],
    ["a dot in it", () => `${folder}/./s.sock`],
  ] as const)("reaches the very socket it looked at, for a path with %s", async ([, written]) => {
    await mkdir(join(folder, "a", "b"), { recursive: true });
    await symlink(join(folder, "a", "b"), join(folder, "elsewhere"));
    await serve(AdminService, { health });
    await using other = await connect(written());
    expect(await other.health()).toMatchObject({ alive: true });
  });

  it.for([3_000_000_000, 1e300])("waits for an answer within %d ms, longer than any timer", async (timeoutMs) => {
    await serve(AdminService, {
      health: (call: unknown, done: (error: null, value: unknown) => void) => setTimeout(health, 50, call, done),
    });
    await using patient = await connect(path, { timeoutMs });
    expect(await patient.health()).toMatchObject({ alive: true });
  });
});

describe("Client", () => {
  it.for([
    ["a message that is text", () => client?.sign("k", "m" as never), "SignRequest.message"],
    ["a negative version", () => client?.getPublicKey("k", { version: -1 }), "GetPublicKeyRequest.version"],
    ["a time before the epoch", () => client?.revoke({ ...LEAK, expiresAtUnix: -1 }), "RevokeRequest.expires_at_unix"],
    ["half a second", () => client?.revoke({ ...LEAK, expiresAtUnix: 0.5 }), "expiresAtUnix"],
  ] as const)("refuses %s as a wrong argument, and names it", async ([, call, field]) => {
    await serve(AdminService, {});
    const failure = await call()?.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TypeError);
    expect((failure as TypeError).message).toContain(field);
  });

  it("ends in PROTOCOL for an answer that is no message, of one answer and of many", async () => {
    const garbled = () => Buffer.from([0xff, 0xff]);
    const { health } = grpcMethods(AdminService);
    const { listCatalog } = grpcMethods(SecretService);
    server.addService({ listCatalog: { ...listCatalog, responseSerialize: garbled } } as never, {
      listCatalog: (call: { write(entry: unknown): void; end(): void }) => {
        call.write({});
        call.end();
      },
    });
    server.addService({ health: { ...health, responseSerialize: garbled } } as never, {
      health: (_: unknown, done: (error: null, value: unknown) => void) => done(null, {}),
    });
    await serve(SigningService, {});
    await expect(client?.health()).rejects.toMatchObject({ code: "PROTOCOL" });
    await expect(client?.listCatalog()).rejects.toMatchObject({ code: "PROTOCOL" });
  });

  it("sends the authority localhost, for a path is none", async () => {
    let authority: string | undefined;
    await serve(SigningService, {
      sign: ((call: { getHost(): string }, done: (error: null, value: unknown) => void) => {
        authority = call.getHost();
        done(null, create(SignResponseSchema, { signature: text("s") }));
      }) as unknown as Unary,
    });
    expect(await client?.sign("a.key", text("m"))).toEqual(text("s"));
    expect(authority).toBe("localhost");
  });

  it("answers true and false to verify", async () => {
    await serve(SigningService, {
      verify: ({ request }: { request: { signature: Uint8Array } }, done: (error: null, value: unknown) => void) =>
        done(null, create(VerifyResponseSchema, { valid: request.signature[0] === 1 })),
    });
    expect(await client?.verify("k", text("m"), Uint8Array.of(1))).toBe(true);
    expect(await client?.verify("k", text("m"), Uint8Array.of(0))).toBe(false);
  });

  it("names key types as the catalog does", async () => {
    await serve(SigningService, {
      getPublicKey: ({ request }: { request: { keyId: string } }, done: (error: null, value: unknown) => void) =>
        done(
          null,
          create(GetPublicKeyResponseSchema, {
            keyId: request.keyId,
            keyType: request.keyId === "new" ? (31 as KeyType) : KeyType.ECDSA_P256,
            publicKey: text("p"),
            version: 1,
          }),
        ),
      newKey: ({ request }: { request: { keyType: KeyType } }, done: (error: null, value: unknown) => void) =>
        done(null, create(NewKeyResponseSchema, { keyId: KeyType[request.keyType] as string })),
    });
    expect(await client?.getPublicKey("k")).toEqual({
      keyId: "k",
      keyType: "ecdsa-p256",
      publicKey: text("p"),
      version: 1,
    });
    await expect(client?.getPublicKey("new")).rejects.toMatchObject({ code: "PROTOCOL" });
    expect((await client?.newKey("k", "ecdsa-p521"))?.keyId).toBe("ECDSA_P521");
    expect((await client?.newKey("k", undefined))?.keyId).toBe("UNSPECIFIED");
    await expect(client?.newKey("k", "rsa-1024" as never)).rejects.toThrow(TypeError);
  });

  it("keeps absent and empty AAD apart, and refuses an answer without an envelope", async () => {
    await serve(AeadService, {
      encrypt: (
        { request }: { request: { aad?: Uint8Array; algorithm: AeadAlgorithm; keyId: string } },
        done: (error: null, value: unknown) => void,
      ) =>
        done(
          null,
          create(
            EncryptResponseSchema,
            request.keyId === "bare"
              ? {}
              : {
                  envelope: create(CiphertextEnvelopeSchema, {
                    alg: request.algorithm,
                    keyVersion: 3,
                    ciphertext: text(request.aad === undefined ? "absent" : `${request.aad.length} bytes`),
                  }),
                },
          ),
        ),
      decrypt: (
        { request }: { request: { envelope: { ciphertext: Uint8Array } } },
        done: (e: null, v: unknown) => void,
      ) => done(null, create(DecryptResponseSchema, { plaintext: request.envelope.ciphertext })),
    });
    const absent = await client?.encrypt("k", text("p"));
    expect(absent).toEqual({
      algorithm: "aes-256-gcm",
      keyVersion: 3,
      nonce: new Uint8Array(),
      ciphertext: text("absent"),
    });
    expect((await client?.encrypt("k", text("p"), { aad: new Uint8Array() }))?.ciphertext).toEqual(text("0 bytes"));
    await expect(client?.encrypt("bare", text("p"))).rejects.toMatchObject({ code: "PROTOCOL" });
    expect(absent && (await client?.decrypt("k", absent))).toEqual(text("absent"));
  });

  it("drains the catalog", async () => {
    await serve(SecretService, {
      listCatalog: (call: { request: { prefix?: string }; write(entry: unknown): void; end(): void }) => {
        for (const name of ["a", "b"]) {
          call.write(create(CatalogEntrySchema, { name, kind: CatalogKind.ENCRYPTION, latestVersion: 1 }));
        }
        if (call.request.prefix === undefined) {
          call.write(create(CatalogEntrySchema, { name: "c", kind: CatalogKind.SIGNING, keyType: KeyType.ED25519 }));
        }
        call.end();
      },
    });
    expect((await client?.listCatalog({ prefix: "x" }))?.map(({ name, kind }) => [name, kind])).toEqual([
      ["a", "encryption"],
      ["b", "encryption"],
    ]);
    expect((await client?.listCatalog())?.at(-1)).toEqual({
      name: "c",
      kind: "signing",
      keyType: "ed25519",
      latestVersion: 0,
      numbers: { kind: 1, keyType: 1 },
    });
  });

  it("reads health and readiness", async () => {
    await serve(AdminService, {
      health: (_: unknown, done: (error: null, value: unknown) => void) =>
        done(null, create(HealthResponseSchema, { alive: true, version: "1" })),
      readiness: (_: unknown, done: (error: null, value: unknown) => void) =>
        done(null, create(ReadinessResponseSchema, { reason: ReadinessReason.BACKEND_UNREACHABLE, generation: 2n })),
    });
    expect(await client?.health()).toEqual({ alive: true, version: "1" });
    expect(await client?.readiness()).toMatchObject({ ready: false, reason: "backend_unreachable", generation: 2 });
  });
});

describe("ClientError", () => {
  const failing = (error: unknown) =>
    serve(SigningService, { sign: (_: unknown, done: (error: unknown) => void) => done(error) });
  const failure = async (error: unknown) => (await failing(error)).sign("k", text("m")).catch((thrown) => thrown);

  it.for([
    ["a refusal", refusal(7, "not authorized", "UNAUTHORIZED"), "UNAUTHORIZED", "PERMISSION_DENIED", false],
    ["a bad request", refusal(3, "m", "INVALID_REQUEST"), "INVALID_REQUEST", "INVALID_ARGUMENT", false],
    ["an admin's bad request", refusal(3, "m", "INVALID_ARGUMENT"), "INVALID_REQUEST", "INVALID_ARGUMENT", false],
    ["a failed decryption", refusal(3, "m", "DECRYPT_FAILED"), "DECRYPT_FAILED", "INVALID_ARGUMENT", false],
    ["an outage", refusal(14, "m", "BACKEND_UNAVAILABLE"), "BACKEND_UNAVAILABLE", "UNAVAILABLE", true],
    ["a busy broker", refusal(8, "m", "LIMIT_EXCEEDED"), "LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", true],
    ["a large payload", refusal(8, "m", "PAYLOAD_TOO_LARGE"), "PAYLOAD_TOO_LARGE", "RESOURCE_EXHAUSTED", false],
    ["a reason to come", refusal(3, "m", "SOMETHING_NEW"), "INVALID_REQUEST", "INVALID_ARGUMENT", false],
    ["a status without details", refusal(12, "m"), "UNSUPPORTED", "UNIMPLEMENTED", false],
    ["a bare outage", refusal(14, "m"), "UNREACHABLE", "UNAVAILABLE", true],
    ["a status nobody uses", refusal(10, "m"), "PROTOCOL", "ABORTED", false],
  ] as const)("has a code for %s", async ([, error, code, grpcStatus, retryable]) => {
    expect(await failure(error)).toMatchObject({ name: "ClientError", code, grpcStatus, retryable });
  });

  it("carries the broker's reason, operation, request id and retry hint", async () => {
    const trailers = { "grpc-retry-pushback-ms": "250", "basil-request-id": "r-1" };
    expect(await failure(refusal(14, "backend unavailable", "BACKEND_UNAVAILABLE", trailers))).toMatchObject({
      message: "backend unavailable",
      reason: "BACKEND_UNAVAILABLE",
      op: "sign",
      retryAfterMs: 250,
      requestId: "r-1",
    });
  });

  it.for(["-1", "soon", "1e9999"])("takes no retry hint from %s", async (hint) => {
    const error = refusal(14, "m", "BACKEND_UNAVAILABLE", { "grpc-retry-pushback-ms": hint });
    expect((await failure(error)).retryAfterMs).toBeUndefined();
  });
});

describe("a call", () => {
  /** Never answers; tells when the server saw the call begin and when it saw it cancelled. */
  const silent = () => {
    const begun = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const sign = (call: { once(event: string, listener: () => void): void }) => {
      begun.resolve();
      call.once("cancelled", () => cancelled.resolve());
    };
    return { begun: begun.promise, cancelled: cancelled.promise, handlers: { sign } };
  };

  it("ends in DEADLINE_EXCEEDED after its timeout, and the broker learns of it", async () => {
    const { cancelled, handlers } = silent();
    await serve(SigningService, handlers);
    await expect(client?.sign("k", text("m"), { timeoutMs: 100 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await cancelled;
  });

  it("ends in CANCELLED with the signal's reason, and the broker learns of it", async () => {
    const { begun, cancelled, handlers } = silent();
    await serve(SigningService, handlers);
    const controller = new AbortController();
    const call = client?.sign("k", text("m"), { signal: controller.signal });
    const reason = new Error("no longer needed");
    void begun.then(() => controller.abort(reason));
    await expect(call).rejects.toMatchObject({ code: "CANCELLED", cause: reason });
    await cancelled;
    await expect(client?.sign("k", text("m"), { signal: controller.signal })).rejects.toMatchObject({
      code: "CANCELLED",
    });
  });

  it("ends in CLOSED when the client is disposed, and later calls do too", async () => {
    const { begun, handlers } = silent();
    await serve(SigningService, handlers);
    const call = client?.sign("k", text("m"));
    void begun.then(() => client?.[Symbol.asyncDispose]());
    await expect(call).rejects.toMatchObject({ code: "CLOSED" });
    await expect(client?.sign("k", text("m"))).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("ends in UNREACHABLE when the broker hangs and answers no keep-alive", async () => {
    const { begun, handlers } = silent();
    await serve(SigningService, handlers);
    // Stands between the two, and from a moment on passes nothing more on.
    const sockets: Socket[] = [];
    const between = createServer((near) => {
      const far = createConnection(path);
      sockets.push(near, far);
      near.pipe(far).pipe(near);
    });
    const proxied = join(folder, "p.sock");
    await new Promise<void>((resolve) => void between.listen(proxied, resolve));
    await using patient = await connect(proxied, { keepAliveMs: 200, timeoutMs: Number.POSITIVE_INFINITY });
    const call = patient.sign("k", text("m"));
    await begun;
    for (const socket of sockets) socket.unpipe().pause();
    await expect(call).rejects.toMatchObject({ code: "UNREACHABLE", retryable: true });
    for (const socket of sockets) socket.destroy();
    between.close();
  });

  it("ends in UNREACHABLE when the broker goes away, and works again once it is back", async () => {
    const { begun, handlers } = silent();
    await serve(SigningService, handlers);
    const call = client?.sign("k", text("m"));
    void begun.then(() => server.forceShutdown());
    await expect(call).rejects.toMatchObject({ code: "UNREACHABLE", retryable: true });

    server = new Server();
    const first = client;
    await serve(SigningService, {
      sign: (_: unknown, done: (error: null, value: unknown) => void) =>
        done(null, create(SignResponseSchema, { signature: text("again") })),
    });
    await expect
      .poll(() => first?.sign("k", text("m")).catch(() => undefined), { timeout: 5000 })
      .toEqual(text("again"));
    await first?.[Symbol.asyncDispose]();
  });
});
