import { chmod, lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  addSlot,
  createBundle,
  inspectBundle,
  openBundle,
  passphraseSlot,
  removeBackend,
  setBackend,
} from "./index.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const passphrase = (text: string) => passphraseSlot(bytes(text), { logN: 8 });
const kms = { id: "kms", kind: "aws-kms", credential: { region: "us-east-1" } };

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-bundle-"));
  path = join(folder, "creds.sealed");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("createBundle", () => {
  it("writes a bundle that opens with its passphrase and holds the credentials", async () => {
    const created = await createBundle(path, { slots: [{ provider: passphrase("correct horse") }], backends: [kms] });
    expect(created).toMatchObject({ epoch: 1, slots: [{ id: 0, method: "passphrase", label: "passphrase" }] });
    await using opened = await openBundle(path, { unlock: [passphrase("correct horse")] });
    expect(opened.backends.get("kms")).toMatchObject({ kind: "aws-kms", credential: { region: "us-east-1" } });
    expect(opened.warnings).toEqual([]);
  });

  it("writes mode 0600 and a sidecar with the epoch, and nothing else", async () => {
    await createBundle(path, { slots: [{ provider: passphrase("x") }] });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(`${path}.epoch`, "utf8")).toBe("1\n");
    expect((await stat(`${path}.epoch`)).mode & 0o777).toBe(0o600);
  });

  it("refuses to overwrite without force, and with it rises above the epoch before", async () => {
    await createBundle(path, { slots: [{ provider: passphrase("one") }] });
    await setBackend(path, kms, { unlock: [passphrase("one")] });
    await expect(createBundle(path, { slots: [{ provider: passphrase("two") }] })).rejects.toMatchObject({
      code: "EXISTS",
    });
    const { epoch } = await createBundle(path, { slots: [{ provider: passphrase("two") }], force: true });
    expect(epoch).toBe(3);
    expect(await readFile(`${path}.epoch`, "utf8")).toBe("3\n");
  });

  it("refuses an empty passphrase", () => {
    expect(() => passphrase("")).toThrow(expect.objectContaining({ code: "SECRET_INVALID" }));
  });

  it("refuses a credential that its schema refuses, naming the field", async () => {
    const schema = z.strictObject({ region: z.string() });
    const backends = [{ ...kms, credential: {}, schema }];
    await expect(createBundle(path, { slots: [{ provider: passphrase("x") }], backends })).rejects.toMatchObject({
      code: "CREDENTIAL_INVALID",
      message: expect.stringContaining("region"),
    });
    await expect(lstat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("openBundle", () => {
  beforeEach(() => createBundle(path, { slots: [{ provider: passphrase("right") }], backends: [kms] }));

  it("refuses a wrong passphrase as such", async () => {
    await expect(openBundle(path, { unlock: [passphrase("wrong")] })).rejects.toMatchObject({ code: "WRONG_SECRET" });
  });

  it("says which kinds would open it when none of them is given", async () => {
    await expect(openBundle(path, { unlock: [] })).rejects.toMatchObject({
      code: "NO_SLOT_OPENED",
      details: { kinds: ["passphrase"] },
    });
  });

  it("tries every passphrase it is given", async () => {
    await using opened = await openBundle(path, { unlock: [passphrase("wrong"), passphrase("right")] });
    expect(opened.slot.id).toBe(0);
  });

  it("refuses a copy that is older than the sidecar, before trying a slot", async () => {
    const old = await readFile(path);
    await setBackend(path, { ...kms, credential: { region: "eu-west-1" } }, { unlock: [passphrase("right")] });
    await writeFile(path, old);
    await expect(openBundle(path, { unlock: [passphrase("wrong")] })).rejects.toMatchObject({
      code: "ROLLED_BACK",
      details: { epoch: 1, sidecarEpoch: 2 },
    });
  });

  it("raises a sidecar that is missing or behind only when told to", async () => {
    await rm(`${path}.epoch`);
    await using _first = await openBundle(path, { unlock: [passphrase("right")] });
    await expect(lstat(`${path}.epoch`)).rejects.toMatchObject({ code: "ENOENT" });
    await using _second = await openBundle(path, { unlock: [passphrase("right")], raiseSidecar: true });
    expect(await readFile(`${path}.epoch`, "utf8")).toBe("1\n");
  });

  it.each(["", "one\n", "1 \n", "-1\n", "1e3\n", "9".repeat(40)])("refuses a sidecar that reads %j", async (text) => {
    await writeFile(`${path}.epoch`, text);
    await expect(openBundle(path, { unlock: [passphrase("right")] })).rejects.toMatchObject({
      code: "SIDECAR_INVALID",
    });
  });

  it("warns about access for others, refuses it when told to, and takes 0400", async () => {
    await chmod(path, 0o644);
    await using opened = await openBundle(path, { unlock: [passphrase("right")] });
    expect(opened.warnings).toEqual([expect.stringMatching(/creds\.sealed has mode 0644/)]);
    await expect(openBundle(path, { unlock: [passphrase("right")], looseMode: "refuse" })).rejects.toMatchObject({
      code: "BAD_MODE",
      details: { mode: 0o644 },
    });
    await chmod(path, 0o400);
    await using strict = await openBundle(path, { unlock: [passphrase("right")], looseMode: "refuse" });
    expect(strict.warnings).toEqual([]);
  });

  it("hands out no credential after it is disposed of", async () => {
    const opened = await openBundle(path, { unlock: [passphrase("right")] });
    const credential = opened.backends.get("kms");
    opened[Symbol.dispose]();
    expect(() => credential?.credential).toThrow(TypeError);
  });

  it("refuses what is not there and what is not a file", async () => {
    await expect(openBundle(join(folder, "none"), { unlock: [] })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(openBundle(folder, { unlock: [] })).rejects.toMatchObject({ code: "NOT_A_PLAIN_FILE" });
  });
});

describe("inspectBundle", () => {
  it("tells what needs no secret, and warns of what an open would refuse", async () => {
    await createBundle(path, { slots: [{ provider: passphrase("x"), label: "ops" }] });
    expect(await inspectBundle(path)).toMatchObject({
      epoch: 1,
      sidecarEpoch: 1,
      slots: [{ id: 0, method: "passphrase", label: "ops" }],
      contributors: [],
      warnings: [],
    });
    await writeFile(`${path}.epoch`, "9\n");
    expect((await inspectBundle(path)).warnings).toEqual([expect.stringContaining("an older copy was restored")]);
    await writeFile(`${path}.epoch`, "nine\n");
    await chmod(path, 0o604);
    expect((await inspectBundle(path)).warnings).toEqual([
      expect.stringContaining("does not hold an epoch"),
      expect.stringContaining("has mode 0604"),
    ]);
  });
});

describe("setBackend", () => {
  const unlock = [passphrase("right")];
  beforeEach(() => createBundle(path, { slots: [{ provider: passphrase("right") }] }));

  it("adds, replaces and removes, raising the epoch each time", async () => {
    expect(await setBackend(path, kms, { unlock })).toMatchObject({ result: "added", epoch: 2 });
    expect(await setBackend(path, kms, { unlock })).toMatchObject({ result: "replaced", epoch: 3 });
    expect(await removeBackend(path, "kms", { unlock })).toMatchObject({ epoch: 4 });
    await expect(removeBackend(path, "kms", { unlock })).rejects.toMatchObject({ code: "BACKEND_NOT_FOUND" });
    expect(await readFile(`${path}.epoch`, "utf8")).toBe("4\n");
  });

  it("refuses a rolled-back copy and leaves the sidecar, unless told to accept it", async () => {
    const old = await readFile(path);
    await setBackend(path, kms, { unlock });
    await writeFile(path, old);
    await expect(setBackend(path, kms, { unlock })).rejects.toMatchObject({ code: "ROLLED_BACK" });
    expect(await readFile(`${path}.epoch`, "utf8")).toBe("2\n");
    expect(await setBackend(path, kms, { unlock, acceptRollback: true })).toMatchObject({ epoch: 3 });
    expect(await readFile(`${path}.epoch`, "utf8")).toBe("3\n");
  });

  it("refuses a symbolic link and leaves it", async () => {
    const link = join(folder, "link.sealed");
    await symlink(path, link);
    await expect(setBackend(link, kms, { unlock })).rejects.toMatchObject({ code: "NOT_A_PLAIN_FILE" });
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
  });

  it("takes backend ids that are property names elsewhere", async () => {
    await setBackend(path, { ...kms, id: "__proto__" }, { unlock });
    await using opened = await openBundle(path, { unlock });
    expect([...opened.backends.keys()]).toEqual(["__proto__"]);
  });

  it("keeps both changes when two are made at once", async () => {
    await Promise.all([
      setBackend(path, { ...kms, id: "one" }, { unlock }),
      setBackend(path, { ...kms, id: "two" }, { unlock }),
      addSlot(path, { provider: passphrase("other") }, { unlock }),
    ]);
    await using opened = await openBundle(path, { unlock: [passphrase("other")] });
    expect([...opened.backends.keys()]).toEqual(["one", "two"]);
    expect(opened.epoch).toBe(4);
  });
});
