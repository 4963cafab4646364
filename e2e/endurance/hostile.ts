import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { frame, PREFACE, prefixed, RawConnections } from "../protocol/raw-connection.ts";
import { LANES, startEnduranceStack } from "./endurance-stack.ts";
import { HealthProbe, type HealthReport } from "./health-probe.ts";
import { Load } from "./load.ts";

export interface HostileOptions {
  readonly seconds: number;
  /** Connections that are opened at a time and say little or nothing. */
  readonly connections: number;
  /** Of what is sent; random by default. */
  readonly seed?: number;
  /** All by default. */
  readonly attacks?: readonly AttackName[];
}

export interface HostileReport {
  readonly seed: number;
  readonly attacks: number;
  readonly health: HealthReport;
  /** Calls of a well-behaved client meanwhile, and what was wrong with them. */
  readonly answered: number;
  readonly limited: number;
  readonly wrong: readonly string[];
  /** Megabytes of resident memory of the agent: when it had just started, at most from then on, and after. */
  readonly rssMb: { readonly before: number; readonly max: number; readonly after: number };
  /** All but the connections to the KMS, which are kept for the next call. */
  readonly descriptors: { readonly before: number; readonly after: number };
}

const SIGN = "SigningService/Sign";
const METHODS = [SIGN, "AeadService/Decrypt", "SecretService/ListCatalog", "AdminService/Watch", "No/Such"] as const;
const empty = new Uint8Array();

type Attack = (raw: RawConnections) => Promise<unknown>;

const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength });
const someFrame = fc
  .record({ type: fc.nat(20), flags: fc.nat(255), stream: fc.nat(9), payload: bytes(300) })
  .map(({ type, flags, stream, payload }) => frame(type, flags, stream, payload));
const method = fc.constantFrom(...METHODS);

/** What is sent, by name. */
export const ATTACKS = {
  "random bytes": bytes(5000).map((noise) => (raw) => raw.send(noise)),
  "random bytes after the preface": bytes(5000).map((noise) => (raw) => raw.send(PREFACE, noise)),
  "random frames": fc.array(someFrame, { maxLength: 40 }).map((frames) => (raw) => raw.send(PREFACE, ...frames)),
  "part of the preface": fc.nat(PREFACE.length).map((length) => (raw) => raw.send(PREFACE.subarray(0, length))),
  "HTTP/1": fc.constant((raw) => raw.send(Buffer.from("POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"))),
  "length prefixes far beyond what comes": fc.tuple(method, fc.constantFrom(100_000_000, 0xffff_ffff, 4_194_304)).map(
    ([name, announced]) =>
      async (raw) =>
        raw.request(name).write(prefixed(new Uint8Array(1000), announced)),
  ),
  "messages of 5 MB": method.map((name) => async (raw) => raw.request(name).end(prefixed(new Uint8Array(5_000_000)))),
  "messages of random bytes": fc.tuple(method, bytes(500)).map(
    ([name, noise]) =>
      async (raw) =>
        raw.request(name).end(prefixed(noise)),
  ),
  "a message byte by byte": fc.nat(30).map((length) => async (raw) => {
    const stream = raw.request(SIGN);
    for (const byte of prefixed(new Uint8Array(length), 1000)) {
      stream.write(Uint8Array.of(byte));
      await sleep(5);
    }
  }),
  "streams opened and reset at once": fc.integer({ min: 10, max: 300 }).map((count) => async (raw) => {
    const session = raw.session();
    for (let n = 0; n < count && !session.destroyed; n++) raw.request(SIGN, {}, session).close(8);
  }),
  "more streams than a connection may have": fc.constant(async (raw) => {
    const session = raw.session();
    for (let n = 0; n < 200 && !session.destroyed; n++)
      raw.request("AdminService/Watch", {}, session).end(prefixed(empty));
  }),
  "settings and pings without end": fc.constant((raw) => {
    const settings = frame(4, 0, 0, empty);
    const ping = frame(6, 0, 0, new Uint8Array(8));
    return raw.send(PREFACE, Buffer.concat(Array.from({ length: 1000 }, (_, n) => (n % 2 ? settings : ping))));
  }),
  "a header block without end": bytes(16_000).map(
    (block) => (raw) =>
      raw.send(PREFACE, frame(4, 0, 0, empty), frame(1, 0, 1, block), ...Array(20).fill(frame(9, 0, 1, block))),
  ),
} satisfies Readonly<Record<string, fc.Arbitrary<Attack>>>;
export type AttackName = keyof typeof ATTACKS;

/** Everything a hostile local process may send, while a good one works and health is asked for. */
export async function hostileRounds(options: HostileOptions): Promise<HostileReport> {
  const names = options.attacks ?? (Object.keys(ATTACKS) as AttackName[]);
  const attacks: fc.Arbitrary<Attack> = fc.oneof(...names.map((name) => ATTACKS[name]));
  const { seconds, connections, seed = Math.floor(Math.random() * 0x7fff_ffff) } = options;
  await using stack = await startEnduranceStack();
  await using agent = await stack.startAgent();
  const pid = agent.process.pid!;
  // The hostile process is of the same subject, and both have one share of what is at work at a time.
  using load = new Load(stack.socket, { mayBeLimited: true });
  for (let lane = 0; lane < LANES; lane++) await load.prepare(lane);
  const before = { rss: await rssMb(pid), descriptors: await descriptors(pid) };

  let max = before.rss;
  const look = async () => {
    max = Math.max(max, await rssMb(pid));
  };
  let sent = 0;
  await using probe = await HealthProbe.start(stack.socket, pid);
  using raw = new RawConnections(stack.socket);
  let over = false;
  const working = (async () => {
    while (!over) await load.mixed(sent % LANES);
  })();
  try {
    const until = performance.now() + seconds * 1000;
    for (let n = 0; performance.now() < until; n++) {
      const batch = fc.sample(attacks, { seed: seed + n, numRuns: 10 });
      await Promise.all(batch.map((attack) => attack(raw)));
      sent += batch.length;
      await look();
      await sleep(20);
      // Some are left half-open for a while, then all are cut.
      if (n % 5 === 4) raw[Symbol.dispose]();
    }
    raw[Symbol.dispose]();
    for (let n = 0; n < connections; n++) {
      await raw.send(...(n % 2 === 0 ? [] : [PREFACE, frame(4, 0, 0, empty)]));
      if (n % 100 === 0) await look();
    }
    await look();
    await sleep(300);
  } finally {
    over = true;
    await working;
  }
  const health = await probe.report();
  raw[Symbol.dispose]();

  let after = await descriptors(pid);
  for (let n = 0; n < 50 && after > before.descriptors; n++) {
    await look();
    await sleep(100);
    after = await descriptors(pid);
  }
  if (agent.process.exitCode !== null) throw new Error(`the agent ended (seed ${seed}): ${agent.log().slice(-2000)}`);
  await load.mixed(0);
  await look();
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    seed,
    attacks: sent,
    health,
    answered: load.answered,
    limited: load.limited,
    wrong: load.wrong,
    rssMb: { before: round(before.rss), max: round(max), after: round(await rssMb(pid)) },
    descriptors: { before: before.descriptors, after },
  };
}

/** What the report must say, each with whether it does. */
export function hostileVerdict(report: HostileReport): Readonly<Record<string, boolean>> {
  return {
    "health within a second throughout": report.health.answers > 0 && report.health.misses.length === 0,
    "no wrong answer": report.wrong.length === 0,
    "memory grew by less than 100 MB": report.rssMb.max - report.rssMb.before < 100,
    "descriptors came back": report.descriptors.after <= report.descriptors.before,
  };
}

async function rssMb(pid: number): Promise<number> {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** Without TCP: the agent itself is reached, and asked for health, by unix sockets. */
async function descriptors(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  const tables = await Promise.all(
    // A host without IPv6 has one of them.
    ["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "")),
  );
  // The tenth field is the socket's inode (proc(5)).
  const tcp = new Set(
    tables
      .join("\n")
      .split("\n")
      .map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`),
  );
  const open = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => undefined)),
  );
  return open.filter((target) => target !== undefined && !tcp.has(target)).length;
}
