import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KMSClient, ListKeysCommand, SignCommand } from "@aws-sdk/client-kms";
import { describe, expect, it } from "vitest";
import { callLine } from "./call-line.js";
import { CallLog } from "./call-log.js";
import { CallNote, type CallRecord } from "./call-record.js";
import { startKmsEmulator } from "./index.js";

const record = (sequence: number): CallRecord => new CallNote(`id-${sequence}`).finish(sequence, 0, 200);

describe("the call log", () => {
  it("is a ring: the oldest call makes room, and goes to the overflow file in order", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kms-log-"));
    const overflowFile = join(folder, "calls.jsonl");
    const log = new CallLog({ capacity: 3, overflowFile });
    for (let i = 1; i <= 8; i += 1) log.add(record(log.nextSequence));
    expect(log.all().map(({ sequence }) => sequence)).toEqual([6, 7, 8]);
    const lines = (await readFile(overflowFile, "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).sequence)).toEqual([1, 2, 3, 4, 5]);
    log.clear();
    expect(log.all()).toEqual([]);
    log.add(record(log.nextSequence));
    expect(log.all().map(({ sequence }) => sequence)).toEqual([9]);
    await rm(folder, { recursive: true });
  });

  it("keeps 10,000 calls by default", () => {
    const log = new CallLog();
    for (let i = 1; i <= 10_001; i += 1) log.add(record(i));
    expect(log.all()).toHaveLength(10_000);
  });

  it("refuses a capacity that is none and a file that cannot be written", () => {
    expect(() => new CallLog({ capacity: 0 })).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    expect(() => new CallLog({ overflowFile: "/nowhere/calls" })).toThrow(
      expect.objectContaining({ code: "LOG_FILE" }),
    );
  });

  it("holds the request id of the answer, on success and on error", async () => {
    await using emulator = await startKmsEmulator();
    const credentials = emulator.rootCredentials;
    const client = new KMSClient({ endpoint: emulator.endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
    const { $metadata } = await client.send(new ListKeysCommand({}));
    const failed = client.send(
      new SignCommand({ KeyId: "alias/x", Message: Uint8Array.of(1), SigningAlgorithm: "ECDSA_SHA_256" }),
    );
    const error = await failed.catch((e: { $metadata: { requestId: string } }) => e);
    client.destroy();
    expect(emulator.calls.map(({ requestId }) => requestId)).toEqual([
      $metadata.requestId,
      (error as typeof error & { $metadata: { requestId: string } }).$metadata.requestId,
    ]);
    expect(emulator.calls[1]).toMatchObject({ errorCode: "NotFoundException", decision: "none", keyId: "alias/x" });
  });

  it("never holds a message, a signature or a secret", async () => {
    const seen: CallRecord[] = [];
    await using emulator = await startKmsEmulator({
      keys: [{ spec: "ECC_NIST_P256", aliases: ["alias/k"] }],
      callLog: { onCall: (call) => seen.push(call) },
    });
    const credentials = emulator.rootCredentials;
    const client = new KMSClient({ requestHandler: emulator.requestHandler, region: "us-east-1", credentials });
    const Message = Buffer.from("something private");
    const { Signature } = await client.send(
      new SignCommand({ KeyId: "alias/k", Message, SigningAlgorithm: "ECDSA_SHA_256" }),
    );
    expect(seen).toEqual(emulator.calls);
    const text = JSON.stringify(emulator.calls);
    for (const hidden of [
      Message.toString("base64"),
      Buffer.from(Signature ?? []).toString("base64"),
      credentials.secretAccessKey,
    ]) {
      expect(text).not.toContain(hidden);
    }
  });
});

describe("callLine", () => {
  it("says who did what to which key and how it ended, and keeps control characters from the terminal", () => {
    const note = new CallNote("id");
    Object.assign(note, {
      service: "kms",
      operation: "Sign\u001b[2J",
      principal: "arn:aws:iam::111122223333:user/ann",
      keyId: "alias/k",
      errorCode: "AccessDeniedException",
    });
    note.checks.push({
      action: "kms:Sign",
      resource: "arn:aws:kms:us-east-1:111122223333:key/x",
      decision: "deny",
      reason: "no identity-based policy allows",
    });
    const line = callLine(note.finish(1, 0, 400), false);
    expect(line).toBe(
      "00:00:00.000  kms   Sign?[2J              deny   AccessDeniedException  user/ann  alias/k  kms:Sign: no identity-based policy allows",
    );
    expect(callLine(note.finish(1, 0, 400), true)).toContain("\u001b[31mdeny \u001b[0m");
  });
});
