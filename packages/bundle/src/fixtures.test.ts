import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AnySlotProvider, ageSlot, bip39Slot, openBundle, passphraseSlot } from "./index.js";

const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));
const providers: Record<string, () => Promise<AnySlotProvider>> = {
  "its passphrase": async () => passphraseSlot(new TextEncoder().encode("fixture passphrase")),
  "its recovery phrase": async () => bip39Slot(`${"abandon ".repeat(23)}art`),
  "its age identity": async () => ageSlot({ identities: await readFile(join(fixtures, "v1.identity")) }),
};

let folder: string;
beforeEach(async () => {
  // A copy: a checkout does not keep the owner and mode that a bundle has.
  folder = await mkdtemp(join(tmpdir(), "basil-fixtures-"));
  await cp(fixtures, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a bundle of format version 1", () => {
  it.each(Object.keys(providers))("opens with %s, for ever", async (name) => {
    const provider = await (providers[name] as () => Promise<AnySlotProvider>)();
    await using opened = await openBundle(join(folder, "v1.sealed"), { unlock: [provider] });
    expect(opened.epoch).toBe(2);
    expect(opened.deposits).toMatchObject([{ status: "effective", record: { contributor: "ops", sequence: 1 } }]);
    expect([...opened.backends].map(([id, { kind, credential }]) => [id, kind, credential])).toEqual([
      ["kms", "aws-kms", { region: "eu-central-1" }],
      ["vault", "vault-token", { token: "s.fixture" }],
    ]);
  });
});
