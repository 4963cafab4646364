import { AdminService } from "@basil/proto";
import { afterEach, describe, expect, it } from "vitest";
import { NOBODY, testPolicy } from "../../test/documents.js";
import { type ServedBroker, serveTestBroker } from "../../test/served-broker.js";
import type { SocketClient } from "../../test/socket-client.js";

let served: ServedBroker;
let client: SocketClient;

async function serve(mayExplain: boolean) {
  const policy = testPolicy(({ rules }) => {
    if (!mayExplain) rules.pop();
  });
  served = await serveTestBroker({ policy });
  client = served.client;
  return (subject: string, op: string, key: string) => client.call(AdminService, "explain", { subject, op, key });
}

afterEach(() => served[Symbol.asyncDispose]());

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

  it.for(["explain", "reload", "revoke"] as const)(
    "answers %s of a caller without a subject as every other method does",
    async (method) => {
      const policy = testPolicy(({ subjects }) => {
        subjects.alice.allOf = [{ kind: "unix", uid: NOBODY.uid }];
      });
      served = await serveTestBroker({ policy });
      const request = {
        explain: { subject: "alice", op: "sign", key: "app.p256" },
        reload: {},
        revoke: { jti: "a", trustDomain: "b", expiresAtUnix: 99_999_999_999n },
      };
      await expect(served.client.call(AdminService, method, request[method])).rejects.toMatchObject({
        code: 7,
        reason: "UNAUTHORIZED",
        message: "not authorized",
      });
    },
  );
});
