import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseCatalog } from "@basil/catalog";
import { decide, lintPolicy, parsePolicy, resolveSubject } from "@basil/policy";
import { describe, expect, it } from "vitest";
import { parseAgentConfig } from "../config/load-agent-config.js";
import { readDemoData } from "../data-file.js";
import {
  agentToml,
  newKeyCatalog,
  policy,
  provisioningCatalog,
  runtimeIamPolicy,
  runtimeIamPolicyWithout,
  seedCatalog,
  signingCatalog,
} from "./demo-documents.js";

const seed = (name: string) => readFile(join(import.meta.dirname, "../../../../vectors/seed", name), "utf8");

describe("the documents of the demo", () => {
  it.for([
    ["seed-catalog.json", "catalog.json"],
    ["seed-iam-runtime.json", "iam-runtime.json"],
    ["seed-iam-provisioner.json", "iam-provisioner.json"],
  ] as const)("%s is the page's, character for character", async ([ours, theirs]) => {
    expect(await readDemoData(ours)).toBe(await seed(theirs));
  });

  it("names all five key types between the two catalogs, none of which may be made", async () => {
    const keys = [
      ...parseCatalog(await seedCatalog()).keys.values(),
      ...parseCatalog(await signingCatalog()).keys.values(),
    ];
    expect(keys.map(({ keyType }) => keyType).sort()).toEqual([
      "aes-256-gcm",
      "ecdsa-p256",
      "ecdsa-p384",
      "ecdsa-p521",
      "ed25519",
    ]);
    expect(keys.every(({ missing, writable }) => missing === "error" && !writable)).toBe(true);
  });

  it("provisions the very keys that are served", async () => {
    const made = parseCatalog(await provisioningCatalog());
    const served = [
      ...parseCatalog(await seedCatalog()).keys.values(),
      ...parseCatalog(await signingCatalog()).keys.values(),
    ];
    expect([...made.keys.values()].map(({ name, path, keyType }) => ({ name, path, keyType }))).toEqual(
      served.map(({ name, path, keyType }) => ({ name, path, keyType })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    expect([...made.keys.values()].every(({ missing }) => missing === "generate")).toBe(true);
  });

  it("has one more key that nobody made", async () => {
    expect([...parseCatalog(await newKeyCatalog()).keys.keys()]).toEqual(["one.more.key"]);
  });

  it("lets the user of the demo use each key for what it is for, and nobody else anything", async () => {
    const [rules, catalog] = [parsePolicy(policy(1000, await seedCatalog())), parseCatalog(await seedCatalog())];
    const may = (op: "sign" | "encrypt", key: string) => decide(rules, catalog, "demo.user", op, key).allowed;
    expect([may("sign", "jwt.signing.primary"), may("encrypt", "payload.aead")]).toEqual([true, true]);
    expect([may("encrypt", "jwt.signing.primary"), may("sign", "payload.aead")]).toEqual([false, false]);
    const identity = (uid: number) => ({ kind: "unix", uid, gid: uid, groups: [], pid: null }) as const;
    expect(resolveSubject(rules, identity(1000))).toMatchObject({ subject: "demo.user" });
    expect(resolveSubject(rules, identity(65534))).not.toHaveProperty("subject");
  });

  it("has a policy for each catalog that lint has nothing to say about", async () => {
    for (const catalog of [
      await seedCatalog(),
      await signingCatalog(),
      await provisioningCatalog(),
      await newKeyCatalog(),
    ]) {
      expect(lintPolicy(parsePolicy(policy(1000, catalog)), parseCatalog(catalog))).toEqual([]);
    }
  });

  it("changes nothing of the page's runtime policy but the ARNs", async () => {
    const page = JSON.parse(await seed("iam-runtime.json"));
    page.Statement[0].Resource = ["arn:1", "arn:2"];
    expect(await runtimeIamPolicy(["arn:1", "arn:2"])).toEqual(page);
    page.Statement[0].Action.splice(page.Statement[0].Action.indexOf("kms:DescribeKey"), 1);
    expect(await runtimeIamPolicyWithout("kms:DescribeKey", ["arn:1", "arn:2"])).toEqual(page);
  });

  it("gives each agent a configuration that loads", async () => {
    const text = agentToml("agent", {
      catalog: "catalog.json",
      policy: "policy.json",
      bundle: "creds.sealed",
      socketGroup: "65534",
    });
    expect(await parseAgentConfig(new TextEncoder().encode(text), "agent.toml")).toMatchObject({
      "socket-mode": 0o660,
      "socket-group": "65534",
      "audit-log": "agent-audit.jsonl",
    });
  });
});
