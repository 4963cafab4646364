import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALICE, NOBODY } from "../../test/documents.js";
import { memoryAudit } from "../../test/memory-audit.js";
import { testBroker } from "../../test/test-broker.js";
import type { AuditRecord } from "./audit-sink.js";
import { CHAIN_START, chainLine } from "./chain.js";
import { DenialGroups } from "./denial-groups.js";
import { recordedName } from "./recorded-name.js";
import { verifyAudit } from "./verify-audit.js";

const MIB = 1_048_576;
/** What costs most bytes a character: escaped, doubled by JSON, three bytes of UTF-8, cut within a pair. */
const COSTLY = ["\u200b", "\\", "漢", "\u{e0001}", "\ud800", '"', "\u0000"];

describe("the denials of one uid", () => {
  it("write less than 1 MiB a minute, whatever the caller sends, and every denial is in a record or in a group", async () => {
    const audit = memoryAudit();
    await using broker = await testBroker({ audit });
    const stranger = broker.as({ ...NOBODY, exe: `/${"漢".repeat(300)}` });
    const other = broker.as({ ...NOBODY, uid: NOBODY.uid + 1 });
    const denied = async (caller: typeof other, name: string) => {
      await expect(caller.sign(name, new Uint8Array())).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    };
    for (let n = 0; n < 500; n++) await denied(stranger, `${n}${(COSTLY[n % COSTLY.length] ?? "").repeat(2000)}`);
    await denied(other, "app.p256");
    await broker.close();
    const groups = audit.records.filter(({ event_kind }) => event_kind === "basil.audit.denials");
    const single = audit.records.filter(
      ({ presenter_uid, count }) => presenter_uid === NOBODY.uid && count === undefined,
    );
    expect(single.length).toBeLessThan(80);
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({
      presenter_uid: NOBODY.uid,
      op: "sign",
      reason: `no_actor_subject:${NOBODY.uid}`,
      count: 500 - single.length,
      distinct_targets: 500 - single.length,
    });
    expect(groups[0]?.sample_targets).toHaveLength(8);
    expect(audit.records.some(({ presenter_uid }) => presenter_uid === NOBODY.uid + 1)).toBe(true);
    const longest = Math.max(...audit.records.map((record) => lineBytes(record)));
    expect(longest).toBeLessThan(7500);
  });

  it("have a bounded number of single records and groups in any minute", () => {
    const denial = fc.record({ op: fc.string(), reason: fc.string(), target: fc.string(), wait: fc.nat(500) });
    fc.assert(
      fc.asyncProperty(fc.array(denial, { minLength: 100, maxLength: 400 }), async (denials) => {
        let now = 0;
        const written: AuditRecord[] = [];
        const groups = new DenialGroups({ now: () => now, write: async (record) => void written.push(record) });
        let single = 0;
        for (const { wait, ...rest } of denials) {
          now += wait;
          if (groups.admit({ uid: 7, ...rest })) single += 1;
        }
        await groups.flush();
        groups.close();
        expect(single).toBeLessThanOrEqual(60 + now / 1000);
        expect(written.length).toBeLessThanOrEqual(16);
        expect(written.reduce((sum, { count }) => sum + Number(count), single)).toBe(denials.length);
      }),
      { numRuns: 20 },
    );
    // 60 at once, 60 in the minute, and two rounds of groups.
    expect(120 * 5_700 + 2 * 16 * 7_500).toBeLessThan(MIB);
  });

  it("keep a group whose record could not be written, and write it with the next", async () => {
    const written: AuditRecord[] = [];
    let full = true;
    const write = async (record: AuditRecord) => {
      if (full) throw new Error("disk full");
      written.push(record);
    };
    const groups = new DenialGroups({ now: () => 0, write });
    const denied = (target: string) => groups.admit({ uid: 7, op: "sign", reason: "not_permitted", target });
    for (let n = 0; n < 62; n++) denied("a");
    await expect(groups.flush()).rejects.toThrow("disk full");
    denied("b");
    full = false;
    await groups.flush();
    groups.close();
    expect(written).toMatchObject([{ count: 3, distinct_targets: 2, sample_targets: ["a", "b"] }]);
  });

  it("are counted by audit verify, which refuses a group record without a count", async () => {
    const verify = (record: AuditRecord) => verifyAudit([Buffer.from(`${chainLine(record, CHAIN_START).line}\n`)]);
    expect(await verify({ event_kind: "basil.audit.denials", count: 41 })).toMatchObject({
      ok: true,
      groupedDenials: 41,
    });
    expect((await verify({ event_kind: "basil.audit.denials" })).problems).toMatchObject([{ kind: "wrong_count" }]);
  });

  it("leave the records of allowed requests one each", async () => {
    const audit = memoryAudit();
    await using broker = await testBroker({ audit });
    for (let n = 0; n < 100; n++) await broker.as(ALICE).sign("app.p256", new Uint8Array());
    expect(audit.records).toHaveLength(100);
  });
});

describe("recordedName", () => {
  it("is at most 256 characters long after it is escaped, and holds no divided escape", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...COSTLY, "a"), { maxLength: 400 }), (parts) => {
        const name = recordedName(parts.join(""));
        expect(name.length).toBeLessThanOrEqual(256);
        expect(name.isWellFormed()).toBe(true);
        expect(Buffer.byteLength(JSON.stringify(name))).toBeLessThan(780);
        expect(name).not.toMatch(/\\u\{[0-9a-f]*…$/);
      }),
    );
  });
});

function lineBytes(record: AuditRecord): number {
  return Buffer.byteLength(chainLine(record, CHAIN_START).line);
}
