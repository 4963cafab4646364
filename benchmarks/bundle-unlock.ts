// Opening a bundle by each kind of slot: wall time of the median, and how far the process grew. The scrypt cost is the
// one that is written, so this is what an agent's start and every bundle command pay. Each kind runs in a process of its
// own, since memory that was once taken does not come back.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKmsSlot } from "@basil/backend-aws-kms";
import { type AnySlotProvider, ageSlot, bip39Slot, createBundle, openBundle, passphraseSlot } from "@basil/bundle";
import { writeResult } from "./harness/result.ts";

// From the data of age's README; nothing else is sealed to it.
const IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
const ROUNDS = 9;

const kinds: Record<string, () => Promise<{ provider: AnySlotProvider; close?: () => Promise<void> }>> = {
  passphrase: async () => ({ provider: passphraseSlot(new TextEncoder().encode("correct horse battery staple")) }),
  bip39: async () => ({ provider: bip39Slot(`${"abandon ".repeat(23)}art`) }),
  age: async () => ({
    provider: ageSlot({ recipient: RECIPIENT, identities: new TextEncoder().encode(IDENTITY) }),
  }),
  "aws-kms": async () => {
    const user = { name: "bench", accessKeyId: "AKIDEXAMPLEBENCH", secretAccessKey: randomBytes(16).toString("hex") };
    const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }] };
    const kms = await startKmsEmulator({
      keys: [{ spec: "SYMMETRIC_DEFAULT", aliases: ["alias/unseal"] }],
      users: [{ ...user, policies: [policy] }],
    });
    process.env.AWS_ACCESS_KEY_ID = user.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = user.secretAccessKey;
    return {
      provider: awsKmsSlot({ key: "alias/unseal", region: kms.region, endpoint: kms.endpoint }),
      close: () => kms.close(),
    };
  },
};

async function measure(kind: string): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), "basil-bench-"));
  const made = await kinds[kind]?.();
  if (made === undefined) throw new TypeError(`no slot kind ${kind}`);
  const { provider, close } = made;
  try {
    const path = join(folder, "creds.sealed");
    await createBundle(path, {
      slots: [{ provider }],
      backends: [{ id: "kms", kind: "aws-kms", credential: { region: "us-east-1" } }],
    });
    const before = process.memoryUsage.rss();
    let peak = before;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
    const times: number[] = [];
    const cpuBefore = process.cpuUsage();
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      await using _opened = await openBundle(path, { unlock: [provider] });
      times.push(performance.now() - began);
    }
    clearInterval(watch);
    const { user, system } = process.cpuUsage(cpuBefore);
    times.sort((a, b) => a - b);
    const round1 = (value: number) => Math.round(value * 10) / 10;
    return {
      slot: kind,
      medianMs: round1(times[ROUNDS >> 1] ?? 0),
      fastestMs: round1(times[0] ?? 0),
      cpuMs: round1((user + system) / 1000 / ROUNDS),
      slowestMs: round1(times[ROUNDS - 1] ?? 0),
      // The peak of the whole process includes the creation before, so a kind that derives shows its memory here.
      peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      grownMiB: Math.round((peak - before) / (1 << 20)),
    };
  } finally {
    await close?.();
    rmSync(folder, { recursive: true });
  }
}

const [only] = process.argv.slice(2);
if (only !== undefined) {
  console.log(JSON.stringify(await measure(only)));
} else {
  const results = Object.keys(kinds).map((kind) => {
    const { stdout, status } = spawnSync(process.execPath, [import.meta.filename, kind], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${kind} failed`);
    return JSON.parse(stdout) as object;
  });
  writeResult("bundle-unlock", { unit: "milliseconds to open a bundle with one slot", rounds: ROUNDS, results });
}
