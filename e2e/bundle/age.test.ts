import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { run, workFolder } from "./basil.js";

/** The programs are Debian's `age` and `bsdutils`; without them a test is skipped by name, in CI it fails. */
function need(context: TestContext, ...programs: readonly string[]): void {
  for (const program of programs) {
    try {
      execFileSync("which", [program], { stdio: "ignore" });
    } catch {
      if (process.env.CI === "true") throw new Error(`${program} is not installed`);
      context.skip(`${program} is not installed`);
    }
  }
}

/** Opens a file with `age` as an operator does: the passphrase is typed at a terminal, for age takes it from nowhere else. */
function ageAtTerminal(folder: string, passphrase: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn("script", ["-qec", "age --decrypt --output opened slot.age", "/dev/null"], {
      cwd: folder,
    });
    let seen = "";
    let typed = false;
    child.stdout?.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (!typed && seen.includes("passphrase")) {
        typed = true;
        child.stdin?.write(`${passphrase}\n`);
      }
    });
    child.on("error", reject);
    child.on("close", () => resolve(seen));
  });
}

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
      const seen = await ageAtTerminal(folder, secret);
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
