import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decrypter, Encrypter, generateHybridIdentity, generateIdentity, identityToRecipient } from "age-encryption";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addSlot,
  ageSlot,
  bip39Slot,
  createBundle,
  exportSlot,
  generatePhrase,
  openBundle,
  passphraseSlot,
  rekey,
  removeSlot,
} from "./index.js";
import { localProcesses } from "./process-identity.js";
import { wrapWithScrypt } from "./scrypt-stanza.js";

const utf8 = (text: string) => new TextEncoder().encode(text);
const passphrase = (text: string) => passphraseSlot(utf8(text), { logN: 6 });

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-slots-"));
  path = join(folder, "creds.sealed");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const opens = async (...unlock: Parameters<typeof openBundle>[1]["unlock"]) => {
  await using opened = await openBundle(path, { unlock });
  return opened.slot.id;
};

describe("passphraseSlot", () => {
  it("writes what age's own library opens, and opens what it writes", async () => {
    await createBundle(path, { slots: [{ provider: passphrase("correct horse") }] });
    const decrypter = new Decrypter();
    decrypter.addPassphrase("correct horse");
    expect((await decrypter.decrypt(await exportSlot(path, 0))).length).toBe(52);
    const encrypter = new Encrypter();
    encrypter.setPassphrase("correct horse");
    encrypter.setScryptWorkFactor(6);
    let stanza: { args: string[]; body: Uint8Array } | undefined;
    const spy = new Decrypter();
    spy.addIdentity({
      unwrapFileKey: (stanzas: { args: string[]; body: Uint8Array }[]) => {
        stanza = stanzas[0];
        return null;
      },
    });
    await spy.decrypt(await encrypter.encrypt("text")).catch(() => {});
    expect(stanza?.args[2]).toBe("6");
    const provider = passphrase("correct horse");
    const context = { bundleId: new Uint8Array(16), slotId: 0 };
    expect((await provider.unwrap?.(stanza!, context))?.length).toBe(16);
  });

  it("takes bytes that are no text", async () => {
    const secret = Uint8Array.of(0xff, 0, 0xfe, 0x0a);
    await createBundle(path, { slots: [{ provider: passphraseSlot(secret, { logN: 6 }) }] });
    expect(await opens(passphraseSlot(secret))).toBe(0);
  });

  it("writes 2^18 unless told otherwise", async () => {
    expect((await wrapWithScrypt(new Uint8Array(16), utf8("x"))).args[2]).toBe("18");
  });
});

describe("bip39Slot", () => {
  const phrase = `${"abandon ".repeat(23)}art`;

  it("opens with the words however they are spaced and cased", async () => {
    await createBundle(path, { slots: [{ provider: bip39Slot(phrase, { logN: 6 }) }] });
    expect(await opens(bip39Slot(`  ${phrase.toUpperCase().replaceAll(" ", "\n ")}\n`))).toBe(0);
  });

  it("generates 24 words that it takes", () => {
    const generated = generatePhrase();
    expect(generated.split(" ")).toHaveLength(24);
    expect(() => bip39Slot(generated)).not.toThrow();
    expect(generatePhrase()).not.toBe(generated);
  });

  it.each([
    ["12 words", `${"abandon ".repeat(11)}about`, /12 words, not 24/],
    ["a word that is not in the list", phrase.replace("art", "basil"), /word 24/],
    ["a wrong checksum", phrase.replace("art", "abandon"), /checksum/],
  ])("refuses %s", (_what, text, message) => {
    expect(() => bip39Slot(text)).toThrow(
      expect.objectContaining({ code: "SECRET_INVALID", message: expect.stringMatching(message) }),
    );
  });
});

describe("ageSlot", () => {
  it.each([
    ["X25519", generateIdentity],
    ["post-quantum hybrid", generateHybridIdentity],
  ])("opens with the identity of a native %s recipient, and with no other", async (_kind, generate) => {
    const [identity, other] = [await generate(), await generate()];
    await createBundle(path, { slots: [{ provider: ageSlot({ recipient: await identityToRecipient(identity) }) }] });
    const file = utf8(`# created: today\n\n${other}\n${identity}\n`);
    expect(await opens(ageSlot({ identities: file }))).toBe(0);
    await expect(opens(ageSlot({ identities: utf8(other) }))).rejects.toMatchObject({ code: "WRONG_SECRET" });
  });

  it("names the slot that it could not open again", async () => {
    const recipient = await identityToRecipient(await generateIdentity());
    const slots = [{ provider: passphrase("x") }, { provider: ageSlot({ recipient }) }];
    expect((await createBundle(path, { slots })).untriedSlots).toEqual([1]);
  });

  it("says which program it misses for a plugin's recipient", async () => {
    const provider = ageSlot({
      recipient: "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
      program: join(folder, "no-age"),
    });
    await expect(createBundle(path, { slots: [{ provider }] })).rejects.toMatchObject({
      code: "SLOT_UNAVAILABLE",
      message: expect.stringContaining("no-age"),
    });
  });

  it.each(["", "age1", "age1qqqq", "AGE1XYZ", "-i/etc/passwd", "ssh-dss AAAA"])(
    "refuses %j as a recipient",
    (recipient) => {
      expect(() => ageSlot({ recipient })).toThrow(expect.objectContaining({ code: "KEY_INVALID" }));
    },
  );
});

describe("addSlot and removeSlot", () => {
  it("leave the wrappings of all other slots as they are", async () => {
    await createBundle(path, {
      slots: [{ provider: passphrase("one") }, { provider: passphrase("two"), label: "second" }],
    });
    const before = [await exportSlot(path, 0), await exportSlot(path, 1)];
    const unlock = [passphrase("one")];
    expect(await addSlot(path, { provider: passphrase("three") }, { unlock })).toMatchObject({
      result: { id: 2 },
      epoch: 2,
    });
    expect([await exportSlot(path, 0), await exportSlot(path, 1)]).toEqual(before);
    expect(await removeSlot(path, 0, { unlock })).toMatchObject({ epoch: 3 });
    expect(await opens(passphrase("two"))).toBe(1);
    await expect(opens(passphrase("one"))).rejects.toMatchObject({ code: "WRONG_SECRET" });
    expect((await addSlot(path, { provider: passphrase("four") }, { unlock: [passphrase("two")] })).result.id).toBe(3);
  });

  it("never remove the last slot, nor one that is not there", async () => {
    await createBundle(path, { slots: [{ provider: passphrase("one") }] });
    const unlock = [passphrase("one")];
    await expect(removeSlot(path, 0, { unlock })).rejects.toMatchObject({ code: "LAST_SLOT" });
    await expect(removeSlot(path, 7, { unlock })).rejects.toMatchObject({ code: "SLOT_NOT_FOUND" });
  });
});

describe("rekey", () => {
  it("refuses, naming the slots, unless it has every secret", async () => {
    await createBundle(path, { slots: [{ provider: passphrase("one") }, { provider: passphrase("two") }] });
    const before = await readFile(path);
    await expect(rekey(path, { unlock: [passphrase("one")] })).rejects.toMatchObject({
      code: "REKEY_INCOMPLETE",
      details: { slotIds: [1] },
    });
    expect(await readFile(path)).toEqual(before);
  });

  it("makes the slots of an older copy useless, and keeps those of the new one", async () => {
    await createBundle(path, { slots: [{ provider: passphrase("one") }, { provider: passphrase("two") }] });
    const old = await exportSlot(path, 1);
    const changed = await rekey(path, { unlock: [passphrase("one")], slots: [passphrase("two")] });
    expect(changed.result.slots.map(({ id }) => id)).toEqual([0, 1]);
    expect(await opens(passphrase("two"))).toBe(1);
    const masterKeyOf = async (file: Uint8Array) => {
      const decrypter = new Decrypter();
      decrypter.addPassphrase("two");
      return (await decrypter.decrypt(file)).subarray(20);
    };
    expect(await masterKeyOf(old)).not.toEqual(await masterKeyOf(await exportSlot(path, 1)));
  });

  it("leaves out the slots it is told to", async () => {
    await createBundle(path, { slots: [{ provider: passphrase("one") }, { provider: passphrase("two") }] });
    await rekey(path, { unlock: [passphrase("one")], dropSlots: [1] });
    await expect(opens(passphrase("two"))).rejects.toMatchObject({ code: "WRONG_SECRET" });
  });
});

describe("a slot provider of one's own", () => {
  it("is tried for its kind, and what it throws is told when nothing else opens", async () => {
    const provider = {
      kind: "vault-transit",
      wrap: async (fileKey: Uint8Array) => ({ args: ["vault-transit", "key"], body: fileKey.map((byte) => byte ^ 1) }),
      unwrap: async ({ body }: { body: Uint8Array }) => body.map((byte) => byte ^ 1),
    };
    await createBundle(path, { slots: [{ provider }, { provider: passphrase("one") }] });
    expect(await opens(provider)).toBe(0);
    const broken = { kind: "vault-transit", unwrap: async () => Promise.reject(new Error("sealed")) };
    expect(await opens(broken, passphrase("one"))).toBe(1);
    await expect(opens(broken)).rejects.toMatchObject({
      code: "SLOT_UNAVAILABLE",
      message: expect.stringContaining("sealed"),
    });
  });
});

describe("the file key of a slot", () => {
  it.for([
    ["that opened", 1],
    ["that was another's", 2],
  ] as const)("is zeroed once the slot is tried: one %s", async ([, mask]) => {
    const given: Uint8Array[] = [];
    const provider = {
      kind: "vault-transit",
      wrap: async (fileKey: Uint8Array) => ({ args: ["vault-transit", "key"], body: fileKey.map((byte) => byte ^ 1) }),
      unwrap: async ({ body }: { body: Uint8Array }) => {
        const fileKey = body.map((byte) => byte ^ (given.length === 0 ? 1 : mask));
        given.push(fileKey);
        return fileKey;
      },
    };
    await createBundle(path, { slots: [{ provider }] });
    await opens(provider).catch(() => undefined);
    expect(given).toEqual([new Uint8Array(16), new Uint8Array(16)]);
  });
});

describe("a bundle that is being changed elsewhere", () => {
  const { own } = localProcesses;

  it("is not held up by the lock of a process that is gone", async () => {
    await createBundle(path, { slots: [{ provider: passphrase("one") }] });
    // The highest pid Linux gives is 2^22 (proc(5), pid_max), so this process is none.
    await writeFile(`${path}.lock`, JSON.stringify({ ...(await own()), pid: 4_194_305 }));
    await addSlot(path, { provider: passphrase("two") }, { unlock: [passphrase("one")] });
    await expect(readFile(`${path}.lock`)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is refused, naming the process, when its lock is not given up in time", async () => {
    await createBundle(path, { slots: [{ provider: passphrase("one") }] });
    await writeFile(`${path}.lock`, JSON.stringify(await own()));
    const change = addSlot(path, { provider: passphrase("two") }, { unlock: [passphrase("one")], lockWaitMs: 120 });
    await expect(change).rejects.toMatchObject({ code: "LOCKED", details: { pid: process.pid } });
  });
});
