import { parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { decide, decideAdmin } from "./decide.js";
import { ADMIN_OPERATIONS, OPERATIONS, type Operation, STAR_OPERATIONS, WRITE_OPERATIONS } from "./operations.js";
import { parsePolicy } from "./parse-policy.js";

const entry = (path: string, more: object = {}) => ({
  class: "asymmetric",
  keyType: "ecdsa-p256",
  backend: "m",
  path,
  writable: true,
  description: "d",
  ...more,
});
const catalog = parseCatalog(
  JSON.stringify({
    schemaVersion: 1,
    backends: { m: { kind: "vault", addr: "" } },
    keys: {
      "k.open": entry("a"),
      "k.fixed": entry("b", { writable: false }),
      "k.jwt": entry("c", { labels: ["svid_kind=jwt"] }),
      "k.x509": entry("d", { labels: ["svid_kind=x509"] }),
      "k.operator": entry("e", { keyType: "ed25519-nkey", labels: ["nats_type=O"] }),
      "k.account": entry("f", { keyType: "ed25519-nkey", labels: ["nats_type=A"] }),
      "k.user": entry("g", { keyType: "ed25519-nkey", labels: ["nats_type=U"] }),
      "k.nameless": entry("h", { keyType: "ed25519-nkey" }),
      "k.public": { class: "public", backend: "m", path: "i", writable: true, description: "d" },
      "k.public.fixed": { class: "public", backend: "m", path: "j", writable: false, description: "d" },
    },
  }),
);
const subjects = {
  s: { allOf: [{ kind: "unix", uid: 1 }] },
  root: { breakGlass: true, allOf: [{ kind: "unix", uid: 0 }] },
};

function policyOf(...rules: object[]) {
  const filled = rules.map((rule, index) => ({ id: `r${index}`, subjects: ["s"], ...rule }));
  return parsePolicy(JSON.stringify({ subjects, rules: filled }));
}

const everything = policyOf({ subjects: ["root"], action: ["*"], target: ["*"] });
const reasonOf = (decision: ReturnType<typeof decide>) => (decision.allowed ? decision.via : decision.reason);

describe("decide", () => {
  it("denies everything by default (§2.10)", () => {
    const empty = parsePolicy(JSON.stringify({ subjects }));
    const keys = [...catalog.keys.values()].filter((key) => key.class !== "public" && key.writable);
    for (const operation of OPERATIONS) {
      for (const { name } of keys) expect(decide(empty, catalog, "s", operation, name).allowed).toBe(false);
    }
  });

  it("asks first whether there is such a key, for break-glass too (§2.9, §2.10 step 1)", () => {
    expect(reasonOf(decide(everything, catalog, "root", "get", "k.none"))).toBe("unknown_key");
    expect(reasonOf(decide(everything, catalog, "root", "set", "__proto__"))).toBe("unknown_key");
  });

  it.for(WRITE_OPERATIONS)(
    "denies %s on a key that is not writable, to break-glass too (§2.9, §2.10 step 2)",
    (operation) => {
      expect(reasonOf(decide(everything, catalog, "root", operation, "k.fixed"))).toBe("not_writable");
      expect(reasonOf(decide(everything, catalog, "root", operation, "k.open"))).toBe("subject:root");
    },
  );

  it("caps no other operation by writable (§2.7)", () => {
    const rest = STAR_OPERATIONS.filter((operation) => !(WRITE_OPERATIONS as readonly Operation[]).includes(operation));
    expect(rest).toHaveLength(13);
    for (const operation of rest) expect(decide(everything, catalog, "root", operation, "k.fixed").allowed).toBe(true);
  });

  it.for([
    ["k.jwt", "issuer_raw_sign"],
    ["k.x509", "issuer_raw_sign"],
    ["k.operator", "issuer_raw_sign"],
    ["k.account", "issuer_raw_sign"],
    ["k.nameless", "issuer_raw_sign"],
    ["k.user", "subject:root"],
    ["k.open", "subject:root"],
  ] as const)("answers a raw signature with %s: %s (§2.10 step 3, §9.3)", ([key, answer]) => {
    expect(reasonOf(decide(everything, catalog, "root", "sign", key))).toBe(answer);
    expect(reasonOf(decide(everything, catalog, "root", "mint", key))).toBe("subject:root");
  });

  it("reports the first rule of the document that allows, and its first target (§2.5, §2.10 step 4)", () => {
    const policy = policyOf(
      { action: ["op:list"], target: ["k.**"] },
      { action: ["op:verify"], target: ["x.*", "k.*", "k.open"] },
      { action: ["op:verify", "op:sign"], target: ["k.open"] },
    );
    const matched = (operation: Operation) => {
      const decision = decide(policy, catalog, "s", operation, "k.open");
      return decision.allowed && decision.matched;
    };
    expect(matched("verify")).toEqual({
      rule: "r1",
      via: "subject:s",
      subject: "s",
      action: "op:verify",
      target: "k.*",
    });
    expect(matched("sign")).toMatchObject({ rule: "r2", target: "k.open" });
    expect(matched("list")).toMatchObject({ rule: "r0", target: "k.**" });
  });

  it("allows nothing to a subject a rule does not name (§2.5)", () => {
    const policy = policyOf({ action: ["op:sign"], target: ["k.open"] });
    expect(reasonOf(decide(policy, catalog, "root", "sign", "k.open"))).toBe("not_permitted");
  });

  it("grants nothing by break-glass itself (§2.2)", () => {
    expect(reasonOf(decide(policyOf(), catalog, "root", "list", "k.open"))).toBe("not_permitted");
  });

  it("lets every subject read a public key, and do nothing else to it (§2.10 step 5)", () => {
    const empty = parsePolicy(JSON.stringify({ subjects }));
    for (const key of ["k.public", "k.public.fixed"]) {
      expect(decide(empty, catalog, "s", "get", key)).toEqual({ allowed: true, via: "public_class", matched: null });
      expect(reasonOf(decide(empty, catalog, "s", "get_public_key", key))).toBe("public_class");
      expect(reasonOf(decide(empty, catalog, "s", "list", key))).toBe("not_permitted");
      expect(reasonOf(decide(empty, catalog, "s", "verify", key))).toBe("not_permitted");
    }
  });

  it("names the rule, not the class, where a rule allows a public key (§2.10)", () => {
    const policy = policyOf({ action: ["op:get"], target: ["k.public"] });
    expect(reasonOf(decide(policy, catalog, "s", "get", "k.public"))).toBe("subject:s");
  });

  it("never applies the public class to a name that is no subject (§2.10)", () => {
    expect(reasonOf(decide(everything, catalog, "nobody", "get", "k.public"))).toBe("not_permitted");
    expect(reasonOf(decide(everything, catalog, "nobody", "set", "k.fixed"))).toBe("not_writable");
    expect(reasonOf(decide(everything, catalog, "constructor", "get", "k.public"))).toBe("not_permitted");
  });

  it("does not look at the class (§2.7)", () => {
    expect(decide(everything, catalog, "root", "get", "k.open").allowed).toBe(true);
  });

  it("refuses an operation that is none", () => {
    expect(() => decide(everything, catalog, "root", "fly" as Operation, "k.open")).toThrow(TypeError);
  });
});

describe("the action *", () => {
  it("stands for 17 operations: neither custody nor administration (§2.6, §2.7, §2.9)", () => {
    expect(STAR_OPERATIONS).toHaveLength(17);
    const allowed = OPERATIONS.filter((operation) => decide(everything, catalog, "root", operation, "k.user").allowed);
    expect(allowed).toEqual(STAR_OPERATIONS);
    for (const operation of ADMIN_OPERATIONS) expect(decideAdmin(everything, "root", operation).allowed).toBe(false);
    expect(reasonOf(decide(everything, catalog, "root", "use_software_custody", "k.user"))).toBe("not_permitted");
  });
});

describe("decideAdmin", () => {
  it.for(ADMIN_OPERATIONS)("allows %s only by exactly that operation on its reserved target (§2.11)", (operation) => {
    for (const target of [`broker.${operation}`, "broker.*", "broker.**"]) {
      const policy = policyOf({ action: [`op:${operation}`], target: [target] });
      expect(decideAdmin(policy, "s", operation)).toMatchObject({ allowed: true, matched: { target } });
      for (const other of ADMIN_OPERATIONS.filter((one) => one !== operation)) {
        expect(decideAdmin(policy, "s", other)).toEqual({ allowed: false, reason: "not_permitted" });
      }
    }
    for (const target of ["broker", "broker.other", "k.**"]) {
      expect(decideAdmin(policyOf({ action: [`op:${operation}`], target: [target] }), "s", operation).allowed).toBe(
        false,
      );
    }
  });

  it("takes a whole-catalog target of a break-glass subject for the reserved text too (§2.9)", () => {
    for (const target of ["*", "**"]) {
      const policy = policyOf({ subjects: ["root"], action: ["op:reload"], target: [target] });
      expect(decideAdmin(policy, "root", "reload")).toMatchObject({
        allowed: true,
        matched: { action: "op:reload", target },
      });
      expect(decideAdmin(policy, "s", "reload").allowed).toBe(false);
    }
  });

  it("takes admin operations from roles (§2.11)", () => {
    const policy = parsePolicy(
      JSON.stringify({
        subjects,
        roles: { admin: ["watch", "revoke"] },
        rules: [{ id: "r", subjects: ["s"], action: ["role:admin"], target: ["broker.*"] }],
      }),
    );
    expect(ADMIN_OPERATIONS.filter((operation) => decideAdmin(policy, "s", operation).allowed)).toEqual([
      "revoke",
      "watch",
    ]);
  });

  it("denies a name that is no subject (§2.11)", () => {
    expect(decideAdmin(everything, "nobody", "reload")).toEqual({ allowed: false, reason: "not_permitted" });
  });
});
