import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryBackend } from "@basil/backend-conformance";
import { type Broker, createBroker } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { parsePolicy } from "@basil/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GrpcJs } from "../protocol/drivers/grpc-js.ts";
import { hasProgram } from "./program.ts";

const age = hasProgram("age-keygen") && hasProgram("age");
const openssl = hasProgram("openssl", ["version"]);

const made = (more: object) => ({
  class: "value",
  backend: "store",
  writable: true,
  missing: "generate",
  description: "made at start",
  ...more,
});
const CATALOG = {
  schemaVersion: 1,
  backends: { store: { kind: "memory", addr: "", engines: ["kv2"] } },
  keys: {
    "backup.identity": made({ path: "age", generate: { format: "age-x25519" } }),
    "dev.tls.cert": made({
      class: "public",
      path: "cert",
      generate: { format: "self-signed-tls", commonName: "dev.internal", validity: "720h" },
    }),
    "dev.tls.key": made({ path: "key", generate: { format: "self-signed-tls-pair-of", pairOf: "dev.tls.cert" } }),
  },
};
const POLICY = {
  schemaVersion: 2,
  subjects: { me: { allOf: [{ kind: "unix", uid: process.getuid?.() ?? 0 }] } },
  rules: [{ id: "all", subjects: ["me"], action: ["*"], target: ["backup.**", "dev.**"] }],
};

let folder: string;
let broker: Broker;
let driver: GrpcJs;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-recipes-"));
  broker = await createBroker({
    catalog: parseCatalog(JSON.stringify(CATALOG), { kinds: ["memory"] }),
    policy: parsePolicy(JSON.stringify(POLICY)),
    backends: [memoryBackend({ id: "store" })],
  });
  await broker.listen({ path: join(folder, "s") });
  driver = new GrpcJs();
});
afterAll(async () => {
  await driver?.[Symbol.asyncDispose]();
  await broker?.close(0);
  await rm(folder, { recursive: true });
});

const call = (method: string, secretId: string) =>
  driver.call(join(folder, "s"), `SecretService/${method}`, { secretId });
/** Reads a secret over the socket and gives the file it was put into. */
async function fetched(secretId: string): Promise<string> {
  const { answers } = await call("GetSecret", secretId);
  const path = join(folder, secretId);
  await writeFile(path, Buffer.from(String((answers[0] as { value: string }).value), "base64"), { mode: 0o600 });
  return path;
}
const run = (program: string, args: readonly string[], input?: string) =>
  execFileSync(program, args, { encoding: "utf8", input, stdio: ["pipe", "pipe", "ignore"] }).trim();

describe.skipIf(!age)("a value of recipe age-x25519", () => {
  it("is an identity that age-keygen reads and age decrypts with, before and after it is rotated", async () => {
    const recipients: string[] = [];
    for (const rotations of [0, 1]) {
      if (rotations > 0) expect(await call("RotateSecret", "backup.identity")).toMatchObject({ code: "OK" });
      const identity = await fetched("backup.identity");
      const recipient = run("age-keygen", ["-y", identity]);
      const sealed = run("age", ["--armor", "-r", recipient], "for the backup");
      expect(run("age", ["--decrypt", "-i", identity], `${sealed}\n`)).toBe("for the backup");
      recipients.push(recipient);
    }
    expect(new Set(recipients).size).toBe(2);
  });
});

describe.skipIf(!openssl)("a TLS pair by its two recipes", () => {
  it("is a certificate and its key to openssl, made at start, and of either half's rotation", async () => {
    const certificates: string[] = [];
    for (const rotated of [undefined, "dev.tls.key"]) {
      if (rotated) expect(await call("RotateSecret", rotated)).toMatchObject({ code: "OK" });
      const certificate = await fetched("dev.tls.cert");
      const key = await fetched("dev.tls.key");
      const x509 = (...args: string[]) => run("openssl", ["x509", "-in", certificate, "-noout", ...args]);
      expect(
        run("openssl", ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", certificate, certificate]),
      ).toBe(`${certificate}: OK`);
      expect(x509("-pubkey")).toBe(run("openssl", ["pkey", "-in", key, "-pubout"]));
      expect(x509("-subject", "-nameopt", "RFC2253")).toBe("subject=CN=dev.internal");
      expect(x509("-checkhost", "dev.internal")).toContain("does match certificate");
      const [from, to] = ["-startdate", "-enddate"].map((which) => Date.parse(x509(which).split("=")[1] ?? ""));
      expect((to ?? 0) - (from ?? 0)).toBe(720 * 3_600_000);
      certificates.push(x509("-fingerprint", "-sha256"));
    }
    expect(new Set(certificates).size).toBe(2);
  });
});
