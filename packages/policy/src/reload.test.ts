import { readFileSync } from "node:fs";
import { parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { parsePolicy } from "./parse-policy.js";
import { classifyReload, type DocumentPair, grantCount } from "./reload.js";

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../vectors/documents/${name}.json`, import.meta.url), "utf8"));

// biome-ignore lint/suspicious/noExplicitAny: an example document, changed by each test.
type Document = any;

function changed(pair: string, change: (catalog: Document, policy: Document) => void) {
  const documents = [read(`${pair}.catalog`), read(`${pair}.policy`)] as const;
  const load = (): DocumentPair => ({
    catalog: parseCatalog(JSON.stringify(documents[0])),
    policy: parsePolicy(JSON.stringify(documents[1])),
  });
  const before = load();
  change(...documents);
  const { accepted, restart, live } = classifyReload(before, load());
  expect(accepted).toBe(restart.length === 0);
  const brief = (list: typeof live) => list.map(({ pointer, field, change }) => `${change} ${pointer} (${field})`);
  return { restart: brief(restart), live: brief(live) };
}

const signer = (catalog: Document) => catalog.keys["shop.api.token_signer"];

describe("classifyReload", () => {
  it("finds nothing between two readings of one document, nor in another order of its members (§5.6)", () => {
    expect(changed("pair-a", () => {})).toEqual({ restart: [], live: [] });
    const reordered = changed("pair-a", (catalog, policy) => {
      catalog.keys = Object.fromEntries(Object.entries(catalog.keys).reverse());
      policy.subjects = Object.fromEntries(Object.entries(policy.subjects).reverse());
    });
    expect(reordered).toEqual({ restart: [], live: [] });
  });

  it.for([
    ["kind", "keystore"],
    ["addr", "elsewhere"],
    ["engines", ["kv2", "transit"]],
    ["capabilities", ["approle-auth", "byok-import"]],
    ["requires", []],
  ] as const)("needs a restart for a backend's %s (§5.6)", ([field, value]) => {
    const result = changed("pair-a", (catalog) => {
      catalog.backends.main[field] = value;
    });
    expect(result).toEqual({ restart: [`changed /backends/main/${field} (${field})`], live: [] });
  });

  it.for([
    ["keyType", "ecdsa-p384", "changed"],
    ["path", "shop-token-2", "changed"],
    ["engine", "transit", "added"],
  ] as const)("needs a restart for a key's %s (§5.6)", ([field, value, kind]) => {
    const result = changed("pair-a", (catalog) => {
      signer(catalog)[field] = value;
    });
    expect(result.restart).toEqual([`${kind} /keys/shop.api.token_signer/${field} (${field})`]);
  });

  it("needs a restart for a key's class, backend and publicPath (§5.6)", () => {
    const moved = changed("pair-c", (catalog) => {
      catalog.keys["legacy.pin"].backend = "local";
      catalog.keys["legacy.pin"].class = "public";
    });
    expect(moved.restart).toEqual([
      "changed /keys/legacy.pin/class (class)",
      "changed /keys/legacy.pin/backend (backend)",
    ]);
    const published = changed("pair-b", (catalog) => {
      catalog.keys["edge.inbox"].publicPath = "secret/data/edge/other";
    });
    expect(published.restart).toEqual(["changed /keys/edge.inbox/publicPath (publicPath)"]);
  });

  it("needs a restart for backends and keys that come and go (§5.6)", () => {
    const result = changed("pair-a", (catalog) => {
      catalog.backends.second = { kind: "vault", addr: "" };
      catalog.keys["shop.extra"] = { ...signer(catalog), path: "extra" };
      delete catalog.keys["shop.tls.ca"];
    });
    expect(result.restart).toEqual([
      "added /backends/second (backends)",
      "removed /keys/shop.tls.ca (keys)",
      "added /keys/shop.extra (keys)",
    ]);
  });

  it.for([
    ["writable", false],
    ["missing", "warn"],
    ["labels", ["team=x"]],
    ["description", "another"],
  ] as const)("takes a key's %s live (§5.6)", ([field, value]) => {
    const result = changed("pair-a", (catalog) => {
      signer(catalog)[field] = value;
    });
    expect(result).toEqual({ restart: [], live: [`changed /keys/shop.api.token_signer/${field} (${field})`] });
  });

  it("takes sealing pins, recipes and mint types live, where 0.7.1 says so and does not (§9.1)", () => {
    const result = changed("pair-b", (catalog) => {
      catalog.backends.id.mintKeyTypes = [];
      delete catalog.keys["edge.inbox"].sealingPin;
      catalog.keys["mesh.deny_list"].generate = { format: "hex", bytes: 8 };
    });
    expect(result).toEqual({
      restart: [],
      live: [
        "changed /backends/id/mintKeyTypes (mintKeyTypes)",
        "removed /keys/edge.inbox/sealingPin (sealingPin)",
        "added /keys/mesh.deny_list/generate (generate)",
      ],
    });
  });

  it("takes the whole policy live (§5.6)", () => {
    const result = changed("pair-a", (_catalog, policy) => {
      policy.subjects["svc.shop"].allOf[0].uid = 1;
      policy.roles.app = [];
      policy.rules.pop();
      policy.config.memberships[7001] = [];
      policy.subjects.guest = { anyOf: [{ kind: "unauthenticated" }] };
      policy.unauthenticatedSubject = "guest";
    });
    expect(result).toEqual({
      restart: [],
      live: ["subjects", "unauthenticatedSubject", "roles", "rules", "config"].map(
        (field) => `changed /${field} (${field})`,
      ),
    });
  });
});

describe("grantCount", () => {
  it("sums distinct operations × targets over rules; subjects do not multiply, the star counts 17", () => {
    expect(grantCount(parsePolicy(JSON.stringify(read("pair-a.policy"))))).toBe(6 * 2 + 3 + 2 + 1 + 17);
    const subjects = { s: { allOf: [{ kind: "unix", uid: 1 }] }, t: { allOf: [{ kind: "unix", uid: 2 }] } };
    const rules = [{ id: "r", subjects: ["s", "t"], action: ["op:get", "op:get", "*"], target: ["a", "b"] }];
    expect(grantCount(parsePolicy(JSON.stringify({ subjects, rules })))).toBe(34);
    expect(grantCount(parsePolicy("{}"))).toBe(0);
  });
});
