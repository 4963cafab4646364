import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { verifyAudit } from "@basil/broker";
import { policyOfMe } from "../policy-of-me.ts";
import { Stack } from "../stack.ts";

/** Lanes of load, each with a signing key of its own: what a lane asked can be told from what the others did. */
export const LANES = 16;

export const laneKey = (lane: number) => `lane.k${lane}`;
/** A cipher key of every lane. */
export const AEAD_KEY = "lane.aead";
export const FORBIDDEN_KEY = "other.key";

const key = (keyType: string, path: string) => ({
  class: keyType === "aes-256-gcm" ? "symmetric" : "asymmetric",
  keyType,
  backend: "kms",
  path: `alias/endurance/${path}`,
  writable: false,
  description: "a key under load",
});

export function startEnduranceStack(): Promise<Stack> {
  const lanes = Array.from({ length: LANES }, (_, lane) => lane);
  return Stack.start({
    catalog: JSON.stringify({
      schemaVersion: 1,
      backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
      keys: {
        ...Object.fromEntries(lanes.map((lane) => [laneKey(lane), key("ecdsa-p256", `k${lane}`)])),
        [AEAD_KEY]: key("aes-256-gcm", "aead"),
        [FORBIDDEN_KEY]: key("ecdsa-p256", "other"),
      },
    }),
    policy: policyOfMe(
      { id: "lanes", subjects: ["me"], action: ["*"], target: ["lane.*"] },
      { id: "reload", subjects: ["me"], action: ["op:reload"], target: ["broker.reload"] },
    ),
    emulator: {
      // The log of calls is not read here, and would grow with the run.
      callLog: { capacity: 100 },
      keys: [
        ...lanes.map((lane) => ({ spec: "ECC_NIST_P256" as const, aliases: [`alias/endurance/k${lane}`] })),
        { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/endurance/aead"] },
        { spec: "ECC_NIST_P256", aliases: ["alias/endurance/other"] },
      ],
    },
  });
}

/** The audit log's files, oldest first: rotated ones are named `audit.N.jsonl`. */
export async function auditFiles({ folder }: Stack): Promise<string[]> {
  const numberOf = (name: string) => Number(/^audit\.(\d+)\.jsonl$/.exec(name)?.[1]);
  const rotated = (await readdir(folder)).filter((name) => numberOf(name) >= 0);
  return [...rotated.sort((a, b) => numberOf(a) - numberOf(b)), "audit.jsonl"].map((name) => join(folder, name));
}

export async function verifyChain(stack: Stack) {
  const files = await auditFiles(stack);
  return verifyAudit(
    (async function* () {
      for (const file of files) yield* createReadStream(file) as AsyncIterable<Uint8Array>;
    })(),
  );
}

/** Under this name {@link auditCounts} counts the denials that group records stand for, whatever was asked. */
export const GROUPED_DENIALS = "grouped denials";

/** Whether a reply is a denial, which may be recorded in a group. */
export const isDenied = (name: string) => name.endsWith(" UNAUTHORIZED");

/** How many decisions the audit log holds, by `op target result`; complete lines only. */
export async function auditCounts(stack: Stack): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const file of await auditFiles(stack)) {
    for await (const line of createInterface(createReadStream(file))) {
      const record = parse(line);
      if (record?.event_kind === "basil.audit.denials") {
        counts.set(GROUPED_DENIALS, (counts.get(GROUPED_DENIALS) ?? 0) + (record.count as number));
      }
      if (record?.event_kind !== "basil.audit.authz") continue;
      const name = countName(record.op as string, record.target_id as string, record.result as string);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

export const countName = (op: string, target: string, result: string) => `${op} ${target} ${result}`;

/** Undefined for a line that a killed writer left torn; whether only those are torn is for {@link verifyChain} to say. */
function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
