import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AdminService,
  CredentialResponseSchema,
  EventKind,
  EventSchema,
  ExplainDecision,
  ExplainResponseSchema,
  GetSecretResponseSchema,
  type GrpcMethod,
  grpcMethods,
  MintingService,
  ReloadResponseSchema,
  RevokeResponseSchema,
  RotateSecretResponseSchema,
  SecretService,
  SetSecretResponseSchema,
} from "@basil/proto";
import { create, type Message } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Client } from "./client.js";
import { connect } from "./connect.js";

let folder: string;
let server: Server;
let client: Client;
const asked: Record<string, unknown>[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-client-"));
  server = new Server();
  asked.length = 0;
});
afterEach(async () => {
  await client?.[Symbol.asyncDispose]();
  server.forceShutdown();
  await rm(folder, { recursive: true });
});

/** Answers each method with the messages given, and keeps what was asked. */
async function serve(
  services: readonly Parameters<typeof grpcMethods>[0][],
  answers: Record<string, Message | Message[]>,
) {
  for (const service of services) {
    const methods: unknown = grpcMethods(service);
    for (const [name, method] of Object.entries(methods as Record<string, GrpcMethod<Message, Message>>)) {
      const answer = answers[name];
      if (answer === undefined) continue;
      const type = method.responseStream ? "serverStream" : "unary";
      const handler = (
        call: { request: Record<string, unknown>; write(message: Message): void; end(): void },
        done: (error: null, message: Message) => void,
      ) => {
        asked.push(call.request);
        if (!Array.isArray(answer)) return done(null, answer);
        for (const message of answer) call.write(message);
        return call.end();
      };
      server.register(method.path, handler as never, method.responseSerialize, method.requestDeserialize, type);
    }
  }
  await new Promise<void>((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure();
    server.bindAsync(`unix:${join(folder, "s")}`, credentials, (error) => (error ? reject(error) : resolve()));
  });
  client = await connect(join(folder, "s"));
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe("Client", () => {
  it("reads, writes and rotates stored values", async () => {
    await serve([SecretService], {
      getSecret: create(GetSecretResponseSchema, { value: bytes("v"), version: 3 }),
      setSecret: create(SetSecretResponseSchema, { version: 4 }),
      rotateSecret: create(RotateSecretResponseSchema, { version: 5 }),
    });
    expect(await client.getSecret("s")).toEqual({ value: bytes("v"), version: 3 });
    await client.getSecret("s", { version: 2 });
    expect(await client.setSecret("s", bytes("w"))).toBe(4);
    expect(await client.rotate("k")).toBe(5);
    expect(asked.map(({ version, value, secretId }) => ({ version, value, secretId }))).toEqual([
      { secretId: "s", version: undefined, value: undefined },
      { secretId: "s", version: 2, value: undefined },
      { secretId: "s", version: undefined, value: bytes("w") },
      { secretId: "k", version: undefined, value: undefined },
    ]);
  });

  it("mints a JWT with claims as members or as text", async () => {
    await serve([MintingService], {
      mintJwt: create(CredentialResponseSchema, { token: "t", expiresAt: timestampFromMs(5000) }),
    });
    expect(await client.mintJwt("k", "sub", { ttlSeconds: 60, claims: { aud: "a" } })).toEqual({
      token: "t",
      expiresAt: new Date(5000),
    });
    await client.mintJwt("k", "", { claims: '{"n":12345678901234567890}' });
    expect(asked).toMatchObject([
      { subject: "sub", ttl: { seconds: 60n, nanos: 0 }, extraClaimsJson: bytes('{"aud":"a"}') },
      { subject: "", extraClaimsJson: bytes('{"n":12345678901234567890}') },
    ]);
    expect(asked[1]?.ttl).toBeUndefined();
    await expect(client.mintJwt("k", "s", { ttlSeconds: 1.5 })).rejects.toThrow(TypeError);
  });

  it("reads a reload that was refused as an answer", async () => {
    const rejection = { reason: "validation_failed", message: "m" };
    await serve([AdminService], {
      reload: create(ReloadResponseSchema, { previousGeneration: 2n, newGeneration: 2n, rejection }),
    });
    expect(await client.reload({ check: true })).toEqual({
      applied: false,
      checked: false,
      previousGeneration: 2,
      newGeneration: 2,
      keyCount: 0,
      grantCount: 0,
      rejection,
    });
    expect(asked).toMatchObject([{ check: true }]);
  });

  it("explains an allow by its rule, and a deny by its reason", async () => {
    const matchedRule = { rule: "r", via: "subject:a", action: "op:sign", target: "*", subject: "a" };
    await serve([AdminService], {
      explain: create(ExplainResponseSchema, {
        subject: "a",
        op: "sign",
        key: "k",
        decision: ExplainDecision.ALLOW,
        via: "subject:a",
        matchedRule,
      }),
      revoke: create(RevokeResponseSchema, { persisted: true }),
    });
    expect(await client.explain("a", "sign", "k")).toEqual({
      subject: "a",
      op: "sign",
      key: "k",
      decision: "allow",
      via: "subject:a",
      matchedRule,
    });
    await client.revoke({ trustDomain: "d", jti: "j", expiresAtUnix: 7 });
    expect(asked.at(-1)).toMatchObject({ trustDomain: "d", jti: "j", expiresAtUnix: 7n });
  });

  it("watches the kinds it is asked for, and leaves out those it does not know", async () => {
    const at = timestampFromMs(1000);
    await serve([AdminService], {
      watch: [
        create(EventSchema, {
          kind: EventKind.KEY_ROTATED,
          at,
          detail: { case: "keyRotated", value: { keyId: "k", newVersion: 2 } },
        }),
        create(EventSchema, { kind: 9 as EventKind, at }),
        create(EventSchema, {
          kind: EventKind.REVOKED,
          at,
          detail: { case: "revoked", value: { trustDomain: "d", id: "j" } },
        }),
      ],
    });
    const events = [];
    for await (const event of client.watch({ kinds: ["key_rotated", "revoked"] })) events.push(event);
    expect(events).toEqual([
      { kind: "key_rotated", at: new Date(1000), keyId: "k", newVersion: 2 },
      { kind: "revoked", at: new Date(1000), trustDomain: "d", id: "j" },
    ]);
    expect(asked).toMatchObject([{ kinds: [EventKind.KEY_ROTATED, EventKind.REVOKED] }]);
  });
});
