import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { Stack, seed } from "../stack.js";

const policy = policyOfMe({ id: "use", subjects: ["me"], action: ["op:sign"], target: ["jwt.signing.primary"] });

/** The public key token of a 32-byte Ed25519 seed (PKCS#8 prefix of RFC 8410 §7). */
function publicTokenOf(seedBytes: Uint8Array): string {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seedBytes]);
  const key = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return key.export({ format: "der", type: "spki" }).subarray(-32).toString("base64url");
}

describe("a deposit, from contributor to agent", () => {
  it("replaces a credential that does not work, before and after it is promoted", async () => {
    await using stack = await Stack.start({
      catalog: await seed.text("catalog.json"),
      policy,
      emulator: { keys: SEED_KEYS },
    });
    const { folder, emulator } = stack;
    const path = (name: string) => join(folder, name);
    const open = ["--open", `passphrase:file=${path("pass")}`];
    const bundle = async (command: string, ...args: string[]) => {
      const ended = await stack.basil(["bundle", command, path("creds.sealed"), ...args]);
      expect(ended.code, ended.stderr).toBe(0);
      return ended.stdout;
    };
    const backend = (endpoint: string) => ["--backend", `id=kms,type=aws-kms,region=us-east-1,endpoint=${endpoint}`];

    // Nothing listens on port 1, so an agent with this credential finds no key.
    await bundle("set-backend", ...backend("http://127.0.0.1:1"), ...open);

    const contributor = new Uint8Array(randomBytes(32));
    await writeFile(path("seed"), contributor, { mode: 0o600 });
    await bundle("deposit-key", "--out", path("recipient"), ...open);
    await bundle(
      "allow",
      "--contributor",
      publicTokenOf(contributor),
      "--contributor-id",
      "ops",
      "--backend",
      "kms",
      ...open,
    );
    const identity = ["-r", path("recipient"), "-i", path("seed"), "--contributor-id"];
    await bundle("deposit", ...backend(emulator.endpoint), ...identity, "ops");
    await bundle("deposit", ...backend("http://127.0.0.1:2"), ...identity, "stranger");

    expect(await bundle("show")).toMatch(
      /^deposits: 2\n(?:.*\n)*deposit: backend=kms, contributor=ops, epoch=4, seq=1$/m,
    );
    const review = await bundle("promote", "--dry-run", ...open);
    expect(review).toMatch(/contributor=ops, .*status=effective, action=replace, fingerprint=sha256:/);
    expect(review).toMatch(/contributor=stranger, .*status=unauthorized-contributor, action=unknown, fingerprint=-/);

    const sign = ["sign", "--key-id", "jwt.signing.primary", "a message"];
    {
      await using agent = await stack.startAgent();
      expect(await stack.basil(sign)).toMatchObject({ code: 0 });
      expect(agent.log()).toMatch(/deposit applied/);
      expect(agent.log()).toMatch(/deposit ignored/);
    }

    expect(await bundle("promote", "--backend", "another", ...open)).toContain("0 deposits promoted");
    expect(await bundle("promote", "--contributor", "ops", ...open)).toContain("1 deposit promoted");
    expect(await readdir(path("creds.sealed.deposits"))).toHaveLength(1);
    expect(await bundle("drop-deposit", "0")).toContain("removed");
    expect(await readdir(path("creds.sealed.deposits"))).toEqual([]);
    {
      await using _agent = await stack.startAgent();
      expect(await stack.basil(sign)).toMatchObject({ code: 0 });
    }
  }, 60_000);
});

describe("an agent with a pinned KMS key", () => {
  it("opens the bundle and serves without a secret of its own", async () => {
    const keys = [...SEED_KEYS, { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/unseal"] }] as const;
    const config = '[unlock]\nunlock-aws-kms-key = "alias/unseal"\nunlock-aws-kms-region = "us-east-1"\n';
    await using stack = await Stack.start({
      catalog: await seed.text("catalog.json"),
      policy,
      emulator: { keys: [...keys] },
    });
    const bundle = join(stack.folder, "creds.sealed");
    const open = ["--open", `passphrase:file=${join(stack.folder, "pass")}`];
    const added = await stack.basil([
      "bundle",
      "add-slot",
      bundle,
      "--slot",
      "aws-kms:key=alias/unseal,region=us-east-1",
      ...open,
    ]);
    expect(added.code, added.stderr).toBe(0);
    expect((await stack.basil(["bundle", "remove-slot", bundle, "--slot", "0", ...open])).code).toBe(0);
    const lines = ["socket", "catalog", "policy", "bundle"].map((key) => {
      const files: Record<string, string> = { socket: stack.socket, bundle };
      return `${key} = "${files[key] ?? join(stack.folder, `${key}.json`)}"`;
    });
    await writeFile(join(stack.folder, "agent.toml"), `${lines.join("\n")}\n${config}`);
    await using _agent = await stack.startAgent();
    expect(await stack.basil(["sign", "--key-id", "jwt.signing.primary", "a message"])).toMatchObject({ code: 0 });
  });
});
