import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { verifyAudit } from "@basil/broker";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, it, onTestFinished } from "vitest";

const example = join(import.meta.dirname, "../../examples/embed");
/** What the example's README says it needs. */
const NEEDS = ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"];

async function start() {
  const folder = await mkdtemp(join(tmpdir(), "basil-embed-"));
  const emulator = await startKmsEmulator({ keys: [{ spec: "ECC_NIST_P256", aliases: ["alias/example/tokens"] }] });
  const { accessKeyId, secretAccessKey } = emulator.principals.createUser({
    name: "service",
    policies: [
      JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: NEEDS, Resource: "*" }] }),
    ],
  });
  onTestFinished(async () => {
    await emulator.close();
    await rm(folder, { recursive: true });
  });
  const service = spawn(process.execPath, [join(example, "server.ts")], {
    env: {
      PATH: process.env.PATH,
      PORT: "0",
      AUDIT_LOG: join(folder, "audit.jsonl"),
      AWS_ENDPOINT_URL_KMS: emulator.endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      AWS_EC2_METADATA_DISABLED: "true",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void service.kill("SIGKILL"));
  const [url] = (await once(service.stdout.setEncoding("utf8"), "data")) as [string];
  const ask = async (path: string, body?: object) => {
    const headers = { "content-type": "application/json" };
    const init = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`${url.trim()}${path}`, init);
    return { status: response.status, body: (await response.json()) as { token: string } & JSONWebKeySet };
  };
  return { emulator, service, ask, audit: join(folder, "audit.jsonl") };
}

describe("examples/embed", () => {
  it("signs tokens in KMS that another library verifies, by the rules of its policy, and writes them down", async () => {
    const { emulator, service, ask, audit } = await start();
    const { status, body } = await ask("/tokens", { subject: "alice" });
    expect(status).toBe(200);
    const jwks = await ask("/jwks.json");
    const { payload, protectedHeader } = await jwtVerify(body.token, createLocalJWKSet(jwks.body));
    expect(payload.sub).toBe("alice");
    expect(protectedHeader.alg).toBe("ES256");
    expect(await ask("/as-checker", {})).toEqual({ status: 403, body: { error: "UNAUTHORIZED" } });
    expect(await ask("/tokens", {})).toMatchObject({ status: 400 });
    expect(await ask("/ready")).toMatchObject({ status: 200, body: { ready: true } });
    expect(new Set(emulator.calls.map(({ operation }) => `kms:${operation}`))).toEqual(new Set(NEEDS));
    expect(emulator.calls.map(({ decision }) => decision)).not.toContain("deny");

    service.kill("SIGTERM");
    expect(await once(service, "close")).toEqual([0, null]);
    expect(await verifyAudit(createReadStream(audit))).toMatchObject({ ok: true });
  });
});
