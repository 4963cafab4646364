import { describe, expect, it } from "vitest";
import { lineHash } from "./chain.js";
import { verifyAudit } from "./verify-audit.js";

type Line = string | Uint8Array;
/** A line that continues the one before it, with this number. */
const next = (before: Line | undefined, seq: unknown, members: object = {}): string =>
  JSON.stringify({ previous_hash: before === undefined ? "0".repeat(64) : lineHash(before), seq, ...members });
const verify = (...lines: readonly Line[]) =>
  verifyAudit([Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from("\n")]))]);
const named = async (...lines: readonly Line[]) =>
  (await verify(...lines)).problems.map(({ line, kind }) => [line, kind]);

const one = next(undefined, 1);
const two = next(one, 2);
const RECOVERED = { event_kind: "basil.audit.recovered" };

describe("verifyAudit names", () => {
  it.for([
    ["a number that is left out, though the hashes are right", 4],
    ["a number that is given twice", 2],
    ["a number that goes back", 1],
  ] as const)("%s", async ([, seq]) => {
    expect(await named(one, two, next(two, seq))).toEqual([[3, "wrong_sequence"]]);
  });

  it("a line that does not continue the one before it, whatever its number says", async () => {
    expect(await named(one, two, next(one, 3))).toEqual([[3, "wrong_hash"]]);
  });

  it.for<[string, Line]>([
    ["a text where its number belongs", next(two, "3")],
    ["a number that is no integer", next(two, 3.5)],
    ["a number beyond those that are exact", next(two, 2 ** 53)],
    ["no number", next(two, undefined)],
    ["no hash", next(two, 3, { previous_hash: undefined })],
    ["a number where its hash belongs", next(two, 3, { previous_hash: 7 })],
    ["nothing in it", "{}"],
    ["a list", "[]"],
  ])("not_chained a line with %s", async ([, line]) => {
    expect((await named(one, two, line))[0]).toEqual([3, "not_chained"]);
  });

  it.for<[string, Line]>([
    ["null", "null"],
    ["a number", "7"],
    ["an empty line", ""],
    ["half an object", '{"seq":3'],
    ["a byte that is not UTF-8", Buffer.from('{"a":"\xff"}', "latin1")],
  ])("not_json %s", async ([, line]) => {
    expect(await named(one, two, line)).toEqual([[3, "not_json"]]);
    // Nor is it a torn line when the next one does not say so.
    expect(await named(one, two, line, next(line, 3))).toEqual([[3, "not_json"]]);
  });

  it("each of two lines that are no JSON", async () => {
    expect(await named(one, two, "{", "[", next("[", 3, RECOVERED))).toEqual([[3, "not_json"]]);
    expect(await named(one, two, "{", "[", next("[", 3))).toEqual([
      [3, "not_json"],
      [4, "not_json"],
    ]);
  });
});

describe("verifyAudit counts", () => {
  it("a torn line that the next one closes and marks as recovered", async () => {
    expect(await verify(one, "{", next("{", 2, RECOVERED))).toMatchObject({ ok: true, lines: 3, recovered: 1 });
    expect(await verify(one, two)).toMatchObject({ ok: true, recovered: 0 });
  });

  it("lines before the chain, whose last the first chained one continues", async () => {
    const old = ['{"op":"sign"}', '{"op":"get"}'] as const;
    const first = next(old[1], 1);
    expect(await verify(...old, first)).toMatchObject({
      ok: true,
      unchained: 2,
      first: { seq: 1, hash: lineHash(old[1]) },
      last: { seq: 1, hash: lineHash(first) },
    });
    expect(await named(old[0], first)).toEqual([[2, "wrong_hash"]]);
    // After a line that is no JSON, one without a number is none of those before the chain.
    expect(await verify("{", old[0])).toMatchObject({ ok: false, unchained: 0 });
  });

  it("a checkpoint that is not there as of no line", async () => {
    const [wanted] = (await verifyAudit([], { checkpoints: [{ seq: 3, hash: "a".repeat(64) }] })).problems;
    expect(wanted).toMatchObject({ line: 0, kind: "checkpoint_missing" });
  });
});
