import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCatalog } from "@basil/catalog";
import { BackendError } from "@basil/core";
import { AdminService } from "@basil/proto";
import { create, type DescField, type DescMessage, type DescMethod, type Message } from "@bufbuild/protobuf";
import type { Client } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { CATALOG_DOCUMENT, testPolicy } from "../../test/documents.js";
import { memoryAudit } from "../../test/memory-audit.js";
import { memoryBackend } from "../../test/memory-backend.js";
import { memoryStore } from "../../test/memory-store.js";
import { SocketClient } from "../../test/socket-client.js";
import { createBroker } from "../broker.js";
import { REQUEST_CHANNEL } from "../request/request-channel.js";
import { type Rpc, rpcs } from "../request/rpcs.js";

const CANARY = "canary-7f3a9c51e8";
const NAMES = new Set(["key_id", "secret_id", "issuer_key_id", "op", "key"]);
const KEYS = ["app.p256", "app.aead", "app.value", "app.identity", "app.tls_key", "app.late", "no.such.key"];
const TLS = { format: "self-signed-tls", commonName: "dev.internal", validity: "720h" };
const PAIR = { format: "self-signed-tls-pair-of" };
const SERVICES = AdminService.file.services;

/** How a secret could be written down. */
function spellings(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  const short = (text: string) => text.slice(0, -4);
  return [
    buffer.toString("hex"),
    short(buffer.toString("base64")),
    short(buffer.toString("base64url")),
    JSON.stringify([...bytes]).slice(1, -1),
  ];
}

/** A request whose every text and every byte string is the canary, but for the names of keys. */
function filled(message: DescMessage, keyId: string, depth = 0): Message {
  const init: Record<string, unknown> = {};
  for (const field of message.fields) {
    const value = fieldValue(field, keyId, depth);
    if (value === undefined) continue;
    if (field.oneof) init[field.oneof.localName] = { case: field.localName, value };
    else init[field.localName] = field.fieldKind === "list" ? [value] : value;
  }
  return create(message, init as never);
}

function fieldValue(field: DescField, keyId: string, depth: number): unknown {
  if (field.message)
    return depth > 2 || field.message.typeName.startsWith("google.")
      ? undefined
      : filled(field.message, keyId, depth + 1);
  if (field.enum)
    return field.name.startsWith("kinds") ? 1 : field.name === "algorithm" || field.name === "alg" ? 2 : 1;
  if (field.scalar === 12) return field.name.endsWith("json") ? Buffer.from(`{"x":"${CANARY}"}`) : Buffer.from(CANARY);
  if (field.scalar === 9) return NAMES.has(field.name) ? (field.name === "op" ? "sign" : keyId) : CANARY;
  if (field.scalar === 4) return field.name.startsWith("expires") ? 4_000_000_000n : 1n;
  return undefined;
}

/** The byte strings and tokens of an answer, which are secrets too. */
function secretsOf(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return value.length >= 16 ? [value] : [];
  if (typeof value === "string") return value.startsWith("eyJ") ? [Buffer.from(value)] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(secretsOf) : [];
}

describe("what the broker writes down", () => {
  it("holds no payload, no signature and no secret, over every method, when it succeeds and when it fails", async () => {
    const audit = memoryAudit();
    const written: string[] = [];
    const log = (fields: object, message: string) => void written.push(`${message} ${JSON.stringify(fields)}`);
    const listener = (event: unknown) => void written.push(JSON.stringify(event));
    subscribe(REQUEST_CHANNEL, listener);
    const backend = memoryBackend();
    const store = memoryStore();
    const value = { class: "value", backend: "store", writable: true, missing: "warn", description: "d" };
    const catalog = parseCatalog(
      JSON.stringify({
        ...CATALOG_DOCUMENT,
        backends: { ...CATALOG_DOCUMENT.backends, store: { kind: "keystore", addr: "here", engines: ["kv2"] } },
        keys: {
          ...CATALOG_DOCUMENT.keys,
          "app.value": { ...value, path: "v", generate: { format: "hex", bytes: 32 } },
          "app.identity": { ...value, path: "i", missing: "generate", generate: { format: "age-x25519" } },
          "app.tls_cert": { ...value, path: "c", missing: "generate", generate: TLS },
          "app.tls_key": { ...value, path: "t", missing: "generate", generate: { ...PAIR, pairOf: "app.tls_cert" } },
          "app.revoked": { ...value, path: "r", labels: ["revocation_store=jwt-svid"] },
        },
      }),
    );
    const policy = testPolicy(({ rules }) => rules[1]?.action.push("op:reload", "op:revoke"));
    const logger = { info: log, warn: log, error: log };
    const broker = await createBroker({ catalog, policy, backends: [backend, store], audit, logger });
    const folder = await mkdtemp(join(tmpdir(), "basil-canary-"));
    await broker.listen({ path: join(folder, "s") });
    const client = new SocketClient(join(folder, "s")).grpc;

    const secrets = [Buffer.from(CANARY)] as Uint8Array[];
    let succeeded = 0;
    for (const failing of [false, true]) {
      backend.before = () => {
        if (failing) throw new BackendError("REJECTED", "refused", { backendCode: "No" });
      };
      for (const rpc of rpcs().values()) {
        for (const keyId of KEYS) {
          const answer = await ask(client, rpc, filled(methodOf(rpc).input, keyId));
          if (answer instanceof Error) written.push(answer.message, JSON.stringify(answer));
          else {
            succeeded += 1;
            secrets.push(...secretsOf(answer));
          }
        }
      }
    }
    client.close();
    await broker.close(0);
    await rm(folder, { recursive: true });
    unsubscribe(REQUEST_CHANNEL, listener);
    written.push(...audit.records.map((record) => JSON.stringify(record)), await broker.metrics());

    expect(succeeded).toBeGreaterThan(20);
    expect(audit.records.length).toBeGreaterThan(100);
    const all = written.join("\n");
    expect(all).not.toContain(CANARY);
    for (const secret of secrets.flatMap(spellings)) expect(all).not.toContain(secret);
    // Made at start and by rotation; most are text.
    const stored = [...store.values].flatMap(([path, values]) => (path === "r" ? [] : values));
    expect(stored.length).toBeGreaterThan(8);
    for (const secret of stored) {
      const lines = new TextDecoder().decode(secret).split("\n");
      for (const line of lines) if (line.length >= 32) expect(all).not.toContain(line);
    }
  });
});

/** The answer, or the error. A stream is left after its first message. */
function ask(client: Client, { method, kind }: Rpc, request: Message): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve) => {
    if (kind === "unary") {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
        resolve(error ?? answer),
      );
      return;
    }
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    call.on("error", resolve);
    call.on("data", resolve);
    call.on("end", () => resolve([]));
    // A stream that waits for events has begun once its headers are here.
    if (path.endsWith("/Watch")) call.on("metadata", () => call.cancel());
  });
}

function methodOf({ method }: Rpc): DescMethod {
  const [, service, name] = method.path.split("/");
  const methods = SERVICES.find(({ typeName }) => typeName === service)?.methods;
  return methods?.find((candidate) => candidate.name === name) as DescMethod;
}
