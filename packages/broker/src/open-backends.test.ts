import { BackendError, type BackendPlugin } from "@basil/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { testCatalog } from "../test/documents.js";
import { type MemoryBackend, memoryBackend } from "../test/memory-backend.js";
import { openBackends } from "./open-backends.js";

const opened: MemoryBackend[] = [];
const plugin: BackendPlugin<{ region: string }> = {
  kind: "aws-kms",
  credentialSchema: z.strictObject({ region: z.string() }),
  capabilities: memoryBackend().capabilities,
  async open({ region }, { id }) {
    if (region === "nowhere") throw new BackendError("UNAVAILABLE", "no such region", {});
    const backend = memoryBackend(id);
    opened.push(backend);
    return backend;
  },
};
const plugins = new Map([["aws-kms", plugin as BackendPlugin]]);
const credential = (region: unknown, kind = "aws-kms") => ({ kind, credential: { region } });
const open = (credentials: Record<string, ReturnType<typeof credential>>, kinds = plugins, catalog = testCatalog()) =>
  openBackends({ catalog, credentials: new Map(Object.entries(credentials)), plugins: kinds });

describe("openBackends (§1.3, §1.12)", () => {
  it("opens every backend of the catalog under its name", async () => {
    const backends = await open({ mem: credential("r") });
    expect(backends.map(({ id, kind }) => [id, kind])).toEqual([["mem", "aws-kms"]]);
  });

  it.for([
    ["no credential", {}, plugins, "CREDENTIAL_MISSING", { backend: "mem" }],
    ["one of another kind", { mem: credential("r", "vault") }, plugins, "CREDENTIAL_KIND_MISMATCH", { found: "vault" }],
    ["one of the wrong form", { mem: credential(7) }, plugins, "CREDENTIAL_INVALID", { fields: ["region"] }],
    ["no plugin", { mem: credential("r") }, new Map(), "PLUGIN_NOT_INSTALLED", { kind: "aws-kms", installed: [] }],
    ["a plugin that fails", { mem: credential("nowhere") }, plugins, "BACKEND_OPEN_FAILED", { kind: "aws-kms" }],
  ] as const)("names the backend that has %s", async ([, credentials, kinds, code, details]) => {
    await expect(open(credentials, kinds as typeof plugins)).rejects.toMatchObject({
      code,
      details,
      message: expect.stringContaining('"mem"'),
    });
  });

  it("closes what is open already when a later one fails", async () => {
    const catalog = testCatalog(({ backends }) => {
      Object.assign(backends, { zed: { ...backends.mem } });
    });
    opened.length = 0;
    await expect(open({ mem: credential("r"), zed: credential("nowhere") }, plugins, catalog)).rejects.toMatchObject({
      details: { backend: "zed" },
    });
    expect(opened.map(({ disposed }) => disposed)).toEqual([true]);
  });
});

describe("a plugin that lies", () => {
  type Lie = Partial<BackendPlugin<{ region: string }>>;
  const lying = (lie: Lie, openTimeoutMs = 50) =>
    openBackends({
      catalog: testCatalog(),
      credentials: new Map([["mem", credential("r")]]),
      plugins: new Map([["aws-kms", { ...plugin, ...lie } as BackendPlugin]]),
      openTimeoutMs,
    });
  const less = { engines: ["transit"], keyTypes: { ed25519: { operations: ["sign"] } }, features: [] } as const;

  it.for([
    [
      "throws at open, before it returns",
      {
        open: () => {
          throw "a string";
        },
      },
      "BACKEND_OPEN_FAILED",
      /outside its contract, with string/,
    ],
    [
      "rejects",
      {
        open: async () => {
          throw new TypeError("region is odd");
        },
      },
      "BACKEND_OPEN_FAILED",
      /with TypeError/,
    ],
    ["never opens", { open: () => new Promise<never>(() => {}) }, "BACKEND_OPEN_FAILED", /has not opened it in 50 ms/],
    [
      "opens nothing",
      { open: async () => undefined as never },
      "BACKEND_CONTRACT",
      /it must be an object, found undefined/,
    ],
    [
      "opens what is no backend",
      { open: async () => ({ id: "mem" }) as never },
      "BACKEND_CONTRACT",
      /probe must be a method/,
    ],
    [
      "opens another kind",
      { open: async () => memoryBackend("mem", "other") },
      "BACKEND_CONTRACT",
      /its kind is "other"/,
    ],
    [
      "opens another backend",
      { open: async () => memoryBackend("other") },
      "BACKEND_CONTRACT",
      /its id is "other", the catalog says "mem"/,
    ],
    [
      "opens more than it claims",
      { capabilities: less },
      "BACKEND_CONTRACT",
      /claims sign of ecdsa-p256, which its kind does not/,
    ],
    [
      "has a schema that throws",
      {
        credentialSchema: {
          safeParse() {
            throw new Error("no");
          },
        } as never,
      },
      "BACKEND_OPEN_FAILED",
      /with Error/,
    ],
  ] as const)("%s: is refused by name", async ([, lie, code, problem]) => {
    await expect(lying(lie as Lie)).rejects.toMatchObject({
      code,
      details: { backend: "mem", kind: "aws-kms" },
      message: expect.stringMatching(problem),
    });
  });

  it("has what it opens too late, or wrongly, closed", async () => {
    const [late, wrong] = [memoryBackend(), memoryBackend("other")];
    let open: (backend: MemoryBackend) => void = () => {};
    const opening = new Promise<MemoryBackend>((resolve) => {
      open = resolve;
    });
    await expect(lying({ open: () => opening })).rejects.toMatchObject({ code: "BACKEND_OPEN_FAILED" });
    open(late);
    await expect.poll(() => late.disposed).toBe(true);
    await expect(lying({ open: async () => wrong })).rejects.toMatchObject({ code: "BACKEND_CONTRACT" });
    expect(wrong.disposed).toBe(true);
  });
});
