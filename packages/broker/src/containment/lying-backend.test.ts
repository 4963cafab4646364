import { generateKeyPairSync, sign } from "node:crypto";
import { BackendError, type SignResult, type TransitEngine } from "@basil/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ALICE, testCatalog, testPolicy } from "../../test/documents.js";
import { type MemoryAudit, memoryAudit } from "../../test/memory-audit.js";
import { type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { type LoggedLine, memoryLogger } from "../../test/memory-logger.js";
import { type Broker, type BrokerOptions, createBroker } from "../broker.js";

const logged: LoggedLine[] = [];
const logger = memoryLogger(logged);
const message = new TextEncoder().encode("a message");
let liar: MemoryBackend;
let honest: MemoryBackend;
let audit: MemoryAudit;
let broker: Broker;

/** Two backends: one lies, the other is to go on. */
async function start(options: Partial<BrokerOptions> = {}) {
  broker = await createBroker({
    catalog: testCatalog(({ backends, keys }) => {
      Object.assign(backends, { liar: { ...backends.mem } });
      for (const name of ["app.p256", "app.ed", "app.p384", "app.aead", "app.late"] as const)
        keys[name].backend = "liar";
    }),
    policy: testPolicy(),
    backends: [liar, honest],
    audit,
    logger,
    ...options,
  });
  return broker.as(ALICE);
}

const transit = () => liar.transit as { -readonly [M in keyof TransitEngine]: TransitEngine[M] };
/** What the operator was told, by any level, as one text. */
const told = () => JSON.stringify(logged);
const serving = async () => expect((await broker.as(ALICE).sign("app.p521", message)).length).toBe(132);

beforeEach(() => {
  logged.length = 0;
  liar = memoryBackend("liar");
  honest = memoryBackend();
  audit = memoryAudit();
});
afterEach(async () => {
  vi.useRealTimers();
  await broker?.close(0);
});

describe("a backend whose signature is wrong", () => {
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const byAnother = (text: Uint8Array) =>
    Uint8Array.from(sign("sha256", text, { key: other.privateKey, dsaEncoding: "ieee-p1363" }));
  const lies: readonly (readonly [string, (text: Uint8Array) => unknown])[] = [
    ["of another key", (text) => ({ signature: byAnother(text) })],
    ["of another message", () => ({ signature: byAnother(new Uint8Array(1)) })],
    ["too short", () => ({ signature: new Uint8Array(63) })],
    ["too long", () => ({ signature: new Uint8Array(72) })],
    ["empty", () => ({ signature: new Uint8Array() })],
    ["all zeros", () => ({ signature: new Uint8Array(64) })],
    ["a text", () => ({ signature: "signed" })],
    ["no member at all", () => ({})],
  ];
  it.for(lies)("%s: is withheld, logged by name, and the others are served", async ([, lie]) => {
    const alice = await start({ verifySignatures: "always" });
    const genuine = transit().sign;
    transit().sign = async (key, text, context) => {
      const { signature: _, ...rest } = await genuine(key, text, context);
      return { ...rest, ...(lie(text) as object) } as SignResult;
    };
    await expect(alice.sign("app.p256", message)).rejects.toMatchObject({
      code: "BACKEND_ERROR",
      message: "backend operation failed",
    });
    expect(audit.records.at(-1)).toMatchObject({ result: "BACKEND_ERROR", target_id: "app.p256" });
    expect(told()).toMatch(/backend[^}]*liar/);
    expect(told()).toContain("app.p256");
    await serving();
  });

  it("cannot change it once it was verified", async () => {
    const alice = await start({ verifySignatures: "always" });
    const genuine = transit().sign;
    let kept: Uint8Array = new Uint8Array();
    transit().sign = async (...call) => {
      const result = await genuine(...call);
      kept = result.signature;
      return result;
    };
    const publicKey = transit().publicKey;
    transit().publicKey = async (...call) => {
      kept.fill(0);
      return publicKey(...call);
    };
    const signature = await alice.sign("app.p256", message);
    expect(signature.some((byte) => byte !== 0)).toBe(true);
    expect(await alice.verify("app.p256", message, signature)).toBe(true);
  });

  it("cannot change the message it was given", async () => {
    const alice = await start({ verifySignatures: "always" });
    const genuine = transit().sign;
    transit().sign = async (key, text, context) => {
      text.fill(0);
      return genuine(key, text, context);
    };
    await expect(alice.sign("app.p256", Uint8Array.from(message))).rejects.toMatchObject({ code: "BACKEND_ERROR" });
  });
});

describe("a backend that answers out of shape", () => {
  const bad = { resource: "r", keyVersion: 1 };
  const lies: readonly (readonly [string, keyof TransitEngine, unknown, () => Promise<unknown>])[] = [
    ["publicKey: another type", "publicKey", { ...bad, keyType: "ed25519", publicKey: new Uint8Array(44) }, publicKey],
    ["publicKey: no key", "publicKey", { ...bad, keyType: "ecdsa-p256", publicKey: new Uint8Array(91) }, publicKey],
    [
      "publicKey: far too long",
      "publicKey",
      { ...bad, keyType: "ecdsa-p256", publicKey: new Uint8Array(99_999) },
      publicKey,
    ],
    ["verify: a text for a flag", "verify", { ...bad, valid: "yes" }, verify],
    ["verify: nothing", "verify", undefined, verify],
    ["encrypt: over the limit", "encrypt", envelope(new Uint8Array(100_000)), encrypt],
    ["encrypt: shorter than the plaintext", "encrypt", envelope(new Uint8Array(3)), encrypt],
    ["encrypt: a nonce that is none", "encrypt", { ...envelope(new Uint8Array(40)), envelope: { nonce: 7 } }, encrypt],
    ["encrypt: a version of minus one", "encrypt", envelope(new Uint8Array(40), -1), encrypt],
    ["decrypt: longer than the ciphertext", "decrypt", { ...bad, plaintext: new Uint8Array(4096) }, decrypt],
    ["decrypt: a text", "decrypt", { ...bad, plaintext: "secret" }, decrypt],
    ["createKey: a version that is a text", "createKey", { ...bad, keyVersion: "1" }, create],
    ["createKey: no name of the key", "createKey", { keyVersion: 1 }, create],
  ];
  function envelope(ciphertext: Uint8Array, keyVersion = 1) {
    return { resource: "r", envelope: { keyVersion, nonce: new Uint8Array(12), ciphertext } };
  }
  function publicKey() {
    return broker.as(ALICE).publicKey("app.p256");
  }
  function verify() {
    return broker.as(ALICE).verify("app.p256", message, new Uint8Array(64));
  }
  function encrypt() {
    return broker.as(ALICE).encrypt("app.aead", message, { algorithm: "aes-256-gcm" });
  }
  function decrypt() {
    const sealed = { keyVersion: 1, nonce: new Uint8Array(12), ciphertext: new Uint8Array(40) };
    return broker.as(ALICE).decrypt("app.aead", { ...sealed, algorithm: "aes-256-gcm" });
  }
  function create() {
    return broker.as(ALICE).newKey("app.late", "ecdsa-p256");
  }

  it.for(lies)("%s: is BACKEND_ERROR, logged by name, and the others are served", async ([, method, answer, ask]) => {
    await start();
    Object.assign(transit(), { [method]: async () => answer });
    await expect(ask()).rejects.toMatchObject({ code: "BACKEND_ERROR" });
    expect(told()).toMatch(/backend[^}]*liar/);
    await serving();
  });

  it.for([
    ["a state there is not", { state: "maybe" }],
    ["present without a name", { state: "present", latestVersion: 1 }],
    ["a version that is a fraction", { state: "present", latestVersion: 1.5, resource: "r" }],
    ["a key type there is not", { state: "present", latestVersion: 1, resource: "r", keyType: "rot13" }],
    ["nothing", null],
  ] as const)("probe, %s: keeps the broker from starting, and names the keys", async ([, answer]) => {
    liar.probe = async () => answer as never;
    const refused = await start().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "RECONCILE_FAILED" });
    expect(String(refused)).toContain("app.p256");
  });

  it("survives any answer of any method", async () => {
    const alice = await start({ verifySignatures: "never" });
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (answer) => {
        transit().sign = async () => answer as never;
        await alice.sign("app.p256", message).then(
          (signature) => expect(signature.length).toBe(64),
          (error) => expect(error).toMatchObject({ code: "BACKEND_ERROR" }),
        );
      }),
      { numRuns: 200 },
    );
    await serving();
  });
});

describe("a backend that fails out of shape", () => {
  const throwing = (make: () => unknown) => () => {
    throw make();
  };
  const failures: readonly (readonly [string, () => never])[] = [
    ["a text", throwing(() => "a string")],
    ["nothing", throwing(() => undefined)],
    ["an object without a prototype", throwing(() => Object.create(null))],
    [
      "a proxy that throws",
      throwing(
        () => new Proxy({}, { get: throwing(() => new Error("x")), getPrototypeOf: throwing(() => new Error("x")) }),
      ),
    ],
    [
      "an error whose message throws",
      throwing(() => Object.defineProperty(new Error("x"), "message", { get: throwing(() => new Error("y")) })),
    ],
  ];
  it.for(failures)("throws %s before it returns: is BACKEND_ERROR, and the others are served", async ([, fail]) => {
    const alice = await start();
    transit().sign = fail;
    await expect(alice.sign("app.p256", message)).rejects.toMatchObject({ code: "BACKEND_ERROR" });
    transit().sign = async () => fail();
    await expect(alice.sign("app.p256", message)).rejects.toMatchObject({ code: "BACKEND_ERROR" });
    expect(told()).toMatch(/backend[^}]*liar/);
    await serving();
  });

  it.for([
    [
      "a size that is a text",
      new BackendError("PAYLOAD_TOO_LARGE", "x", { limit: "the secret" as never, actual: 2 }),
      "PAYLOAD_TOO_LARGE",
    ],
    [
      "a wait that is no number",
      new BackendError("UNAVAILABLE", "x", { retryAfterMs: Number.NaN }),
      "BACKEND_UNAVAILABLE",
    ],
    ["a wait without end", new BackendError("UNAVAILABLE", "x", { retryAfterMs: 1e300 }), "BACKEND_UNAVAILABLE"],
  ] as const)("with details of %s: the caller sees numbers that make sense", async ([, failure, code]) => {
    const alice = await start();
    transit().sign = async () => Promise.reject(failure);
    const error = await alice.sign("app.p256", message).catch((thrown) => thrown);
    expect(error).toMatchObject({ code });
    expect(error.message).not.toContain("secret");
    if (code === "BACKEND_UNAVAILABLE") expect(error.details.retryAfterMs).toBeLessThanOrEqual(3_600_000);
  });

  it("with the caller's own words is not taken for the caller's going away", async () => {
    const alice = await start();
    transit().sign = async () => Promise.reject(new DOMException("aborted", "AbortError"));
    await expect(alice.sign("app.p256", message)).rejects.toMatchObject({ code: "BACKEND_ERROR" });
  });
});

describe("a backend that never answers", () => {
  const never = () => new Promise<never>(() => {});

  it("is unavailable after its time, and the others are served meanwhile", async () => {
    const alice = await start({ limits: { backendTimeoutMs: 100 } });
    transit().sign = never;
    const waiting = alice.sign("app.p256", message);
    await Promise.all([serving(), expect(waiting).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" })]);
  });

  it("a promise of its own kind that calls back twice, or never, is one answer at most", async () => {
    const alice = await start({ limits: { backendTimeoutMs: 100 }, verifySignatures: "never" });
    const signature = new Uint8Array(64);
    const answer = { signature, keyVersion: 1, resource: "r" };
    // biome-ignore lint/suspicious/noThenProperty: the lie under test
    transit().sign = () => ({ then: (resolve: (it: unknown) => void) => [resolve(answer), resolve(7)] }) as never;
    expect(await alice.sign("app.p256", message)).toEqual(signature);
    // biome-ignore lint/suspicious/noThenProperty: the lie under test
    transit().sign = () => ({ then() {} }) as never;
    await expect(alice.sign("app.p256", message)).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
  });

  it("closing it is given up after five seconds, and told", async () => {
    await start();
    liar[Symbol.asyncDispose] = never;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const closing = broker.close(0);
    await vi.advanceTimersByTimeAsync(5000);
    await closing;
    expect(honest.disposed).toBe(true);
    expect(logged).toContainEqual(
      expect.objectContaining({
        level: "warn",
        message: "a backend could not be closed",
        fields: expect.objectContaining({ backend: "liar" }),
      }),
    );
  });

  it("closing it may throw", async () => {
    await start();
    liar[Symbol.asyncDispose] = () => {
      throw new Error("no");
    };
    await broker.close(0);
    expect(honest.disposed).toBe(true);
    expect(told()).toContain("a backend could not be closed");
  });
});

describe("a backend that lies about what it is", () => {
  it.for([
    [
      "an engine it does not have",
      () => Object.assign(liar, { capabilities: { ...liar.capabilities, engines: ["transit", "kv2"] } }),
      /engine kv2 is claimed/,
    ],
    ["an engine it does not claim", () => Object.assign(liar, { kv2: {} }), /engine kv2 is not claimed/],
    [
      "rotate without the method",
      () =>
        Object.assign(liar, {
          capabilities: { ...liar.capabilities, keyTypes: { ed25519: { operations: ["rotate"] } } },
        }),
      /rotate is claimed/,
    ],
    [
      "a method that is none",
      () => Object.assign(liar.transit ?? {}, { encrypt: 7 }),
      /transit\.encrypt must be a method/,
    ],
    [
      "operations there are not",
      () =>
        Object.assign(liar, { capabilities: { ...liar.capabilities, keyTypes: { ed25519: { operations: ["fly"] } } } }),
      /operations has "fly"/,
    ],
    [
      "capabilities behind a proxy",
      () => Object.assign(liar, { capabilities: new Proxy(liar.capabilities, {}) }),
      /capabilities must be plain data/,
    ],
    ["no capabilities", () => Object.assign(liar, { capabilities: undefined }), /capabilities must be an object/],
  ] as const)("%s: is refused by name before anything is served, and all are closed", async ([, lie, problem]) => {
    lie();
    const refused = await start().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "BACKEND_CONTRACT", details: { backend: "liar", kind: "aws-kms" } });
    expect(String(refused)).toMatch(problem);
    expect([liar.disposed, honest.disposed]).toEqual([true, true]);
  });

  it.for(["id", "kind", "capabilities"] as const)(
    "a %s that throws when it is read: is refused, and all are closed",
    async (name) => {
      Object.defineProperty(liar, name, {
        get() {
          throw new Error("not told");
        },
      });
      const refused = await start().catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "BACKEND_CONTRACT", message: expect.stringMatching(/not told/) });
      expect([liar.disposed, honest.disposed]).toEqual([true, true]);
    },
  );

  it("claims that change later change nothing", async () => {
    const alice = await start();
    Object.assign(liar.capabilities.keyTypes, {
      ed25519: { operations: ["sign", "publicKey"], message: { min: 5000 } },
    });
    expect((await alice.sign("app.ed", message)).length).toBe(64);
  });
});
