import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { type Case, expectFailure, type Failure, fails, succeeds } from "../case.js";
import { KMS_CATALOG, policyFor } from "../documents.js";
import type { Json } from "../drivers/driver.js";

const STATUS = "AdminService/Status";
const READINESS = "AdminService/Readiness";
const RELOAD = "AdminService/Reload";
const EXPLAIN = "AdminService/Explain";
const REVOKE = "AdminService/Revoke";
const future = "4102444800";

const argument = (op: string, message: string): Failure => ({
  code: "INVALID_ARGUMENT",
  reason: "INVALID_ARGUMENT",
  op,
  message,
});

/** Before identity and policy: a caller who may not is told of the input first. */
function failsForAnyone(id: string, method: string, request: Json, failure: Failure): Case {
  return {
    id,
    run: async (scene) => {
      expectFailure(await scene.call("kms", method, request), failure);
      expectFailure(await scene.call("stranger", method, request), failure);
    },
  };
}

const states: readonly Case[] = [
  {
    id: "status.same-version-as-health",
    run: async (scene) => {
      const status = await scene.answer("kms", STATUS);
      expect(status).toEqual({ backend: "aws-kms", version: expect.stringMatching(/^\d+\.\d+\.\d+/), protocol: 1 });
      const health = await scene.answer("kms", "AdminService/Health");
      expect(health).toEqual({ alive: true, version: status.version });
      expect(await scene.answer("store", STATUS)).toMatchObject({ backend: "keystore", version: "9.8.7" });
    },
  },
  {
    id: "readiness.counts",
    run: async (scene) => {
      const ready = await scene.answer<Record<string, number>>("kms", READINESS);
      const { keysTotal, keysPresent, keysOptionalMissing } = ready;
      expect(ready).toMatchObject({ ready: true, reason: "READINESS_REASON_READY", keysRequiredMissing: 0 });
      expect(keysTotal).toBe(Object.keys(KMS_CATALOG.keys).length);
      expect(keysPresent! + keysOptionalMissing!).toBe(keysTotal);
    },
  },
  {
    id: "readiness.backend-unreachable",
    run: async (scene) => {
      expect(await scene.answer("outage", READINESS)).toEqual({
        ready: false,
        reason: "READINESS_REASON_BACKEND_UNREACHABLE",
        generation: "1",
        keysTotal: 0,
        keysPresent: 0,
        keysRequiredMissing: 0,
        keysOptionalMissing: 0,
      });
      expect(await scene.answer("outage", "AdminService/Health")).toMatchObject({ alive: true });
    },
  },
];

const explains: readonly Case[] = [
  failsForAnyone(
    "explain.order.subject-first",
    EXPLAIN,
    { subject: " ", op: "no" },
    argument("explain", "subject must be given"),
  ),
  failsForAnyone(
    "explain.order.op-before-identity",
    EXPLAIN,
    { subject: "me", op: "no_such_op" },
    argument("explain", "op: not an operation of the policy"),
  ),
  succeeds(
    "explain.allow",
    "kms",
    EXPLAIN,
    { subject: " me ", op: "sign", key: "app.p256" },
    {
      subject: "me",
      op: "sign",
      key: "app.p256",
      decision: "EXPLAIN_DECISION_ALLOW",
      via: "subject:me",
      reason: "",
      matchedRule: { rule: "app", via: "subject:me", action: "*", target: "app.*", subject: "me" },
    },
  ),
  {
    id: "explain.deny",
    run: async (scene) => {
      for (const [subject, op, key, reason] of [
        ["me", "sign", "no.such.key", "unknown_key"],
        ["me", "new_key", "app.fixed", "not_writable"],
        ["me", "sign", "app.issuer", "issuer_raw_sign"],
        ["me", "sign", "other.p256", "not_permitted"],
        ["someone", "sign", "app.p256", "not_permitted"],
      ] as const) {
        const answer = await scene.answer("kms", EXPLAIN, { subject, op, key });
        expect(answer).toEqual({ subject, op, key, decision: "EXPLAIN_DECISION_DENY", via: "", reason });
      }
    },
  },
  succeeds(
    "explain.public-class",
    "store",
    EXPLAIN,
    { subject: "me", op: "get", key: "other.public" },
    { decision: "EXPLAIN_DECISION_ALLOW", via: "public_class" },
  ),
];

const revokes: readonly Case[] = [
  failsForAnyone("revoke.order.trust-domain", REVOKE, { jti: " " }, argument("revoke", "trust_domain must be given")),
  failsForAnyone(
    "revoke.order.jti",
    REVOKE,
    { trustDomain: "example.org", jti: " " },
    argument("revoke", "jti must be given"),
  ),
  failsForAnyone(
    "revoke.order.expiry",
    REVOKE,
    { trustDomain: "example.org", jti: "1", expiresAtUnix: "1" },
    argument("revoke", "expires_at_unix must be in the future"),
  ),
  fails(
    "revoke.no-store",
    "kms",
    REVOKE,
    { trustDomain: "example.org", jti: "1", expiresAtUnix: future },
    {
      code: "FAILED_PRECONDITION",
      reason: "NO_REVOCATION_STORE",
      op: "revoke",
      message: "the catalog has no revocation store",
    },
  ),
  succeeds(
    "revoke.persists",
    "store",
    REVOKE,
    { trustDomain: " example.org ", jti: " 1 ", expiresAtUnix: future },
    { trustDomain: "example.org", jti: "1", expiresAtUnix: future, persisted: true },
  ),
  fails(
    "revoke.backend-unavailable",
    "outage",
    REVOKE,
    { trustDomain: "example.org", jti: "1", expiresAtUnix: future },
    { code: "UNAVAILABLE", reason: "BACKEND_UNAVAILABLE", op: "revoke", message: "backend unavailable", retry: "1000" },
  ),
];

interface Reloaded {
  readonly applied: boolean;
  readonly checked: boolean;
  readonly previousGeneration: string;
  readonly newGeneration: string;
  readonly keyCount: number;
  readonly grantCount: number;
  readonly rejection?: { readonly reason: string; readonly message: string };
}

const reloads: readonly Case[] = [
  {
    id: "reload.applies-and-checks",
    run: async (scene) => {
      const checked = await scene.answer<Reloaded>("kms", RELOAD, { check: true });
      const before = BigInt(checked.previousGeneration);
      const counts = { keyCount: Object.keys(KMS_CATALOG.keys).length, grantCount: 17 + 4 };
      const generations = { previousGeneration: String(before), newGeneration: String(before + 1n) };
      expect(checked).toEqual({ applied: false, checked: true, ...generations, ...counts });
      const applied = await scene.answer<Reloaded>("kms", RELOAD);
      expect(applied).toEqual({ applied: true, checked: false, ...generations, ...counts });
      expect(await scene.answer("kms", READINESS)).toMatchObject({ generation: String(before + 1n) });
    },
  },
  {
    id: "reload.rejections-are-answers",
    run: async (scene) => {
      const { folder } = scene.worlds.stack;
      const [catalog, policy] = [join(folder, "catalog.json"), join(folder, "policy.json")];
      const good = { catalog: JSON.stringify(KMS_CATALOG), policy: JSON.stringify(policyFor("known")) };
      const { generation } = await scene.answer("kms", READINESS);
      const moved = structuredClone(KMS_CATALOG);
      moved.keys["app.p256"].path = "alias/e2e/elsewhere";
      for (const [path, text, reason] of [
        [policy, "{", "validation_failed"],
        [catalog, "{}", "validation_failed"],
        [catalog, JSON.stringify(moved), "routing_shape_changed"],
      ] as const) {
        await writeFile(path, text);
        const answer = await scene.answer<Reloaded>("kms", RELOAD);
        await writeFile(catalog, good.catalog);
        await writeFile(policy, good.policy);
        expect(answer).toEqual({
          applied: false,
          checked: false,
          previousGeneration: generation,
          newGeneration: generation,
          keyCount: 0,
          grantCount: 0,
          rejection: { reason, message: expect.stringMatching(/./) },
        });
      }
    },
  },
];

const watching: readonly Case[] = [
  {
    id: "watch.opens-at-once",
    run: async (scene) => {
      const stream = await scene.open("kms", "AdminService/Watch");
      await stream.cancel();
    },
  },
];

export const admin: readonly Case[] = [...states, ...explains, ...revokes, ...reloads, ...watching];
