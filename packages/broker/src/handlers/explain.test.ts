import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AdminService } from "@basil/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testCatalog, testPolicy } from "../../test/documents.js";
import { memoryBackend } from "../../test/memory-backend.js";
import { SocketClient } from "../../test/socket-client.js";
import { type Broker, createBroker } from "../broker.js";

let folder: string;
let broker: Broker;
let client: SocketClient;

async function serve(mayExplain: boolean) {
  const policy = testPolicy(({ rules }) => {
    if (!mayExplain) rules.pop();
  });
  broker = await createBroker({ catalog: testCatalog(), policy, backends: [memoryBackend()] });
  await broker.listen({ path: join(folder, "s") });
  client = new SocketClient(join(folder, "s"));
  return (subject: string, op: string, key: string) => client.call(AdminService, "explain", { subject, op, key });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-explain-"));
});
afterEach(async () => {
  client.grpc.close();
  await broker.close(0);
  await rm(folder, { recursive: true });
});

describe("AdminService.Explain", () => {
  it("says which rule allows", async () => {
    const explain = await serve(true);
    expect(await explain(" alice ", "sign", "app.p256")).toMatchObject({
      subject: "alice",
      op: "sign",
      key: "app.p256",
      decision: 1,
      via: "subject:alice",
      reason: "",
      matchedRule: { rule: "app", via: "subject:alice", action: "op:sign", target: "app.*", subject: "alice" },
    });
  });

  it.for([
    ["alice", "sign", "no.key", "unknown_key"],
    ["alice", "sign", "other.p256", "not_permitted"],
    ["alice", "new_key", "app.readonly", "not_writable"],
    ["alice", "sign", "app.issuer", "issuer_raw_sign"],
    ["nobody", "sign", "app.p256", "not_permitted"],
  ] as const)("says why %s may not %s %s", async ([subject, op, key, reason]) => {
    const explain = await serve(true);
    const answer = await explain(subject, op, key);
    expect(answer).toMatchObject({ decision: 2, via: "", reason });
    expect(answer.matchedRule).toBeUndefined();
  });

  it("answers for an admin operation on its own target", async () => {
    const explain = await serve(true);
    expect(await explain("alice", "watch", "broker.watch")).toMatchObject({ decision: 1 });
  });

  it("checks its input before the caller, and the caller before it answers", async () => {
    const explain = await serve(false);
    for (const [subject, op] of [
      ["  ", "sign"],
      ["alice", "fly"],
    ] as const) {
      await expect(explain(subject, op, "k")).rejects.toMatchObject({
        code: 3,
        reason: "INVALID_ARGUMENT",
        op: "explain",
      });
    }
    await expect(explain("alice", "sign", "k")).rejects.toMatchObject({
      code: 7,
      reason: "UNAUTHORIZED",
      message: "not authorized to explain",
      op: "explain",
    });
  });
});
