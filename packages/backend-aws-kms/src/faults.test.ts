import { isBackendError, type KeyRef } from "@basil/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { context } from "../test/call-context.js";
import { type Emulated, emulated, keyRef, useProfiles } from "../test/emulated.js";
import type { AwsKmsOptions } from "./options.js";

beforeAll(useProfiles);
afterAll(() => vi.unstubAllEnvs());

const message = new TextEncoder().encode("hello");
const signing = keyRef("ecdsa-p256");
const aes = keyRef("aes-256-gcm");
const fresh: KeyRef = { ...signing, path: "alias/basil/fresh" };

type Opened = ReturnType<Emulated["open"]>;
interface Sealed {
  readonly signature: Uint8Array;
  readonly envelope: Parameters<Opened["transit"]["decrypt"]>[1];
}

/** Each operation with the KMS call that is faulted, and a check that its result is right. */
const OPERATIONS: Readonly<
  Record<string, (backend: Opened, sealed: Sealed, call?: ReturnType<typeof context>) => Promise<unknown>>
> = {
  Sign: async ({ transit }, _, call = context()) => {
    const { signature } = await transit.sign(signing, message, call);
    expect(await transit.verify(signing, message, signature, context())).toMatchObject({ valid: true });
  },
  Verify: async ({ transit }, { signature }, call = context()) => {
    expect(await transit.verify(signing, message, signature, call)).toMatchObject({ valid: true });
  },
  GetPublicKey: async ({ transit }, _, call = context()) => {
    expect((await transit.publicKey(signing, call)).publicKey).toHaveLength(91);
  },
  Encrypt: async ({ transit }, _, call = context()) => {
    const { envelope } = await transit.encrypt(aes, message, undefined, call);
    expect(await transit.decrypt(aes, envelope, undefined, context())).toMatchObject({ plaintext: message });
  },
  Decrypt: async ({ transit }, { envelope }, call = context()) => {
    expect(await transit.decrypt(aes, envelope, undefined, call)).toMatchObject({ plaintext: message });
  },
  DescribeKey: async ({ probe }, _, call = context()) => {
    expect(await probe(signing, call)).toMatchObject({ state: "present" });
  },
};

async function withEmulator(
  options: Partial<AwsKmsOptions>,
  run: (test: Emulated, backend: Opened, sealed: Sealed) => Promise<void>,
): Promise<void> {
  await using test = await emulated();
  const admin = test.open("admin");
  const { signature } = await admin.transit.sign(signing, message, context());
  const { envelope } = await admin.transit.encrypt(aes, message, undefined, context());
  await run(test, test.open("admin", { attemptTimeoutMs: 750, ...options }), { signature, envelope });
}

/** An assertion that is awaited later would be taken for one of the test that began last: these tests run side by side. */
const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

const PASSING = [
  ["two throttles", { kind: "throttle" }, 2],
  ["two 500s", { kind: "error" }, 2],
  ["two 503s of the key", { kind: "error", status: 503, code: "KeyUnavailableException" }, 2],
  ["a reset", { kind: "reset" }, 1],
  ["a cut answer", { kind: "truncate" }, 1],
  ["no answer once", { kind: "hang" }, 1],
  ["a slow answer", { kind: "latency", ms: 50 }, 1],
  ["a wrong Date", { kind: "date", offsetMs: 3_600_000 }, 1],
] as const;

const BY_WIRE = (["lean", "sdk"] as const).flatMap((wire) =>
  Object.keys(OPERATIONS).map((name) => [name, wire] as const),
);

describe.concurrent.for(BY_WIRE)("%s over the %s wire", ([operation, wire]) => {
  const run = OPERATIONS[operation] ?? expect.fail();

  it.for(PASSING)("succeeds through %s", ([, fault, times]) =>
    withEmulator({ wire }, async ({ emulator }, backend, sealed) => {
      emulator.faults.add({ fault, operation, times });
      await run(backend, sealed);
      expect(emulator.faults.pending).toEqual([]);
    }),
  );

  it.for([
    ["throttling", { kind: "throttle" }],
    ["500", { kind: "error" }],
    ["resets", { kind: "reset" }],
    ["cut answers", { kind: "truncate" }],
    ["silence", { kind: "hang" }],
  ] as const)("is UNAVAILABLE with a retry hint through lasting %s, and works as soon as it ends", ([, fault]) =>
    withEmulator({ wire, operationTimeoutMs: 3000 }, async ({ emulator }, backend, sealed) => {
      emulator.faults.add({ fault, operation, times: Number.POSITIVE_INFINITY });
      await expect(run(backend, sealed)).rejects.toMatchObject({
        code: "UNAVAILABLE",
        details: { retryAfterMs: expect.any(Number) },
      });
      emulator.faults.clear();
      await run(backend, sealed);
    }),
  );

  it("is DEADLINE_EXCEEDED when KMS is silent beyond the caller's deadline, and other keys answer meanwhile", () =>
    withEmulator({ wire, attemptTimeoutMs: 5000 }, async ({ emulator }, backend, sealed) => {
      emulator.faults.add({ fault: { kind: "hang" }, operation });
      const started = performance.now();
      const refused = failureOf(run(backend, sealed, context({ deadline: Date.now() + 1000 })));
      const other = keyRef("ecdsa-p384");
      await vi.waitFor(() => expect(emulator.faults.pending).toEqual([]), { timeout: 3000 });
      await backend.transit.sign(other, message, context());
      expect(await refused).toMatchObject({ code: "DEADLINE_EXCEEDED" });
      expect(performance.now() - started).toBeLessThan(3000);
    }));

  it("is CANCELLED as soon as the caller leaves", () =>
    withEmulator({ wire, attemptTimeoutMs: 5000 }, async ({ emulator }, backend, sealed) => {
      emulator.faults.add({ fault: { kind: "hang" }, operation });
      const caller = new AbortController();
      const refused = failureOf(run(backend, sealed, context({ signal: caller.signal })));
      await vi.waitFor(() => expect(emulator.faults.pending).toEqual([]), { timeout: 3000 });
      caller.abort();
      expect(await refused).toMatchObject({ code: "CANCELLED" });
    }));
});

describe.concurrent("createKey", () => {
  const create = ({ transit }: Opened) => transit.createKey(fresh, context());
  const made = ({ emulator }: Emulated) =>
    emulator.keys.list().filter(({ aliases }) => aliases.length === 0 || aliases.includes(fresh.path));

  it.for(PASSING.filter(([, { kind }]) => kind !== "hang"))("finishes through %s of CreateAlias", ([, fault, times]) =>
    withEmulator({}, async (test, backend) => {
      test.emulator.faults.add({ fault, operation: "CreateAlias", times });
      await expect(create(backend)).resolves.toMatchObject({ keyVersion: 1 });
      expect(made(test)).toHaveLength(1);
    }),
  );

  it("finishes when CreateAlias was carried out and its answer lost", () =>
    withEmulator({}, async (test, backend) => {
      test.emulator.faults.add({ fault: { kind: "reset", applies: true }, operation: "CreateAlias" });
      await expect(create(backend)).resolves.toMatchObject({ keyVersion: 1 });
      expect(made(test)).toHaveLength(1);
    }));

  it.for([
    ["a reset", { kind: "reset", applies: true }],
    ["silence", { kind: "hang", applies: true }],
    ["a 500", { kind: "error", applies: true }],
    ["a cut answer", { kind: "truncate" }],
  ] as const)("goes out once and finds the key by its Description after %s that hid its making", ([, fault]) =>
    withEmulator({}, async (test, backend) => {
      test.emulator.faults.add({ fault, operation: "CreateKey" });
      const { resource } = await create(backend);
      expect(test.emulator.calls.filter(({ operation }) => operation === "CreateKey")).toHaveLength(1);
      expect(made(test)).toEqual([expect.objectContaining({ arn: resource, aliases: [fresh.path] })]);
    }),
  );

  it("is UNAVAILABLE and names the Description when nothing was made", () =>
    withEmulator({}, async (test, backend) => {
      test.emulator.faults.add({ fault: { kind: "reset" }, operation: "CreateKey" });
      const failure = await create(backend).catch((error: unknown) => error);
      expect(isBackendError(failure) && failure.code).toBe("UNAVAILABLE");
      expect(failure).toMatchObject({ message: expect.stringContaining(`at ${fresh.path}`) });
      expect(made(test)).toEqual([]);
    }));

  it("waits out throttling", () =>
    withEmulator({}, async (test, backend) => {
      test.emulator.faults.add({ fault: { kind: "throttle" }, operation: "CreateKey", times: 2 });
      await create(backend);
      expect(made(test)).toHaveLength(1);
    }));
});

/** What a rotation calls, each with the key it is faulted on. */
const ROTATION_CALLS = {
  "ecdsa-p256": ["DescribeKey", "CreateAlias", "UpdateAlias", "Sign", "Verify"],
  "aes-256-gcm": ["Encrypt", "Decrypt"],
} as const;
const ROTATIONS = Object.entries(ROTATION_CALLS).flatMap(([keyType, calls]) =>
  calls.map((operation) => [operation, keyType as keyof typeof ROTATION_CALLS] as const),
);

describe.concurrent.for(ROTATIONS)("rotate, faulted at %s of %s", ([operation, keyType]) => {
  const key = keyRef(keyType);
  const rotate = ({ transit }: Opened, call = context()) => transit.rotate?.(key, call) ?? expect.fail();
  const keysNamed = ({ emulator }: Emulated) =>
    emulator.keys.list().filter(({ aliases }) => aliases.some((alias) => alias.startsWith(`${key.path}/v`)));
  const keyAt = ({ emulator }: Emulated, alias: string) =>
    emulator.keys.list().find(({ aliases }) => aliases.includes(alias))?.arn;

  it.for(PASSING)("finishes through %s", ([, fault, times]) =>
    withEmulator({ rotation: true }, async (test, backend) => {
      test.emulator.faults.add({ fault, operation, times });
      const { resource } = await rotate(backend);
      expect(keysNamed(test)).toHaveLength(2);
      expect(keyAt(test, key.path)).toBe(resource);
      expect(test.emulator.faults.pending).toEqual([]);
    }),
  );

  it("finishes when the call was carried out and its answer lost", () =>
    withEmulator({ rotation: true }, async (test, backend) => {
      test.emulator.faults.add({ fault: { kind: "reset", applies: true }, operation });
      const { resource } = await rotate(backend);
      expect(keysNamed(test)).toHaveLength(2);
      expect(keyAt(test, key.path)).toBe(resource);
    }));

  it.for([
    ["throttling", { kind: "throttle" }],
    ["500", { kind: "error" }],
    ["resets", { kind: "reset" }],
    ["silence", { kind: "hang" }],
  ] as const)("is UNAVAILABLE through lasting %s, moves nothing, and goes on where it stopped", ([, fault]) =>
    withEmulator({ rotation: true, operationTimeoutMs: 4000 }, async (test, backend) => {
      const before = keyAt(test, key.path);
      test.emulator.faults.add({ fault, operation, times: Number.POSITIVE_INFINITY });
      await expect(rotate(backend)).rejects.toMatchObject({ code: "UNAVAILABLE" });
      expect(keyAt(test, key.path)).toBe(before);
      test.emulator.faults.clear();
      const { resource, keyVersion } = await rotate(backend);
      expect(keyVersion).toBe(2);
      expect(keyAt(test, key.path)).toBe(resource);
      // A CreateAlias that lasts leaves a key without a name, and without a journal nobody goes on with it.
      expect(keysNamed(test)).toHaveLength(2);
    }),
  );

  it("ends with the caller's deadline, and moves nothing", () =>
    withEmulator({ rotation: true, attemptTimeoutMs: 5000 }, async (test, backend) => {
      const before = keyAt(test, key.path);
      test.emulator.faults.add({ fault: { kind: "hang" }, operation, times: Number.POSITIVE_INFINITY });
      const started = performance.now();
      await expect(rotate(backend, context({ deadline: Date.now() + 700 }))).rejects.toMatchObject({
        code: "DEADLINE_EXCEEDED",
      });
      expect(performance.now() - started).toBeLessThan(5000);
      expect(keyAt(test, key.path)).toBe(before);
    }));
});

describe.concurrent("rotate, faulted at CreateKey", () => {
  const rotate = ({ transit }: Opened) => transit.rotate?.(signing, context()) ?? expect.fail();
  const keys = ({ emulator }: Emulated) => emulator.keys.list().filter(({ spec }) => spec === "ECC_NIST_P256");

  it.for([
    ["two throttles", { kind: "throttle" }, 2],
    ["a reset that hid its making", { kind: "reset", applies: true }, 1],
    ["silence that hid its making", { kind: "hang", applies: true }, 1],
    ["a 500 that hid its making", { kind: "error", applies: true }, 1],
    ["a cut answer", { kind: "truncate" }, 1],
  ] as const)("makes one key through %s", ([, fault, times]) =>
    withEmulator({ rotation: true }, async (test, backend) => {
      test.emulator.faults.add({ fault, operation: "CreateKey", times });
      await expect(rotate(backend)).resolves.toMatchObject({ keyVersion: 2 });
      expect(keys(test)).toHaveLength(2);
    }),
  );

  it("is UNAVAILABLE and names the Description when nothing was made, and works when the fault is over", () =>
    withEmulator({ rotation: true }, async (test, backend) => {
      test.emulator.faults.add({ fault: { kind: "reset" }, operation: "CreateKey" });
      await expect(rotate(backend)).rejects.toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringContaining(`at ${signing.path}`),
      });
      await expect(rotate(backend)).resolves.toMatchObject({ keyVersion: 2 });
      expect(keys(test)).toHaveLength(2);
    }));
});
