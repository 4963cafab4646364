import { readFileSync } from "node:fs";
import { parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { decide, decideAdmin } from "./decide.js";
import type { Identity } from "./identity.js";
import type { AdminOperation, Operation } from "./operations.js";
import { parsePolicy } from "./parse-policy.js";
import { resolveSubject } from "./resolve-subject.js";

function load(pair: "a" | "b" | "c") {
  const read = (kind: string) =>
    readFileSync(new URL(`../../../vectors/documents/pair-${pair}.${kind}.json`, import.meta.url));
  return { catalog: parseCatalog(read("catalog")), policy: parsePolicy(read("policy")) };
}

function unix(uid: number): Identity {
  return { kind: "unix", uid, gid: uid, groups: [], pid: null };
}

type Row = readonly [actor: number | "no peer uid", operation: Operation, key: string, result: string];

/** `allow VIA`, with `RULE ACTION TARGET` when a rule allowed; `deny REASON`; or the refusal to know the caller. */
function outcome(pair: "a" | "b" | "c", [actor, operation, key]: Row): string {
  const { catalog, policy } = load(pair);
  const who = resolveSubject(policy, actor === "no peer uid" ? { kind: "unauthenticated" } : unix(actor));
  if (!who.resolved) return `${who.reason} ${who.candidates.join(",")}`.trim();
  const decision =
    key.startsWith("broker.") && !catalog.keys.has(key)
      ? decideAdmin(policy, who.subject, operation as AdminOperation)
      : decide(policy, catalog, who.subject, operation, key);
  if (!decision.allowed) return `deny ${decision.reason}`;
  const { matched, via } = decision;
  return matched === null ? `allow ${via}` : `allow ${via} ${matched.rule} ${matched.action} ${matched.target}`;
}

const PAIR_A: readonly Row[] = [
  [7001, "sign", "shop.api.token_signer", "allow subject:svc.shop shop-app role:app shop.api.token_signer"],
  [7001, "get", "shop.db.password", "allow subject:svc.shop shop-app role:app shop.db.*"],
  [7001, "get", "shop.partner.api_key", "deny not_permitted"],
  [7001, "get", "shop.tls.ca", "allow public_class"],
  [7050, "rotate", "shop.db.password", "allow subject:ops.keyadmins keyadmins-rotate role:rotator shop.**"],
  [7050, "set", "shop.partner.api_key", "deny not_writable"],
  [7050, "reload", "broker.reload", "allow subject:ops.keyadmins config role:config_admin broker.*"],
  [7050, "revoke", "broker.revoke", "deny not_permitted"],
  [7100, "list", "shop.db.field_key", "allow subject:ops.oncall oncall-list op:list shop.**"],
  [7101, "list", "shop.db.field_key", "ambiguous_actor_subject:7101 ops.keyadmins,ops.oncall"],
  [0, "set", "shop.partner.api_key", "deny not_writable"],
  [0, "get", "nope.key", "deny unknown_key"],
  [0, "reload", "broker.reload", "deny not_permitted"],
  [4242, "get", "shop.tls.ca", "no_actor_subject:4242"],
];

const PAIR_B: readonly Row[] = [
  [8002, "sign", "nats.account", "deny issuer_raw_sign"],
  [8002, "sign_nats_jwt", "nats.account", "allow subject:svc.nats_auth nats-issue role:nats nats.*"],
  [8001, "mint", "mesh.jwt_issuer", "allow subject:svc.mesh_node mesh-svid role:svid mesh.jwt_issuer"],
  [8001, "sign", "mesh.x509_issuer", "deny issuer_raw_sign"],
  [8001, "decrypt", "edge.inbox", "allow subject:svc.mesh_node edge-unseal op:decrypt edge.inbox"],
  [8003, "sign", "pq.release_signer", "allow subject:svc.release pq-release op:sign pq.release_signer"],
  [
    8003,
    "use_software_custody",
    "pq.release_signer",
    "allow subject:svc.release pq-release op:use_software_custody pq.release_signer",
  ],
  [8003, "rotate", "pq.release_signer", "deny not_permitted"],
  [8900, "revoke", "broker.revoke", "allow subject:ops.security incident role:incident broker.revoke"],
  [8900, "explain", "broker.explain", "deny not_permitted"],
];

const PAIR_C: readonly Row[] = [
  ["no peer uid", "get", "dev.tls.cert", "allow public_class"],
  ["no peer uid", "get", "dev.tls.key", "deny not_permitted"],
  [9100, "rotate", "cloud.token_signer", "allow subject:svc.cloud cloud op:rotate cloud.**"],
  [9100, "rotate", "cloud.envelope", "deny not_writable"],
  [9201, "rotate", "device.hmac_secret", "allow subject:svc.device device op:rotate device.hmac_secret"],
  [9900, "sign", "cloud.release_signer", "allow subject:glass.admin glass * **"],
  [9900, "reload", "broker.reload", "allow subject:glass.admin glass op:reload **"],
  [9900, "use_software_custody", "cloud.release_signer", "deny not_permitted"],
  [9999, "get", "dev.tls.cert", "no_actor_subject:9999"],
];

describe("decide", () => {
  describe("example pair A (§8.1)", () => {
    it.for(PAIR_A)("%s may %s on %s: %s", (row) => expect(outcome("a", row)).toBe(row[3]));
  });
  describe("example pair B (§8.2)", () => {
    it.for(PAIR_B)("%s may %s on %s: %s", (row) => expect(outcome("b", row)).toBe(row[3]));
    it("lets the subject of a sealed message open it and sign (§8.2)", () => {
      const { catalog, policy } = load("b");
      expect(decide(policy, catalog, "remote.edge", "decrypt", "broker.request_key")).toMatchObject({ allowed: true });
      expect(decide(policy, catalog, "remote.edge", "sign", "edge.seed_signer")).toMatchObject({ allowed: true });
    });
  });
  describe("example pair C (§8.3)", () => {
    it.for(PAIR_C)("%s may %s on %s: %s", (row) => expect(outcome("c", row)).toBe(row[3]));
  });
});
