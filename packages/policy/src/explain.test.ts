import { readFileSync } from "node:fs";
import { parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { effectiveGrants, explain, explainCaller } from "./explain.js";
import { parsePolicy } from "./parse-policy.js";
import { whoCan } from "./who-can.js";

const read = (name: string) => readFileSync(new URL(`../../../vectors/documents/${name}.json`, import.meta.url));
const catalog = parseCatalog(read("pair-a.catalog"));
const policy = parsePolicy(read("pair-a.policy"));
const caller = (uid: number) => ({ kind: "unix", uid, gid: null, groups: null, pid: null }) as const;

describe("explain", () => {
  it("names the rule, action and target as the document spells them (§2.13)", () => {
    expect(explain(policy, catalog, "svc.shop", "get", "shop.db.password")).toEqual({
      subject: "svc.shop",
      op: "get",
      key: "shop.db.password",
      decision: "allow",
      via: "subject:svc.shop",
      matched_rule: {
        rule: "shop-app",
        via: "subject:svc.shop",
        subject: "svc.shop",
        action: "role:app",
        target: "shop.db.*",
      },
    });
  });

  it("has no rule for what the public class allows (§2.13)", () => {
    expect(explain(policy, catalog, "svc.shop", "get", "shop.tls.ca")).toMatchObject({
      decision: "allow",
      via: "public_class",
      matched_rule: null,
    });
  });

  it.for([
    ["glass.root", "get", "nope.key", "unknown_key"],
    ["glass.root", "set", "shop.partner.api_key", "not_writable"],
    ["svc.shop", "get", "shop.partner.api_key", "not_permitted"],
    ["no such subject", "get", "shop.tls.ca", "not_permitted"],
  ] as const)("denies %s %s on %s: %s (§2.10)", ([subject, op, key, reason]) => {
    expect(explain(policy, catalog, subject, op, key)).toMatchObject({ decision: "deny", reason });
  });

  it("asks an admin operation of the admin evaluator on its own target, and nowhere else (§9.24)", () => {
    expect(explain(policy, catalog, "ops.keyadmins", "reload", "broker.reload")).toMatchObject({
      decision: "allow",
      matched_rule: { rule: "config", action: "role:config_admin", target: "broker.*" },
    });
    expect(explain(policy, catalog, "glass.root", "reload", "broker.reload")).toMatchObject({
      reason: "not_permitted",
    });
    expect(explain(policy, catalog, "ops.keyadmins", "reload", "broker.explain")).toMatchObject({
      reason: "unknown_key",
    });
    expect(explain(policy, catalog, "ops.keyadmins", "reload", "shop.tls.ca")).toMatchObject({
      reason: "not_permitted",
    });
  });

  it("lets a catalog key that is named like an admin target have no say (§1.11)", () => {
    const text = read("pair-a.catalog").toString("utf8").replace("shop.tls.ca", "broker.reload");
    expect(explain(policy, parseCatalog(text), "svc.shop", "reload", "broker.reload")).toMatchObject({
      decision: "deny",
    });
  });

  it("says what a rule lacks by one thing", () => {
    expect(explain(policy, catalog, "svc.shop", "list", "shop.db.password").near_misses).toEqual([
      { rule: "shop-app", lacks: "op" },
      { rule: "keyadmins-rotate", lacks: "subject" },
      { rule: "oncall-list", lacks: "subject" },
      { rule: "root", lacks: "subject" },
    ]);
    expect(explain(policy, catalog, "svc.shop", "get", "shop.partner.api_key").near_misses).toContainEqual({
      rule: "shop-app",
      lacks: "target",
    });
  });

  it("names no rule that lacks something where none would help: administration on a key", () => {
    expect(explain(policy, catalog, "svc.shop", "reload", "shop.db.password")).toEqual({
      subject: "svc.shop",
      op: "reload",
      key: "shop.db.password",
      decision: "deny",
      reason: "not_permitted",
    });
  });
});

describe("explainCaller", () => {
  it("explains for the subject a caller is", () => {
    expect(explainCaller(policy, catalog, caller(7050), "set", "shop.db.password")).toEqual(
      explain(policy, catalog, "ops.keyadmins", "set", "shop.db.password"),
    );
  });

  it("says why a caller is nobody", () => {
    expect(explainCaller(policy, catalog, caller(7101), "list", "shop.tls.ca")).toEqual({
      subject: null,
      op: "list",
      key: "shop.tls.ca",
      decision: "deny",
      reason: "ambiguous_actor_subject:7101",
      candidates: ["ops.keyadmins", "ops.oncall"],
    });
    expect(explainCaller(policy, catalog, { kind: "unauthenticated" }, "get", "shop.tls.ca").reason).toBe(
      "no_actor_subject",
    );
  });
});

describe("effectiveGrants", () => {
  it("lists what a subject may do, by key and op, with administration (§2.13, §9.24)", () => {
    const { effective } = effectiveGrants(policy, catalog, "ops.keyadmins");
    expect(effective.map(({ key, op, rule }) => `${key} ${op} ${rule}`)).toEqual([
      "broker.explain explain config",
      "broker.reload reload config",
      "shop.api.token_signer list keyadmins-rotate",
      "shop.api.token_signer rotate keyadmins-rotate",
      "shop.api.token_signer set keyadmins-rotate",
      "shop.db.field_key list keyadmins-rotate",
      "shop.db.field_key rotate keyadmins-rotate",
      "shop.db.field_key set keyadmins-rotate",
      "shop.db.password list keyadmins-rotate",
      "shop.db.password rotate keyadmins-rotate",
      "shop.db.password set keyadmins-rotate",
      "shop.partner.api_key list keyadmins-rotate",
      "shop.tls.ca get null",
      "shop.tls.ca get_public_key null",
      "shop.tls.ca list keyadmins-rotate",
    ]);
  });

  it("shows software custody (§9.24)", () => {
    const pairB = { catalog: parseCatalog(read("pair-b.catalog")), policy: parsePolicy(read("pair-b.policy")) };
    const { effective } = effectiveGrants(pairB.policy, pairB.catalog, "svc.release");
    expect(effective).toContainEqual({
      key: "pq.release_signer",
      op: "use_software_custody",
      via: "subject:svc.release",
      rule: "pq-release",
    });
  });

  it("is empty for a subject the policy does not have", () => {
    expect(effectiveGrants(policy, catalog, "nobody").effective).toEqual([]);
  });
});

describe("whoCan", () => {
  it("names every subject that may, who it matches, and the known uids it is", () => {
    expect(whoCan(policy, catalog, "list", "shop.db.password")).toEqual({
      op: "list",
      key: "shop.db.password",
      subjects: [
        {
          subject: "glass.root",
          matches: "uid root(0)",
          via: "subject:glass.root",
          matched_rule: { rule: "root", via: "subject:glass.root", subject: "glass.root", action: "*", target: "*" },
          uids: [0],
        },
        {
          subject: "ops.keyadmins",
          matches: "gid keyadmins(400)",
          via: "subject:ops.keyadmins",
          matched_rule: expect.objectContaining({ rule: "keyadmins-rotate" }),
          uids: [7050],
        },
        {
          subject: "ops.oncall",
          matches: "any of: uid ari(7100) and gid 401; uid 7101",
          via: "subject:ops.oncall",
          matched_rule: expect.objectContaining({ rule: "oncall-list" }),
          uids: [7100],
        },
      ],
    });
  });

  it("says why nobody may, whatever the rules say", () => {
    expect(whoCan(policy, catalog, "set", "shop.partner.api_key")).toMatchObject({
      subjects: [],
      reason: "not_writable",
    });
    expect(whoCan(policy, catalog, "get", "nope")).toMatchObject({ subjects: [], reason: "unknown_key" });
    expect(whoCan(policy, catalog, "mint", "shop.tls.ca").subjects.map(({ subject }) => subject)).toEqual([
      "glass.root",
    ]);
  });

  it("answers for administration", () => {
    expect(whoCan(policy, catalog, "reload", "broker.reload").subjects.map(({ subject }) => subject)).toEqual([
      "ops.keyadmins",
    ]);
  });

  it("shows that every subject reads a public key", () => {
    const { subjects } = whoCan(policy, catalog, "get", "shop.tls.ca");
    expect(subjects.map(({ subject, via }) => `${subject} ${via}`)).toEqual([
      "glass.root subject:glass.root",
      "ops.keyadmins public_class",
      "ops.oncall public_class",
      "svc.shop public_class",
    ]);
  });
});
