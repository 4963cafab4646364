import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulated, emulated, type PolicyDocument, useProfiles } from "../test/emulated.js";
import { awsKmsSlot } from "./bundle-slot.js";

beforeAll(useProfiles);
afterAll(() => vi.unstubAllEnvs());

const allow = (...actions: string[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
});
const fileKey = new Uint8Array(16).fill(9);
const place = { bundleId: new Uint8Array(16).fill(1), slotId: 3 };
const wrapped = (kms: Emulated) =>
  slotOf(kms, "provisioner", alias).wrap?.(fileKey, place) ?? Promise.reject(new Error("no wrap"));
const slotOf = ({ emulator }: Emulated, profile: string, key?: string) =>
  awsKmsSlot({ region: emulator.region, endpoint: emulator.endpoint, profile, ...(key !== undefined && { key }) });
const policies = { provisioner: allow("kms:Encrypt"), runtime: allow("kms:Decrypt") };
const alias = "alias/basil/aes-256-gcm";

describe("awsKmsSlot", () => {
  it("wraps with kms:Encrypt alone and unwraps with kms:Decrypt alone", async () => {
    await using kms = await emulated({ policies });
    const stanza = await wrapped(kms);
    expect(stanza.args).toEqual(["basil/aws-kms", expect.stringMatching(/^arn:aws:kms:/)]);
    expect(await slotOf(kms, "runtime").unwrap(stanza, place)).toEqual(fileKey);
    expect(await slotOf(kms, "runtime", alias).unwrap(stanza, place)).toEqual(fileKey);
  });

  it.each([
    ["another bundle", { ...place, bundleId: new Uint8Array(16) }],
    ["another slot", { ...place, slotId: 4 }],
  ])("does not unwrap for %s", async (_what, elsewhere) => {
    await using kms = await emulated({ policies });
    const stanza = await wrapped(kms);
    await expect(slotOf(kms, "runtime").unwrap(stanza, elsewhere)).rejects.toMatchObject({ code: "DECRYPT_FAILED" });
  });

  it("does not unwrap without the grant, naming the action", async () => {
    await using kms = await emulated({ policies });
    const stanza = await wrapped(kms);
    kms.setPolicy("runtime", allow("kms:Encrypt"));
    await expect(slotOf(kms, "runtime").unwrap(stanza, place)).rejects.toMatchObject({
      code: "ACCESS_DENIED",
      details: { action: "kms:Decrypt" },
    });
  });

  it("does not unwrap when a policy demands another encryption context", async () => {
    await using kms = await emulated({ policies });
    const stanza = await wrapped(kms);
    const { Statement } = allow("kms:Decrypt");
    const Condition = { StringEquals: { "kms:EncryptionContext:basil:bundle": "another" } };
    kms.setPolicy("runtime", { ...allow(), Statement: Statement.map((statement) => ({ ...statement, Condition })) });
    await expect(slotOf(kms, "runtime").unwrap(stanza, place)).rejects.toMatchObject({ code: "ACCESS_DENIED" });
  });

  it("does not unwrap with a disabled key", async () => {
    await using kms = await emulated({ policies });
    const stanza = await wrapped(kms);
    kms.emulator.keys.setState(stanza.args[1]?.split("/")[1] ?? "", "Disabled");
    await expect(slotOf(kms, "runtime").unwrap(stanza, place)).rejects.toMatchObject({ code: "KEY_UNUSABLE" });
  });

  it("does not unwrap with a key other than the one it is pinned to", async () => {
    await using kms = await emulated({ policies });
    const stanza = await wrapped(kms);
    const other = await kms.emulator.keys.create({ spec: "SYMMETRIC_DEFAULT", aliases: ["alias/other"] });
    await expect(slotOf(kms, "runtime", other.arn).unwrap(stanza, place)).rejects.toMatchObject({
      code: "DECRYPT_FAILED",
    });
  });

  it("is UNAVAILABLE when its time is over, and not refused", async () => {
    await using kms = await emulated({ policies });
    const stanza = await wrapped(kms);
    const { timeout } = AbortSignal;
    const limit = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => timeout.call(AbortSignal, 100));
    kms.emulator.faults.add({ fault: { kind: "hang" }, times: Number.POSITIVE_INFINITY });
    await expect(slotOf(kms, "runtime").unwrap(stanza, place)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    limit.mockRestore();
    kms.emulator.faults.clear();
  });

  it("ends with the reason of the signal that gives it up", async () => {
    await using kms = await emulated({ policies });
    const stanza = await wrapped(kms);
    kms.emulator.faults.add({ fault: { kind: "hang" }, times: Number.POSITIVE_INFINITY });
    const giveUp = new AbortController();
    const unwrapped = slotOf(kms, "runtime").unwrap(stanza, { ...place, signal: giveUp.signal });
    giveUp.abort(new Error("no longer wanted"));
    await expect(unwrapped).rejects.toThrow("no longer wanted");
  });

  it("does not offer to wrap without a key", async () => {
    await using kms = await emulated({ policies });
    expect(slotOf(kms, "runtime").wrap).toBeUndefined();
  });

  it("refuses a stanza that is none of its own", async () => {
    await using kms = await emulated({ policies });
    const slot = slotOf(kms, "runtime");
    await expect(slot.unwrap({ args: ["scrypt", "a", "18"], body: fileKey }, place)).rejects.toThrow(TypeError);
  });
});
