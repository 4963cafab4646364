import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readBundleFile } from "./bundle-file.js";
import type { FileFacts, FileLayer } from "./file-layer.js";
import type { BundleHost } from "./host.js";
import {
  addSlot,
  allowContributor,
  createBundle,
  deposit,
  disallowContributor,
  dropDeposits,
  ensureDepositKey,
  listDeposits,
  openBundle,
  promoteDeposits,
  publicTokenOf,
  rekey,
  removeBackend,
  removeSlot,
  type SlotProvider,
  setBackend,
} from "./index.js";

type Mode = "error" | "stop" | "stop and lose";
interface Inode {
  readonly id: number;
  current: Uint8Array;
  synced: Uint8Array;
}
class Stopped extends Error {}

/** A disk that keeps apart what is written and what is synced, and fails, or stops for ever, at a chosen call. */
class SimulatedDisk implements FileLayer {
  #entries = new Map<string, Inode>();
  #syncedEntries = new Map<string, Inode>();
  #nextInode = 1;
  /** Counts down to the failing call. */
  failAfter = Number.POSITIVE_INFINITY;
  mode: Mode = "error";
  calls = 0;
  #stopped = false;

  clone(): SimulatedDisk {
    const copy = new SimulatedDisk();
    const inodes = new Map<Inode, Inode>();
    const of = (inode: Inode): Inode => {
      const known = inodes.get(inode) ?? { ...inode };
      inodes.set(inode, known);
      return known;
    };
    for (const [path, inode] of this.#entries) copy.#entries.set(path, of(inode));
    for (const [path, inode] of this.#syncedEntries) copy.#syncedEntries.set(path, of(inode));
    copy.#nextInode = this.#nextInode;
    return copy;
  }

  /** The disk as the next process finds it. */
  afterwards(): SimulatedDisk {
    const next = this.clone();
    if (this.mode !== "stop and lose" || !this.#stopped) return next;
    next.#entries = new Map(next.#syncedEntries);
    for (const inode of next.#entries.values()) inode.current = inode.synced;
    return next;
  }

  names(): string[] {
    return [...this.#entries.keys()].sort();
  }

  async look(path: string): Promise<FileFacts | undefined> {
    this.#alive();
    const inode = this.#entries.get(path);
    return inode && this.#facts(inode);
  }

  async read(path: string) {
    this.#alive();
    const inode = this.#entries.get(path);
    return inode && { bytes: inode.current.slice(), facts: this.#facts(inode) };
  }

  async create(path: string) {
    this.#step();
    if (this.#entries.has(path)) throw failure("EEXIST");
    const inode: Inode = { id: this.#nextInode++, current: new Uint8Array(), synced: new Uint8Array() };
    this.#entries.set(path, inode);
    return {
      write: async (bytes: Uint8Array) =>
        this.#step(
          () => Object.assign(inode, { current: bytes.slice(0, bytes.length / 2) }),
          () => Object.assign(inode, { current: bytes.slice() }),
        ),
      sync: async () => this.#step(undefined, () => Object.assign(inode, { synced: inode.current })),
      close: async () => {},
    };
  }

  async rename(from: string, to: string) {
    this.#step();
    this.#entries.set(to, this.#entries.get(from) ?? missing());
    this.#entries.delete(from);
  }

  async link(existing: string, name: string) {
    this.#step();
    if (this.#entries.has(name)) throw failure("EEXIST");
    this.#entries.set(name, this.#entries.get(existing) ?? missing());
  }

  async unlink(path: string) {
    this.#step();
    if (!this.#entries.delete(path)) missing();
  }

  async syncFolder(folder: string) {
    this.#step();
    for (const path of this.#syncedEntries.keys()) if (dirname(path) === folder) this.#syncedEntries.delete(path);
    for (const [path, inode] of this.#entries) if (dirname(path) === folder) this.#syncedEntries.set(path, inode);
  }

  async list(folder: string) {
    this.#alive();
    return this.names()
      .filter((path) => dirname(path) === folder)
      .map((path) => basename(path));
  }

  async makeFolder() {
    this.#step();
  }

  async removeFolder() {
    this.#step();
  }

  #facts(inode: Inode): FileFacts {
    return { kind: "file", mode: 0o600, uid: 0, inode: inode.id, size: inode.current.length, modifiedMs: 0 };
  }

  #alive(): void {
    if (this.#stopped) throw new Stopped("the process is gone");
  }

  /** One call that changes the disk: it fails, half done if it can be, when its turn has come. */
  #step(half?: () => unknown, whole?: () => unknown): void {
    this.#alive();
    this.calls += 1;
    this.failAfter -= 1;
    if (this.failAfter !== 0) {
      whole?.();
      return;
    }
    half?.();
    if (this.mode === "error") throw failure("EIO");
    this.#stopped = true;
    this.#alive();
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
function missing(): never {
  throw failure("ENOENT");
}

/** Process `pid`; the ones before it are gone. */
function hostOf(files: SimulatedDisk, pid: number): BundleHost {
  return {
    files,
    processes: {
      own: async () => ({ pid, startedAt: "1", scope: "here" }),
      lifeOf: async (identity) => (identity.pid === pid ? "alive" : "dead"),
    },
    uid: () => 0,
    now: () => new Date(0),
  };
}

/** The least a slot can be: the file key itself, so that no time goes into key derivation. */
function plainSlot(kind: string): SlotProvider {
  return {
    kind,
    wrap: async (fileKey) => ({ args: [kind, "plain"], body: fileKey.slice() }),
    unwrap: async ({ body }) => body.slice(),
  };
}

const PATH = "/d/creds.sealed";
const slot = plainSlot("first");
const unlock = [slot];
const seed = new Uint8Array(createHash("sha256").update("contributor").digest());
const kms = (region: string, id = "kms") => ({ id, kind: "aws-kms", credential: { region } });

let base: SimulatedDisk;
let recipient: string;
beforeAll(async () => {
  base = new SimulatedDisk();
  const host = hostOf(base, 1);
  await createBundle(PATH, {
    slots: [{ provider: slot }, { provider: plainSlot("second") }],
    backends: [kms("us-east-1")],
    host,
  });
  const contributor = { publicKey: publicTokenOf(seed), id: "ops", backends: ["kms"] };
  recipient = (await allowContributor(PATH, contributor, { unlock, host })).result.recipient;
  await deposit(PATH, kms("eu-west-1"), { recipient, seed, contributorId: "ops", host });
});

/** Everything that tells one content from another, without the wrappings, which differ each time. */
async function contentOf(host: BundleHost): Promise<string> {
  await using opened = await openBundle(PATH, { unlock, deposits: "overlay", host });
  const backends = [...opened.backends].map(([id, { credential }]) => [id, credential]);
  const { container } = await readBundleFile(host.files, PATH, {
    followLinks: false,
    uid: 0,
  });
  const { slots, deposits } = container.clear;
  return JSON.stringify({
    backends,
    slots: slots.map(({ id, method }) => [id, method]),
    contributors: deposits.contributors,
  });
}

const commands: Record<string, (host: BundleHost) => Promise<unknown>> = {
  "create --force": (host) => createBundle(PATH, { slots: [{ provider: slot }], force: true, host }),
  "add-slot": (host) => addSlot(PATH, { provider: plainSlot("third") }, { unlock, host }),
  "remove-slot": (host) => removeSlot(PATH, 1, { unlock, host }),
  "set-backend": (host) => setBackend(PATH, kms("us-west-2", "other"), { unlock, host }),
  "remove-backend": (host) => removeBackend(PATH, "kms", { unlock, host }),
  rekey: (host) => rekey(PATH, { unlock: [slot, plainSlot("second")], host }),
  "deposit-key": (host) => ensureDepositKey(PATH, { unlock, host }),
  allow: (host) => allowContributor(PATH, { publicKey: publicTokenOf(seed), backends: ["more"] }, { unlock, host }),
  disallow: (host) => disallowContributor(PATH, "ops", { unlock, host }),
  deposit: (host) => deposit(PATH, kms("ap-south-1"), { recipient, seed, contributorId: "ops", host }),
  promote: (host) => promoteDeposits(PATH, { unlock, host }),
  "drop-deposit": async (host) => dropDeposits(PATH, await listDeposits(PATH, { host }), { host }),
  "an agent's start": (host) => openBundle(PATH, { unlock, raiseSidecar: true, host }),
};

describe.each(Object.keys(commands))("%s, stopped at every call that reaches the disk", (name) => {
  const command = commands[name] as (host: BundleHost) => Promise<unknown>;

  it.each<Mode>(["error", "stop", "stop and lose"])(
    "leaves the old or the new content after %s, and the next command cleans up",
    async (mode) => {
      const before = await contentOf(hostOf(base.clone(), 2));
      const whole = base.clone();
      await command(hostOf(whole, 2));
      const after = await contentOf(hostOf(whole.clone(), 3));
      const clean = async (disk: SimulatedDisk) => {
        await setBackend(PATH, kms("us-east-1", "last"), { unlock, host: hostOf(disk, 9) });
        const depositTo = (to: string) =>
          deposit(PATH, kms("us-east-1"), { recipient: to, seed, contributorId: "ops", host: hostOf(disk, 9) });
        await depositTo(recipient).catch(async () => {
          // After a rekey a deposit to the old key is refused before it cleans up.
          if (name !== "rekey") return;
          await depositTo((await ensureDepositKey(PATH, { unlock, host: hostOf(disk, 9) })).result).catch(() => {});
        });
        return disk.names().filter((path) => !path.endsWith(".deposit"));
      };
      const allowedNames = await clean(whole.clone());
      expect(allowedNames).toEqual([PATH, `${PATH}.epoch`]);
      for (let call = 1; call <= whole.calls; call++) {
        const disk = base.clone();
        disk.failAfter = call;
        disk.mode = mode;
        await command(hostOf(disk, 2)).catch(() => {});
        const left = disk.afterwards();
        const found = await contentOf(hostOf(left, 3));
        expect([before, after], `after call ${call}`).toContain(found);
        expect(await clean(left), `after call ${call}`).toEqual(allowedNames);
      }
    },
  );
});

describe("create, stopped at every call that reaches the disk", () => {
  it.each<Mode>(["error", "stop", "stop and lose"])(
    "leaves nothing or a whole bundle after %s, and can be run again",
    async (mode) => {
      const create = (host: BundleHost, force = false) =>
        createBundle(PATH, { slots: [{ provider: slot }], force, host });
      const whole = new SimulatedDisk();
      await create(hostOf(whole, 2));
      for (let call = 1; call <= whole.calls; call++) {
        const disk = new SimulatedDisk();
        disk.failAfter = call;
        disk.mode = mode;
        await create(hostOf(disk, 2)).catch(() => {});
        const left = disk.afterwards();
        const exists = left.names().includes(PATH);
        if (exists) await contentOf(hostOf(left, 3));
        await create(hostOf(left, 4), exists);
        expect(left.names(), `after call ${call}`).toEqual([PATH, `${PATH}.epoch`]);
      }
    },
  );
});
