import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKms } from "@basil/backend-aws-kms";
import { createBroker, openAuditFile } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { type Client, connectEmbedded, openStream, sealStream } from "@basil/client";
import { parsePolicy } from "@basil/policy";
import { describe, expect, it, onTestFinished } from "vitest";

const KEY = "files.aead";
const catalog = {
  schemaVersion: 1,
  backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
  keys: {
    [KEY]: {
      class: "symmetric",
      keyType: "aes-256-gcm",
      backend: "kms",
      path: "alias/files",
      writable: false,
      description: "seals files",
    },
  },
};
const policy = {
  schemaVersion: 2,
  subjects: {
    writer: { allOf: [{ kind: "unix", uid: 2001 }] },
    reader: { allOf: [{ kind: "unix", uid: 2002 }] },
  },
  rules: [
    { id: "writes", subjects: ["writer"], action: ["op:encrypt"], target: [KEY] },
    { id: "reads", subjects: ["reader"], action: ["op:decrypt"], target: [KEY] },
  ],
};

/** A broker in this process over an emulated KMS, as a uid of the policy sees it. */
async function start(): Promise<(uid: number) => Client> {
  const folder = await mkdtemp(join(tmpdir(), "basil-embedded-"));
  const emulator = await startKmsEmulator({ keys: [{ spec: "SYMMETRIC_DEFAULT", aliases: ["alias/files"] }] });
  const user = emulator.principals.createUser({
    name: "service",
    policies: [{ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }] }],
  });
  const { endpoint } = emulator;
  const broker = await createBroker({
    catalog: parseCatalog(JSON.stringify(catalog)),
    policy: parsePolicy(JSON.stringify(policy)),
    backends: [awsKms({ id: "kms", region: "us-east-1", endpoint, credentials: user })],
    audit: await openAuditFile(join(folder, "audit.jsonl")),
  });
  onTestFinished(async () => {
    await broker[Symbol.asyncDispose]();
    await emulator.close();
    await rm(folder, { recursive: true });
  });
  return (uid) => connectEmbedded(broker.transport({ kind: "unix", uid, gid: null, groups: null, pid: process.pid }));
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("sealStream and openStream over an embedded broker", () => {
  it("work as over a socket, under the same policy", async () => {
    const as = await start();
    const [writer, reader] = [as(2001), as(2002)];
    const content = randomBytes(200_000);
    const sealed = await collect(await sealStream(writer, KEY, content));
    const opened = await openStream(reader, sealed, { keyId: KEY });
    expect((await collect(opened)).equals(content)).toBe(true);
    await expect(openStream(writer, sealed)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    await expect(sealStream(reader, KEY, content)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    await expect(openStream(reader, sealed, { aad: content })).rejects.toMatchObject({ code: "DECRYPT_FAILED" });
  });
});
