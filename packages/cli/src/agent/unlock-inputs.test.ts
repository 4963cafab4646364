import { access, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseAgentConfig } from "../config/load-agent-config.js";
import { readUnlockInputs } from "./unlock-inputs.js";

const PHRASE = `${"abandon ".repeat(23)}art`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-unlock-"));
  await writeFile(join(folder, "pass"), "correct horse\n", { mode: 0o600 });
  await writeFile(join(folder, "phrase"), `${PHRASE}\n`, { mode: 0o600 });
});
afterEach(() => rm(folder, { recursive: true }));

const config = (unlock: string) => parseAgentConfig(new TextEncoder().encode(`[unlock]\n${unlock}`), "agent.toml");
const isThere = (name: string) =>
  access(join(folder, name)).then(
    () => true,
    () => false,
  );
const told: string[] = [];
const logger = {
  info: (_: object, message: string) => void told.push(`info ${message}`),
  warn: (_: object, message: string) => void told.push(`warn ${message}`),
  error: () => {},
};
beforeEach(() => {
  told.length = 0;
});

describe("readUnlockInputs", () => {
  it("reads a provider for each method that is configured", async () => {
    using inputs = await readUnlockInputs(
      await config('unlock-passphrase-file = "pass"\nbip39-phrase-file = "phrase"'),
      folder,
    );
    expect(inputs.providers.map(({ kind }) => kind).sort()).toEqual(["bip39", "passphrase"]);
  });

  it("refuses a configuration without any", async () => {
    await expect(readUnlockInputs(await config(""), folder)).rejects.toMatchObject({
      code: "FAILED",
      message: "no unlock method is configured",
    });
  });

  it("removes the files when it is told to wipe them", async () => {
    using inputs = await readUnlockInputs(
      await config('unlock-passphrase-file = "pass"\nunlock-passphrase-wipe = true'),
      folder,
    );
    expect(await isThere("pass")).toBe(true);
    await inputs.wipe(logger);
    expect(await isThere("pass")).toBe(false);
    expect(told).toEqual(["info the unlock file was wiped"]);
  });

  it.each(["", "unlock-passphrase-no-wipe = true", "unlock-passphrase-no-wipe = false"])(
    "leaves every file alone unless told to wipe, whatever %j says",
    async (line) => {
      const both = 'unlock-passphrase-file = "pass"\nbip39-phrase-file = "phrase"';
      using inputs = await readUnlockInputs(await config(`${both}\n${line}`), folder);
      await inputs.wipe(logger);
      expect([await isThere("pass"), await isThere("phrase")]).toEqual([true, true]);
    },
  );

  it("takes an age identity and a pinned KMS key", async () => {
    await writeFile(
      join(folder, "identity"),
      "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n",
    );
    const text =
      'unlock-age-identity-file = "identity"\nunlock-aws-kms-key = "alias/unseal"\nunlock-aws-kms-region = "us-east-1"';
    using inputs = await readUnlockInputs(await config(text), folder);
    expect(inputs.providers.map(({ kind }) => kind)).toEqual(["age", "aws-kms"]);
  });

  it("does not follow a link to wipe what it points at", async () => {
    await symlink(join(folder, "pass"), join(folder, "link"));
    using inputs = await readUnlockInputs(
      await config('unlock-passphrase-file = "link"\nunlock-passphrase-wipe = true'),
      folder,
    );
    await inputs.wipe(logger);
    expect(await isThere("pass")).toBe(true);
    expect(told).toEqual(["warn the unlock file could not be wiped"]);
  });

  it("names a file that is not there", async () => {
    await expect(readUnlockInputs(await config('unlock-passphrase-file = "absent"'), folder)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  it.for([
    ["unlock-passphrase-file", "absent", "NOT_FOUND", "absent does not exist"],
    ["unlock-passphrase-file", "empty", "SECRET_INVALID", "the passphrase is empty"],
    ["bip39-phrase-file", "pass", "SECRET_INVALID", "the phrase is 2 words"],
    ["unlock-age-identity-file", "absent", "NOT_FOUND", "absent does not exist"],
  ] as const)("names the setting %s = %j that it fails on", async ([setting, file, code, what]) => {
    await writeFile(join(folder, "empty"), "\n");
    await expect(readUnlockInputs(await config(`${setting} = "${file}"`), folder)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`^\\[unlock\\] ${setting}: .*${what}`)),
    });
  });
});
