import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { run, workFolder } from "./basil.js";
import { atTerminal, need } from "./terminal.js";

// Each command is a process, and each use of a passphrase half a second of a free core.
vi.setConfig({ testTimeout: 120_000 });

/** What a slot holds: 16 bytes bundle id, the slot id, 32 bytes master key. */
async function expectMasterKey(folder: string, bundleId: string, slotId: number): Promise<void> {
  const opened = await readFile(join(folder, "opened"));
  expect(opened.length).toBe(52);
  expect(opened.toString("base64url", 0, 16)).toBe(bundleId);
  expect(opened.readUInt32BE(16)).toBe(slotId);
}

describe("the age program", () => {
  it("opens an exported age slot with the operator's identity", async (context) => {
    need(context, "age", "age-keygen");
    const { folder, basil } = await workFolder();
    await run("age-keygen", ["-o", "id.txt"], folder);
    const recipient = (await run("age-keygen", ["-y", "id.txt"], folder)).stdout.trim();
    const created = await basil("bundle", "create", "creds.sealed", "--slot", `age:recipient=${recipient}`, "--json");
    expect(created.status, created.stderr).toBe(0);
    expect((await basil("bundle", "show", "creds.sealed", "--slot", "0", "--export", "slot.age")).status).toBe(0);
    expect(await run("age", ["--decrypt", "-i", "id.txt", "-o", "opened", "slot.age"], folder)).toMatchObject({
      status: 0,
    });
    await expectMasterKey(folder, JSON.parse(created.stdout).bundleId, 0);
  });

  for (const [kind, secret] of [
    ["passphrase", "correct horse battery staple"],
    ["bip39", `${"abandon ".repeat(23)}art`],
  ] as const) {
    it(`opens an exported ${kind} slot with what is typed at a terminal`, async (context) => {
      need(context, "age", "script");
      const { folder, basil } = await workFolder();
      await writeFile(join(folder, "secret"), `${secret}\n`);
      const created = await basil("bundle", "create", "creds.sealed", "--slot", `${kind}:file=secret`, "--json");
      expect(created.status, created.stderr).toBe(0);
      expect((await basil("bundle", "show", "creds.sealed", "--slot", "0", "--export", "slot.age")).status).toBe(0);
      const opening = "age --decrypt --output opened slot.age";
      const { seen } = await atTerminal(folder, opening, /passphrase/, [secret]);
      expect(await readdir(folder), seen).toContain("opened");
      await expectMasterKey(folder, JSON.parse(created.stdout).bundleId, 0);
    });
  }

  it("makes a slot for an SSH key, which opens with that key", async (context) => {
    need(context, "age", "ssh-keygen");
    const { folder, basil } = await workFolder();
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", "key"], folder);
    const recipient = (await readFile(join(folder, "key.pub"), "utf8")).trim();
    expect(await basil("bundle", "create", "creds.sealed", "--slot", `age:recipient=${recipient}`)).toMatchObject({
      status: 0,
    });
    expect(await basil("bundle", "verify", "creds.sealed", "--open", "age:identity=key")).toMatchObject({ status: 0 });
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "other"], folder);
    const refused = await basil("bundle", "verify", "creds.sealed", "--open", "age:identity=other");
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("[WRONG_SECRET]") });
  });
});
