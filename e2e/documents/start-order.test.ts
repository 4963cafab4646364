import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { typed } from "../cli/typed.js";
import { Stack } from "../stack.js";

const policy = { schemaVersion: 2, subjects: { me: { allOf: [{ kind: "unix", uid: process.getuid?.() ?? 0 }] } } };

/** What can be wrong, in the order in which a start must notice it, and what the operator reads. */
const STAGES = [
  ["configuration", "polcy is not a key of this file"],
  ["documents", "/backends/kms/kin: unknown member"],
  ["plugins", 'backend kind "vault" has no package for this program'],
  ["socket", "no-folder"],
  ["bundle", "[WRONG_SECRET]"],
  ["audit log", "no-such-folder/audit.jsonl"],
  ["credentials", "extra"],
  ["capabilities", "engine kv2"],
  ["keys", "app.absent"],
] as const;
type Stage = (typeof STAGES)[number][0];

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({
    catalog: "{}",
    policy,
    emulator: { keys: [{ spec: "ECC_NIST_P256", aliases: ["alias/app-signer"] }] },
  });
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const at = (name: string): string => join(stack.folder, name);

/** Writes catalog, passphrase and configuration so that exactly these things are wrong. */
async function write(wrong: ReadonlySet<Stage>): Promise<void> {
  const when = (stage: Stage, members: object): object => (wrong.has(stage) ? members : {});
  const entry = { backend: "kms", writable: false, description: "a key" };
  const signer = { ...entry, class: "asymmetric", keyType: "ecdsa-p256" };
  const kms = { kind: "aws-kms", addr: "us-east-1", engines: ["transit"] };
  const catalog = {
    schemaVersion: 1,
    backends: {
      kms: { ...kms, ...when("documents", { kin: "aws-kms" }) },
      ...when("credentials", { extra: kms }),
      ...when("plugins", { other: { kind: "vault", addr: "" } }),
    },
    keys: {
      "app.signer": { ...signer, path: "alias/app-signer" },
      ...when("capabilities", { "app.value": { ...entry, class: "value", path: "v" } }),
      ...when("keys", { "app.absent": { ...signer, path: "alias/absent" } }),
    },
  };
  await writeFile(at("catalog.json"), JSON.stringify(catalog));
  await writeFile(at("pass"), wrong.has("bundle") ? "another passphrase\n" : "correct horse battery staple\n");
  const config = [
    ...(wrong.has("configuration") ? ['polcy = "x"'] : []),
    `socket = "${at(wrong.has("socket") ? "no-folder/basil.sock" : "basil.sock")}"`,
    `catalog = "${at("catalog.json")}"`,
    `policy = "${at("policy.json")}"`,
    `bundle = "${at("creds.sealed")}"`,
    `audit-log = "${at(wrong.has("audit log") ? "no-such-folder/audit.jsonl" : "audit.jsonl")}"`,
    "[unlock]",
    `unlock-passphrase-file = "${at("pass")}"`,
  ];
  await writeFile(at("agent.toml"), `${config.join("\n")}\n`);
}

describe("basil agent", () => {
  it("notices what is wrong in this order, asks KMS last, and never has a socket before (§5.1)", {
    timeout: 120_000,
  }, async () => {
    const wrong = new Set<Stage>(STAGES.map(([stage]) => stage));
    for (const [stage, message] of STAGES) {
      await write(wrong);
      const { exitCode, stdout, stderr } = await typed("basil agent -c agent.toml", {
        env: { ...stack.env, BASIL_SOCKET: "" },
        cwd: stack.folder,
      });
      expect([stage, exitCode, stdout]).toEqual([stage, 1, ""]);
      expect(stderr, stage).toContain(message);
      for (const socket of ["basil.sock", "no-folder/basil.sock"]) {
        await expect(access(at(socket)), stage).rejects.toMatchObject({ code: "ENOENT" });
      }
      const asked = stack.emulator.calls.length > 0;
      expect([stage, asked]).toEqual([stage, stage === "keys"]);
      wrong.delete(stage);
    }
    await write(wrong);
    await using agent = await stack.startAgent();
    expect(agent.process.exitCode).toBeNull();
  });
});
