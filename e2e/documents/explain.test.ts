import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Shell } from "./shell.js";

const vector = (name: string) => readFile(join(import.meta.dirname, "../../vectors/documents", name), "utf8");

let shell: Shell;
beforeAll(async () => {
  const names = ["a", "c"].flatMap((pair) => [`pair-${pair}.catalog.json`, `pair-${pair}.policy.json`]);
  shell = await Shell.open(
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await vector(name)]))),
  );
});
afterAll(() => shell[Symbol.asyncDispose]());

/** Asks of an example pair; none of its backends but AWS KMS has a package here. */
async function ask(pair: "a" | "c", flags: string, exitCode = 0): Promise<unknown> {
  const documents = `--catalog pair-${pair}.catalog.json --policy pair-${pair}.policy.json`;
  const answer = await shell.type(`basil explain ${documents} ${flags} --json`);
  expect({ exitCode: answer.exitCode, stderr: answer.stderr }).toEqual({ exitCode, stderr: "" });
  // Nothing but one document: anything beside it would not parse.
  return JSON.parse(answer.stdout);
}

describe("basil explain --json over the example pairs", () => {
  it("spells the matched rule as the document does (§8.1, §2.13)", async () => {
    expect(await ask("a", "--subject svc.shop --op get --key shop.db.password")).toEqual({
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
    expect(await ask("c", "--subject glass.admin --op sign --key cloud.release_signer")).toMatchObject({
      matched_rule: { rule: "glass", action: "*", target: "**" },
    });
  });

  it("has no rule for what the public class allows (§2.13)", async () => {
    expect(await ask("a", "--subject ops.oncall --op get --key shop.tls.ca")).toMatchObject({
      decision: "allow",
      via: "public_class",
      matched_rule: null,
    });
  });

  it.for([
    ["a", "--subject svc.shop --op get --key shop.partner.api_key", "not_permitted"],
    ["a", "--subject glass.root --op set --key shop.partner.api_key", "not_writable"],
    ["a", "--subject glass.root --op get --key nope.key", "unknown_key"],
    ["a", "--subject nobody --op get --key shop.tls.ca", "not_permitted"],
    ["c", "--subject glass.admin --op use_software_custody --key cloud.envelope", "not_permitted"],
  ] as const)("denies on pair %s %s: %s, and exits 0", async ([pair, flags, reason]) => {
    expect(await ask(pair, flags)).toMatchObject({ decision: "deny", reason });
  });

  it("exits 1 for a deny with --exit-code, and 0 for an allow", async () => {
    await ask("a", "--subject svc.shop --op set --key shop.db.password --exit-code", 1);
    await ask("a", "--subject svc.shop --op get --key shop.db.password --exit-code", 0);
  });

  it("answers for administration on its own targets (§2.11, §9.24)", async () => {
    expect(await ask("a", "--subject ops.keyadmins --op reload --key broker.reload")).toMatchObject({
      decision: "allow",
      matched_rule: { rule: "config", action: "role:config_admin", target: "broker.*" },
    });
    expect(await ask("a", "--subject ops.keyadmins --op revoke --key broker.revoke")).toMatchObject({
      decision: "deny",
      reason: "not_permitted",
    });
    expect(await ask("c", "--subject glass.admin --op reload --key broker.reload")).toMatchObject({
      matched_rule: { action: "op:reload", target: "**" },
    });
  });

  it("lists what a subject may do by key, then op, in byte order (§2.13)", async () => {
    const { effective } = (await ask("a", "--subject ops.keyadmins --effective")) as {
      effective: { key: string; op: string; via: string; rule: string | null }[];
    };
    expect(effective.map(({ key, op }) => `${key} ${op}`)).toEqual([
      "broker.explain explain",
      "broker.reload reload",
      "shop.api.token_signer list",
      "shop.api.token_signer rotate",
      "shop.api.token_signer set",
      "shop.db.field_key list",
      "shop.db.field_key rotate",
      "shop.db.field_key set",
      "shop.db.password list",
      "shop.db.password rotate",
      "shop.db.password set",
      "shop.partner.api_key list",
      "shop.tls.ca get",
      "shop.tls.ca get_public_key",
      "shop.tls.ca list",
    ]);
    expect(effective.at(-3)).toEqual({ key: "shop.tls.ca", op: "get", via: "public_class", rule: null });
  });
});

describe("basil explain, on a rule whose id holds a line break", () => {
  it("writes no line of the document's own", async () => {
    const policy = {
      subjects: { web: { allOf: [{ kind: "unix", uid: 7 }] } },
      rules: [{ id: "one\nALLOW  forged", subjects: ["web"], action: ["op:get"], target: ["shop.db.password"] }],
    };
    await using forged = await Shell.open({
      "catalog.json": await vector("pair-a.catalog.json"),
      "policy.json": JSON.stringify(policy),
    });
    const asked = "--subject web --op get --key shop.db.password";
    const { exitCode, stdout } = await forged.type(
      `basil explain --catalog catalog.json --policy policy.json ${asked}`,
    );
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").filter((text) => text.startsWith("ALLOW"))).toHaveLength(1);
    expect(stdout).toContain("rule one\\u{a}ALLOW  forged");
  });
});
