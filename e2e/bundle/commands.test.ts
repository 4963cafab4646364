import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { program, run, workFolder } from "./basil.js";
import { need } from "./terminal.js";

// Each command is a process, and each use of a passphrase half a second of a free core.
vi.setConfig({ testTimeout: 120_000 });

const seedCommands = fileURLToPath(new URL("../../vectors/seed/commands.txt", import.meta.url));
const OPEN = ["--open", "passphrase:file=pass"];

let original: Buffer;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "basil-e2e-bundle-"));
  await writeFile(join(folder, "pass"), "correct horse\n");
  const created = await run(
    process.execPath,
    [program, "bundle", "create", "creds.sealed", "--slot", "passphrase:file=pass"],
    folder,
  );
  expect(created).toEqual({ status: 0, stdout: "bundle creds.sealed created\n", stderr: "" });
  original = await readFile(join(folder, "creds.sealed"));
  await rm(folder, { recursive: true });
});

/** A folder with a bundle that the file `pass` opens; made once, for half a second goes into each use of a passphrase. */
async function withBundle() {
  const work = await workFolder();
  await writeFile(join(work.folder, "pass"), "correct horse\n");
  await writeFile(join(work.folder, "creds.sealed"), original, { mode: 0o600 });
  await writeFile(join(work.folder, "creds.sealed.epoch"), "1\n", { mode: 0o600 });
  return work;
}
const setKms = (region: string, ...more: string[]) => [
  "bundle",
  "set-backend",
  "creds.sealed",
  "--backend",
  ["id=kms", "type=aws-kms", `region=${region}`, ...more].join(","),
  ...OPEN,
];

describe("the page's own bundle commands", () => {
  it("work as they are printed, but for the place of the passphrase", async () => {
    const { folder, basil } = await withBundle();
    const text = (await readFile(seedCommands, "utf8")).replaceAll("\\\n", " ");
    const lines = text.split("\n").filter((line) => line.startsWith("basil bundle "));
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const line of lines) {
      const words = line.replaceAll("/run/basil/pass", "pass").split(/\s+/).slice(1);
      expect(await basil(...words), line).toMatchObject({ status: 0, stderr: "" });
    }
    expect((await stat(join(folder, "creds.sealed"))).mode & 0o777).toBe(0o600);
    expect(await basil("bundle", "show", "creds.sealed", ...OPEN)).toEqual({
      status: 0,
      stdout: [
        "bundle: creds.sealed",
        `epoch: ${lines.length + 1}`,
        "slots: 1",
        "deposits: 0",
        "slot 0: method=passphrase, label=passphrase",
        "backends: 1",
        "backend kms: kind=aws-kms",
        "",
      ].join("\n"),
      stderr: "",
    });
  });

  it("is said to be added to the bundle, then replaced in it", async () => {
    const { basil } = await withBundle();
    expect((await basil(...setKms("us-east-1"))).stdout).toBe("backend kms added to creds.sealed\n");
    expect((await basil(...setKms("eu-west-1"))).stdout).toBe("backend kms replaced in creds.sealed\n");
  });

  it("may stand in one create", async () => {
    const { basil } = await withBundle();
    const backend = ["--backend", "id=kms,type=aws-kms,region=us-east-1"];
    expect(await basil("bundle", "create", "other.sealed", "--slot", "passphrase:file=pass", ...backend)).toMatchObject(
      { status: 0 },
    );
    const shown = await basil("bundle", "show", "other.sealed", ...OPEN, "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject({
      epoch: 1,
      backends: [{ id: "kms", kind: "aws-kms" }],
      openedBy: 0,
    });
  });
});

describe("a refusal of basil bundle", () => {
  it("has a code and a message of its own for each cause, and exit 1", async () => {
    const { folder, basil } = await withBundle();
    const path = join(folder, "creds.sealed");
    await writeFile(join(folder, "wrong"), "wrong");
    const refused = async (code: string, ...args: string[]) => {
      const { status, stdout, stderr } = await basil(...args);
      expect({ status, stdout }, stderr).toEqual({ status: 1, stdout: "" });
      expect(stderr).toContain(`[${code}]`);
      expect(stderr).not.toMatch(/ at .*\.js:/);
      expect(stderr, "says what to do").toMatch(/^hint: (?!nothing was changed$)./m);
      return stderr;
    };
    await refused("WRONG_SECRET", "bundle", "verify", "creds.sealed", "--open", "passphrase:file=wrong");
    await refused("NO_SLOT_OPENED", "bundle", "verify", "creds.sealed", "--open", "aws-kms:region=us-east-1");
    await refused("NOT_FOUND", "bundle", "verify", "none.sealed", ...OPEN);
    await refused("EXISTS", "bundle", "create", "creds.sealed", "--slot", "passphrase:file=pass");
    await chmod(path, 0o644);
    expect(await refused("BAD_MODE", "bundle", "verify", "creds.sealed", "--strict-perms", ...OPEN)).toContain("0644");
    expect((await basil("bundle", "verify", "creds.sealed", ...OPEN)).stderr).toMatch(
      /warning: .*creds\.sealed has mode 0644/,
    );
    const old = await readFile(path);
    await basil(...setKms("us-east-1"));
    await writeFile(path, old);
    await refused("ROLLED_BACK", "bundle", "verify", "creds.sealed", ...OPEN);
    await refused("ROLLED_BACK", ...setKms("eu-west-1"));
    expect(await readFile(`${path}.epoch`, "utf8")).toBe("2\n");
    const damaged = Buffer.from(old);
    damaged[40]! ^= 1;
    await writeFile(path, damaged);
    await refused("DAMAGED", "bundle", "show", "creds.sealed");
    await writeFile(join(folder, "empty"), "\n");
    await refused("SECRET_INVALID", "bundle", "create", "new.sealed", "--slot", "passphrase:file=empty");
    await refused("CREDENTIAL_INVALID", ...setKms("nowhere"));
    await refused("CREDENTIAL_INVALID", ...setKms("us-east-1", "fips=perhaps"));
  });

  it.each([
    [["bundle"]],
    [["bundle", "create"]],
    [["bundle", "create", "new.sealed"]],
    [["bundle", "explode", "creds.sealed"]],
    [["bundle", "show", "creds.sealed", "--explode"]],
    [["bundle", "verify", "creds.sealed"]],
    [["bundle", "verify", "creds.sealed", "--open", "passphrase:file="]],
    [["bundle", "verify", "creds.sealed", "--open", "password:file=pass"]],
    [["bundle", "create", "new.sealed", "--slot", "passphrase:files=pass"]],
    [["bundle", "set-backend", "creds.sealed", "--backend", "type=aws-kms,region=us-east-1", ...OPEN]],
    [["bundle", "set-backend", "creds.sealed", "--backend", "id=kms,type=aws-km,region=us-east-1", ...OPEN]],
    [["bundle", "set-backend", "creds.sealed", "--backend", "id=kms,type=aws-kms,regio=us-east-1", ...OPEN]],
  ])("is a usage error with exit 2 for %j", async (args) => {
    const { folder, basil } = await workFolder();
    await writeFile(join(folder, "pass"), "x");
    expect((await basil(...args)).status).toBe(2);
  });
});

describe("unlock material", () => {
  it("comes from a file, a descriptor, the environment or standard input", async (context) => {
    need(context, "setsid");
    const { folder, basil, basilWith } = await withBundle();
    const verify = ["bundle", "verify", "creds.sealed", "--open"];
    expect((await basil(...verify, "passphrase:file=pass")).status).toBe(0);
    expect((await basilWith({ input: "correct horse\n" }, ...verify, "passphrase:stdin=true")).status).toBe(0);
    expect((await basilWith({ input: "correct horse" }, ...verify, "passphrase:fd=0")).status).toBe(0);
    expect((await basilWith({ env: { PASS: "correct horse" } }, ...verify, "passphrase:env=PASS")).status).toBe(0);
    const none = await run("setsid", [process.execPath, program, ...verify, "passphrase:prompt=true"], folder);
    expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining("no terminal") });
  });

  it("is tried whatever its order, however many are given", async () => {
    const { folder, basil } = await withBundle();
    await writeFile(join(folder, "wrong"), "wrong");
    expect(
      (
        await basil(
          "bundle",
          "verify",
          "creds.sealed",
          "--open",
          "passphrase:file=pass",
          "--open",
          "passphrase:file=wrong",
        )
      ).status,
    ).toBe(0);
  });
});

describe("a generated recovery phrase", () => {
  it("is shown between two lines, once, and opens the bundle", async () => {
    const { basil, basilWith } = await withBundle();
    const added = await basil("bundle", "add-slot", "creds.sealed", "--slot", "bip39", ...OPEN);
    const [first, phrase = "", last, confirmation] = added.stdout.split("\n");
    expect([first?.startsWith("----"), phrase.split(" ").length, last?.startsWith("----"), confirmation]).toEqual([
      true,
      24,
      true,
      "slot 1 (bip39) added to creds.sealed",
    ]);
    const opened = await basilWith({ input: phrase }, "bundle", "verify", "creds.sealed", "--open", "bip39:stdin=true");
    expect(opened).toMatchObject({ status: 0, stdout: expect.stringContaining("opened by slot 1 (bip39)") });
  });

  it("is in the JSON report", async () => {
    const { basil } = await withBundle();
    const made = await basil("bundle", "create", "new.sealed", "--slot", "bip39", "--json");
    expect(JSON.parse(made.stdout).phrases).toMatchObject([{ slot: 0, label: "break-glass" }]);
  });

  it("leaves no bundle behind when nobody can read it", async () => {
    const { folder } = await withBundle();
    const line = `"${process.execPath}" "${program}" bundle create new.sealed --slot bip39`;
    // A reader that is gone before the phrase is written.
    const { status } = await run("sh", ["-c", `{ ${line}; echo $? >status; } | true`], folder);
    expect(status).toBe(0);
    expect(await readFile(join(folder, "status"), "utf8")).toBe("1\n");
    await expect(stat(join(folder, "new.sealed"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("create --from", () => {
  it("takes slots and backends from a manifest, paths with commas included", async () => {
    const { folder, basil } = await withBundle();
    await writeFile(join(folder, "a,b"), "from a file with a comma");
    const manifest = [
      "[[slot]]",
      'type = "passphrase"',
      'file = "a,b"',
      "",
      "[[backend]]",
      'id = "kms"',
      'type = "aws-kms"',
      'region = "us-east-1"',
    ];
    await writeFile(join(folder, "bundle.toml"), manifest.join("\n"));
    expect((await basil("bundle", "create", "new.sealed", "--from", "bundle.toml")).status).toBe(0);
    await writeFile(join(folder, "bad.toml"), 'slots = "one"');
    expect(await basil("bundle", "create", "bad.sealed", "--from", "bad.toml")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('"slots"'),
    });
    expect((await basil("bundle", "create", "bad.sealed", "--from", "bundle.toml", "--slot", "bip39")).status).toBe(2);
  });
});
