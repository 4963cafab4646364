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
