import { readFileSync } from "node:fs";
import { parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { diffPolicies, type PolicyDifference } from "./diff-policies.js";
import { parsePolicy } from "./parse-policy.js";

const read = (name: string) =>
  readFileSync(new URL(`../../../vectors/documents/pair-a.${name}.json`, import.meta.url), "utf8");
const catalog = parseCatalog(read("catalog"));
const nothing: PolicyDifference = {
  subjects: [],
  callers: [],
  gained: [],
  lost: [],
  latent: { gained: [], lost: [] },
};

// biome-ignore lint/suspicious/noExplicitAny: an example document, changed by each test.
function diff(change: (document: any) => void, start: (document: any) => void = () => {}): PolicyDifference {
  const before = JSON.parse(read("policy"));
  start(before);
  const after = structuredClone(before);
  change(after);
  return diffPolicies(parsePolicy(JSON.stringify(before)), parsePolicy(JSON.stringify(after)), catalog);
}

describe("diffPolicies", () => {
  it("sees no difference in how a policy is said", () => {
    expect(diff(() => {})).toEqual(nothing);
    const said = diff((document) => {
      document.rules.reverse();
      document.rules[0].id = "renamed";
      document.rules[4].target = ["shop.db.*", "shop.api.token_signer"];
      document.roles.app.reverse();
      document.rules[3].comment = "said otherwise";
    });
    expect(said).toEqual(nothing);
  });

  it("shows what is gained and lost", () => {
    const { gained, lost, latent, ...rest } = diff((document) => {
      document.rules[0].target = ["shop.api.token_signer", "shop.db.password", "shop.partner.*"];
      document.roles.app = ["get", "sign"];
    });
    expect(gained).toEqual([
      { subject: "svc.shop", key: "shop.partner.api_key", op: "get", via: "subject:svc.shop", rule: "shop-app" },
      { subject: "svc.shop", key: "shop.partner.api_key", op: "sign", via: "subject:svc.shop", rule: "shop-app" },
    ]);
    expect(lost.map(({ key, op }) => `${key} ${op}`)).toEqual([
      "shop.api.token_signer decrypt",
      "shop.api.token_signer encrypt",
      "shop.api.token_signer get_public_key",
      "shop.api.token_signer verify",
      "shop.db.field_key decrypt",
      "shop.db.field_key encrypt",
      "shop.db.field_key get",
      "shop.db.field_key get_public_key",
      "shop.db.field_key sign",
      "shop.db.field_key verify",
      "shop.db.password decrypt",
      "shop.db.password encrypt",
      "shop.db.password get_public_key",
      "shop.db.password verify",
    ]);
    expect({ ...nothing, ...rest }).toEqual(nothing);
    expect(latent.gained.map(({ op, target }) => `${op} ${target}`)).toEqual([
      "get shop.partner.*",
      "sign shop.partner.*",
    ]);
  });

  it("shows administration gained", () => {
    expect(diff((document) => document.roles.config_admin.push("revoke")).gained).toEqual([
      { subject: "ops.keyadmins", key: "broker.revoke", op: "revoke", via: "subject:ops.keyadmins", rule: "config" },
    ]);
  });

  it("shows who a subject and a uid now are", () => {
    const { subjects, callers, gained, lost } = diff((document) => {
      document.subjects["svc.shop"].allOf[0].uid = 7002;
      document.config.memberships[7101] = [];
    });
    expect(subjects).toEqual([{ subject: "svc.shop", before: "uid shop(7001)", after: "uid 7002" }]);
    expect(callers).toEqual([
      { caller: "shop(7001)", uid: 7001, before: "svc.shop", after: "no_subject" },
      { caller: "7002", uid: 7002, before: "no_subject", after: "svc.shop" },
      { caller: "7101", uid: 7101, before: "ambiguous_subject", after: "ops.oncall" },
    ]);
    expect([gained, lost]).toEqual([[], []]);
  });

  it("shows subjects that come and go, and break-glass", () => {
    const { subjects, unauthenticated } = diff((document) => {
      delete document.subjects["ops.oncall"];
      document.rules.splice(3, 1);
      document.subjects.guest = { breakGlass: true, anyOf: [{ kind: "unauthenticated" }] };
      document.unauthenticatedSubject = "guest";
      document.subjects["svc.shop"].breakGlass = true;
    });
    expect(subjects).toEqual([
      { subject: "guest", before: null, after: "break-glass, no peer credentials" },
      { subject: "ops.oncall", before: "any of: uid ari(7100) and gid 401; uid 7101", after: null },
      { subject: "svc.shop", before: "uid shop(7001)", after: "break-glass, uid shop(7001)" },
    ]);
    expect(unauthenticated).toEqual({ before: null, after: "guest" });
  });

  it("shows authority over keys that are not there yet", () => {
    const { latent, gained } = diff((document) => document.rules[0].target.push("shop.v2.**"));
    expect(gained).toEqual([]);
    expect(latent.lost).toEqual([]);
    expect(new Set(latent.gained.map(({ subject, target }) => `${subject} ${target}`))).toEqual(
      new Set(["svc.shop shop.v2.**"]),
    );
    expect(latent.gained.map(({ op }) => op)).toEqual([
      "sign",
      "verify",
      "get_public_key",
      "encrypt",
      "decrypt",
      "get",
    ]);
  });

  it("shows a target that is widened, though it covers no more keys than before", () => {
    const widened = diff((document) => {
      document.rules[0].target = ["shop.api.**", "shop.db.*"];
    });
    expect([widened.gained, widened.lost, widened.latent.lost]).toEqual([[], [], []]);
    expect(new Set(widened.latent.gained.map(({ subject, target }) => `${subject} ${target}`))).toEqual(
      new Set(["svc.shop shop.api.**"]),
    );
    const back = diff(
      (document) => {
        document.rules[0].target = ["shop.api.token_signer", "shop.db.*"];
      },
      (document) => {
        document.rules[0].target = ["shop.api.**", "shop.db.*"];
      },
    );
    expect(back.latent).toEqual({ gained: [], lost: widened.latent.gained });
  });

  it("sees no difference in a target that another one of the same grants includes", () => {
    expect(diff((document) => document.rules[1].target.push("shop.db.*", "shop.later"))).toEqual(nothing);
  });

  it("shows that the groups of callers come from somewhere else, where a subject asks for one", () => {
    const { groups } = diff((document) => delete document.config.memberships);
    expect(groups).toEqual({ before: "memberships", after: "kernel" });
    const without = (document: { subjects: Record<string, unknown> }) => {
      document.subjects["ops.keyadmins"] = { allOf: [{ kind: "unix", uid: 1 }] };
      document.subjects["ops.oncall"] = { allOf: [{ kind: "unix", uid: 2 }] };
    };
    expect(diff((document) => delete document.config.memberships, without)).not.toHaveProperty("groups");
  });
});
