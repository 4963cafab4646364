import { BackendError, type TransitEngine } from "@basil/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALICE } from "../test/documents.js";
import { type MemoryBackend, memoryBackend } from "../test/memory-backend.js";
import { type LoggedLine, memoryLogger } from "../test/memory-logger.js";
import { testBroker } from "../test/test-broker.js";
import type { Broker } from "./broker.js";
import type { VerifySignatures } from "./signature-check.js";

const logged: LoggedLine[] = [];
const message = new TextEncoder().encode("a message");
let backend: MemoryBackend;
let broker: Broker;

async function start(verifySignatures?: VerifySignatures) {
  broker = await testBroker({
    backends: [backend],
    logger: memoryLogger(logged),
    ...(verifySignatures && { verifySignatures }),
  });
  backend.calls.length = 0;
  const alice = broker.as(ALICE);
  return (key = "app.p256") => alice.sign(key, message);
}
const transit = () => backend.transit as { -readonly [M in keyof TransitEngine]: TransitEngine[M] };
const asked = () => backend.calls.map(({ operation }) => operation);
const metric = async (outcome: string, key = "app.p256") =>
  Number(
    new RegExp(`basil_signature_checks_total\\{key="${key}",backend="mem",outcome="${outcome}"\\} (\\d+)`).exec(
      await broker.metrics(),
    )?.[1] ?? 0,
  );
/** From now on the path leads to another key of the backend. */
function moveTo(resource: string, keyVersion = 1) {
  for (const method of ["sign", "publicKey"] as const) {
    const genuine = transit()[method].bind(transit()) as (...call: unknown[]) => Promise<object>;
    Object.assign(transit(), {
      [method]: async (...call: unknown[]) => ({ ...(await genuine(...call)), resource, keyVersion }),
    });
  }
}
const lie = () => {
  transit().sign = async () => ({
    signature: new Uint8Array(64).fill(1),
    keyVersion: 1,
    resource: "memory:alias/p256",
  });
};

beforeEach(() => {
  logged.length = 0;
  backend = memoryBackend();
});
afterEach(() => broker?.close(0));

describe("verify-signatures = first", () => {
  it("is the default, and asks for the public key once a key version", async () => {
    const sign = await start();
    await sign();
    await sign();
    await sign("app.ed");
    await sign("app.ed");
    expect(asked()).toEqual(["sign", "publicKey", "sign", "sign", "publicKey", "sign"]);
    expect([await metric("good"), await metric("good", "app.ed")]).toEqual([1, 1]);
  });

  it("verifies again when another key or another version signs", async () => {
    const sign = await start("first");
    await sign();
    moveTo("memory:another");
    await sign();
    moveTo("memory:another", 2);
    await sign();
    await sign();
    expect(await metric("good")).toBe(3);
  });

  it("withholds a bad one, and every bad one after it, with backend, key and version for the operator", async () => {
    const sign = await start("first");
    lie();
    for (let time = 0; time < 2; time++)
      await expect(sign()).rejects.toMatchObject({ code: "BACKEND_ERROR", message: "backend operation failed" });
    expect(await metric("bad")).toBe(2);
    expect(logged.find(({ level }) => level === "error")).toMatchObject({
      message: "a signature does not verify with the public key of the key that made it: withheld",
      fields: { backend: "mem", kind: "aws-kms", key: "app.p256", resource: "memory:alias/p256", version: 1 },
    });
  });

  it("lets a lie pass that comes after a good first: that is what always is for", async () => {
    const sign = await start("first");
    await sign();
    lie();
    expect((await sign())[0]).toBe(1);
  });

  it.for([
    [
      "access is denied",
      () => new BackendError("ACCESS_DENIED", "denied", { action: "kms:GetPublicKey" }),
      "ACCESS_DENIED",
    ],
    ["the backend is throttled", () => new BackendError("UNAVAILABLE", "slow down", {}), "UNAVAILABLE"],
  ] as const)(
    "serves the signature when %s to the public key, tells it once, and does not ask again at once",
    async ([, failure, code]) => {
      const sign = await start("first");
      transit().publicKey = async () => Promise.reject(failure());
      backend.calls.length = 0;
      for (let time = 0; time < 3; time++) expect((await sign()).length).toBe(64);
      const told = logged.filter(({ level }) => level === "warn");
      expect(told).toMatchObject([{ fields: { backend: "mem", key: "app.p256", code } }]);
      if (code === "ACCESS_DENIED") expect(told[0]?.fields.action).toBe("kms:GetPublicKey");
      expect(await metric("unchecked")).toBe(1);
    },
  );

  it("serves the signature when the public key to be had is of another key than signed, as after a moved alias", async () => {
    const sign = await start("first");
    const publicKey = transit().publicKey;
    transit().publicKey = async (...call) => ({ ...(await publicKey(...call)), resource: "memory:another" });
    expect((await sign()).length).toBe(64);
    expect(logged.find(({ level }) => level === "warn")?.fields).toMatchObject({ code: "KEY_NOT_FOUND" });
  });

  it.for([
    ["none", new Uint8Array(91)],
    ["of another type", undefined],
  ] as const)("withholds the signature when the backend's public key is %s", async ([, bytes]) => {
    const sign = await start("first");
    const publicKey = transit().publicKey;
    transit().publicKey = async (key, context, options) => {
      const of = bytes === undefined ? { ...key, path: "alias/p384" } : key;
      const given = await publicKey(of, context, options);
      return { ...given, keyType: "ecdsa-p256", resource: "memory:alias/p256", ...(bytes && { publicKey: bytes }) };
    };
    await expect(sign()).rejects.toMatchObject({ code: "BACKEND_ERROR" });
    expect(JSON.stringify(logged)).toContain("public key of app.p256");
  });

  it("ends with its caller, whatever the public key does", async () => {
    await start("first");
    transit().publicKey = () => new Promise(() => {});
    await expect(broker.as(ALICE).sign("app.p256", message, { timeoutMs: 50 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
  });
});

describe("verify-signatures = always", () => {
  it("verifies each, and asks for the public key once", async () => {
    const sign = await start("always");
    for (let time = 0; time < 3; time++) await sign();
    expect(asked()).toEqual(["sign", "publicKey", "sign", "sign"]);
    expect(await metric("good")).toBe(3);
    lie();
    await expect(sign()).rejects.toMatchObject({ code: "BACKEND_ERROR" });
  });

  it.for([
    ["ACCESS_DENIED", { action: "kms:GetPublicKey" }, "BACKEND_ERROR"],
    ["UNAVAILABLE", {}, "BACKEND_UNAVAILABLE"],
  ] as const)("serves nothing that cannot be verified: %s", async ([code, details, answer]) => {
    const sign = await start("always");
    transit().publicKey = async () => Promise.reject(new BackendError(code, "no", details as never));
    await expect(sign()).rejects.toMatchObject({ code: answer });
  });

  it("is told by name when it is misspelt", async () => {
    await expect(start("sometimes" as never)).rejects.toThrow("verifySignatures must be first, always, never");
  });
});

describe("verify-signatures = never", () => {
  it("asks for no public key", async () => {
    const sign = await start("never");
    await sign();
    expect(asked()).toEqual(["sign"]);
  });
});
