import { readdir } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { program, workFolder } from "./basil.js";
import { atTerminal, need } from "./terminal.js";

// Each command is a process, and each use of a passphrase half a second of a free core.
vi.setConfig({ testTimeout: 120_000 });

const basil = (line: string) => `"${process.execPath}" "${program}" bundle ${line}`;

describe("prompt=true", () => {
  it("asks twice for a new passphrase, once for one that opens, and shows neither", async (context) => {
    need(context, "script");
    const { folder, basilWith } = await workFolder();
    const secret = "wörter, and a typo";
    // What a person types: the last letter wrong, erased, and typed again.
    const typed = "wörter, and a typp\u007fo";
    const created = await atTerminal(
      folder,
      basil("create creds.sealed --slot passphrase:prompt=true"),
      /passphrase[^:]*: $/,
      [secret, typed],
    );
    expect(created.status, created.seen).toBe(0);
    expect(created.seen).not.toContain("typo");
    const opened = await basilWith(
      { input: secret },
      "bundle",
      "verify",
      "creds.sealed",
      "--open",
      "passphrase:stdin=true",
    );
    expect(opened.status, opened.stderr).toBe(0);
    const asked = await atTerminal(
      folder,
      basil("verify creds.sealed --open passphrase:prompt=true"),
      /passphrase: $/,
      [secret],
    );
    expect(asked.status, asked.seen).toBe(0);
  });

  it("seals nothing when the two answers differ, or at Ctrl-C", async (context) => {
    need(context, "script");
    const { folder } = await workFolder();
    const line = basil("create creds.sealed --slot passphrase:prompt=true");
    const differ = await atTerminal(folder, line, /passphrase[^:]*: $/, ["one", "two"]);
    expect(differ).toMatchObject({ status: 1, seen: expect.stringContaining("the two answers differ") });
    expect((await atTerminal(folder, line, /passphrase[^:]*: $/, ["one\u0003"])).status).toBe(5);
    expect(await readdir(folder)).toEqual([]);
  });
});
