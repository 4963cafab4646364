import { appendFile, mkdtemp, open, readFile, rename, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openAuditFile } from "./audit-file.js";
import type { AuditSink } from "./audit-sink.js";
import { lineHash } from "./chain.js";
import { parseCheckpoint, verifyAudit } from "./verify-audit.js";

let folder: string;
let path: string;
let sink: AuditSink | undefined;
const logged: string[] = [];
const log = (fields: object, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`);
const logger = { info: log, warn: log, error: log };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-audit-"));
  path = join(folder, "audit.log");
  logged.length = 0;
});
afterEach(async () => {
  await sink?.[Symbol.asyncDispose]();
  sink = undefined;
  await rm(folder, { recursive: true });
});

const record = (n: number) => ({ event_kind: "basil.audit.authz", z: n, a: "x" });
const records = async (file = path) =>
  (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const verify = async (...files: string[]) => verifyAudit(await Promise.all(files.map((file) => readFile(file))));

async function write(from: number, to: number, options = {}) {
  sink = await openAuditFile(path, { logger, ...options });
  for (let n = from; n <= to; n++) await sink.write(record(n));
}
async function close() {
  await sink?.[Symbol.asyncDispose]();
  sink = undefined;
}

describe("openAuditFile", () => {
  it("creates the file for its owner alone, and warns of one that others may read", async () => {
    await write(1, 1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(logged).toEqual([]);
    await close();
    await rm(path);
    await writeFile(path, "", { mode: 0o644 });
    await write(1, 1);
    expect(logged[0]).toContain("644");
  });

  it("has the line in the file when a write settles, its members in alphabetical order", async () => {
    await write(1, 1);
    const text = await readFile(path, "utf8");
    expect(text).toBe(`{"a":"x","event_kind":"basil.audit.authz","previous_hash":"${"0".repeat(64)}","seq":1,"z":1}\n`);
  });

  it("keeps the order of lines that arrive together", async () => {
    sink = await openAuditFile(path);
    await Promise.all(Array.from({ length: 2000 }, (_, n) => sink?.write(record(n))));
    expect((await records()).filter(({ z }) => z !== undefined).map(({ z }) => z)).toEqual(
      Array.from({ length: 2000 }, (_, n) => n),
    );
    expect(await verify(path)).toMatchObject({ ok: true });
  });

  it("has one writer at a time, also after it was opened again", async () => {
    await write(1, 1);
    await sink?.reopen?.();
    await expect(openAuditFile(path)).rejects.toMatchObject({
      code: "AUDIT_UNAVAILABLE",
      message: expect.stringContaining("another process"),
    });
    await sink?.write(record(2));
    await close();
    await write(3, 3);
    expect(await verify(path)).toMatchObject({ ok: true });
  });

  it("refuses a path that cannot be opened", async () => {
    await expect(openAuditFile(folder)).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE", details: { path: folder } });
  });

  it("goes on with the chain after a restart", async () => {
    await write(1, 2);
    await close();
    await write(3, 4);
    await close();
    expect(await verify(path)).toMatchObject({ ok: true, lines: 6, first: { seq: 1 } });
  });

  it("goes on with the chain over a rotation", async () => {
    await write(1, 2);
    await rename(path, `${path}.1`);
    await sink?.write(record(3));
    await sink?.reopen?.();
    await sink?.write(record(4));
    await close();
    expect((await records()).map(({ z }) => z)).toContain(4);
    expect(await verify(`${path}.1`, path)).toMatchObject({ ok: true });
    const alone = await verify(path);
    expect(alone.ok).toBe(true);
    expect(alone.first?.seq).toBeGreaterThan(3);
  });

  it("goes on after a log that has no chain", async () => {
    await writeFile(path, '{"event_version":2}\n');
    await write(1, 1);
    expect(await verify(path)).toMatchObject({ ok: true, unchained: 1, first: { seq: 1 } });
  });

  it("closes and marks a line that a killed writer left torn, wherever it was cut", async () => {
    await write(1, 3);
    await close();
    const whole = await readFile(path);
    const cuts = [1, 2, 40, 90, 100].map((bytes) => whole.length - bytes);
    for (const cut of cuts) {
      await writeFile(path, whole);
      await truncate(path, cut);
      await write(4, 4);
      await close();
      const result = await verify(path);
      expect(result).toMatchObject({ ok: true, problems: [] });
      expect((await readFile(path, "utf8")).includes("basil.audit.recovered")).toBe(whole[cut - 1] !== 0x0a);
    }
  });

  it("reads a hole of many megabytes, as a power cut leaves one, once, and goes on behind it", async () => {
    const hole = 64 * 1024 * 1024;
    await write(1, 1);
    await close();
    const { size } = await stat(path);
    await truncate(path, size + hole);
    await write(2, 2);
    await close();
    expect(await verify(path)).toMatchObject({ ok: true, recovered: 1, problems: [] });
    const [, , , marker] = (await readFile(path, "latin1")).split("\n");
    expect(JSON.parse(marker ?? "")).toMatchObject({ event_kind: "basil.audit.recovered", torn_bytes: hole });
  });

  it("writes checkpoints to the file and to the operator's log", async () => {
    await write(1, 5, { checkpointEvery: 2 });
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    const at = lines.findIndex((line) => line.includes("basil.audit.checkpoint"));
    expect(at).toBe(2);
    expect(JSON.parse(lines[at] ?? "").checkpoint).toBe(`2:${lineHash(lines[1] ?? "")}`);
    expect(logged[0]).toContain(`2:${lineHash(lines[1] ?? "")}`);
  });

  it("is unhealthy after a write failed, and healthy again once one succeeds", async () => {
    await symlink("/dev/full", path);
    sink = await openAuditFile(path, { logger, retryMs: 5 });
    await expect(sink.write(record(1))).rejects.toThrow(/ENOSPC/);
    expect(sink.healthy).toBe(false);
    await rm(path);
    await writeFile(path, "", { mode: 0o600 });
    await expect.poll(() => sink?.healthy).toBe(true);
    await sink.write(record(2));
    expect((await records()).map(({ event_kind }) => event_kind)).toEqual(["basil.audit.resumed", "basil.audit.authz"]);
    expect(logged.map((line) => line.split(" {")[0])).toEqual([
      "the audit log cannot be written",
      "the audit log can be written again",
    ]);
  });

  it("writes nothing behind a line that was cut short until the file was looked at again", async () => {
    sink = await openAuditFile(path, { logger, retryMs: 60_000 });
    await sink.write(record(1));
    const probe = await open(path);
    const handles = Object.getPrototypeOf(probe) as { write: (...args: unknown[]) => Promise<unknown> };
    await probe.close();
    const { write: real } = handles;
    const full = vi.spyOn(handles, "write");
    full.mockImplementationOnce(function (this: unknown, bytes) {
      return Reflect.apply(real, this, [(bytes as Uint8Array).subarray(0, 40)]);
    });
    full.mockRejectedValueOnce(Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }));
    await expect(sink.write(record(2))).rejects.toThrow("ENOSPC");
    expect(sink.healthy).toBe(false);
    await sink.write(record(3));
    expect(sink.healthy).toBe(true);
    await close();
    expect(await verify(path)).toMatchObject({ ok: true, recovered: 1 });
    expect(await readFile(path, "utf8")).toMatch(/"z":3/);
  });

  it("takes no record once it is closed", async () => {
    await write(1, 1);
    const closed = sink;
    await close();
    await expect(closed?.write(record(2))).rejects.toMatchObject({ code: "CLOSED" });
  });
});

describe("verifyAudit", () => {
  const chained = async (count: number) => {
    await rm(path, { force: true });
    await write(1, count);
    await close();
    return (await readFile(path, "utf8")).trimEnd().split("\n");
  };
  const check = (lines: readonly string[], options = {}) =>
    verifyAudit([Buffer.from(lines.map((line) => `${line}\n`).join(""))], options);

  it("finds any line that was changed, removed, repeated or moved", async () => {
    const lines = await chained(8);
    expect(await check(lines)).toMatchObject({ ok: true });
    const inner = fc.integer({ min: 0, max: lines.length - 2 });
    await fc.assert(
      fc.asyncProperty(inner, fc.constantFrom("change", "remove", "repeat", "swap"), async (at, how) => {
        const copy = [...lines];
        const line = copy[at] as string;
        if (how === "change") copy[at] = line.replace('"x"', '"y"').replace('"basil', '"bazil');
        if (how === "remove") copy.splice(at, 1);
        if (how === "repeat") copy.splice(at, 0, line);
        if (how === "swap") copy.splice(at, 2, copy[at + 1] as string, line);
        const { ok, first } = await check(copy);
        // Without its first line a chain is one that begins later, and says so.
        if (how === "remove" && at === 0) expect(first).toMatchObject({ seq: 2 });
        else expect(ok).toBe(false);
      }),
    );
  });

  it("finds a removed tail and a rewritten file only against a checkpoint", async () => {
    const lines = await chained(4);
    const { last } = await check(lines);
    const cut = lines.slice(0, 2);
    expect(await check(cut)).toMatchObject({ ok: true });
    expect(await check(cut, { checkpoints: [last] })).toMatchObject({
      ok: false,
      problems: [{ kind: "checkpoint_missing" }],
    });
    await rm(path);
    sink = await openAuditFile(path);
    for (let n = 11; n <= 15; n++) await sink.write(record(n));
    await close();
    const rewritten = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(await check(rewritten)).toMatchObject({ ok: true });
    expect(await check(rewritten, { checkpoints: [last] })).toMatchObject({
      problems: [{ kind: "checkpoint_differs" }],
    });
  });

  it("is content with neither of two checkpoints of one number that differ, in whatever order", async () => {
    const lines = await chained(2);
    const { last } = await check(lines);
    const seq = last?.seq ?? 0;
    const checkpoints = [last, { seq, hash: "0".repeat(64) }];
    expect(await check(lines, { checkpoints: [last, last] })).toMatchObject({ ok: true });
    for (const given of [checkpoints, checkpoints.toReversed()]) {
      const problems = [{ kind: "checkpoint_differs", line: lines.length }];
      expect(await check(lines, { checkpoints: given })).toMatchObject({ ok: false, problems });
    }
  });

  it("tells a line that is being written from a damaged one", async () => {
    await chained(2);
    await appendFile(path, '{"a":"half');
    expect(await verify(path)).toMatchObject({ ok: true, tornBytes: 10 });
    await appendFile(path, "\n");
    expect(await verify(path)).toMatchObject({ ok: false, problems: [{ kind: "not_json" }] });
  });

  it("says the same however the bytes are cut into chunks, and never throws", async () => {
    const whole = Buffer.from(`${(await chained(3)).join("\n")}\n`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 5 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const chunks = at.slice(1).map((end, index) => whole.subarray(at[index], end));
        expect(await verifyAudit(chunks)).toEqual(await verifyAudit([whole]));
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect(typeof (await verifyAudit([bytes])).ok).toBe("boolean");
      }),
    );
  });
});

describe("verifyAudit of bytes without a newline", () => {
  it("reads each once, however small the chunks are", async () => {
    function* chunks() {
      for (let n = 0; n < 200_000; n++) yield new Uint8Array(64).fill(0x20);
    }
    expect(await verifyAudit(chunks())).toMatchObject({ ok: true, lines: 0, tornBytes: 12_800_000 });
  });
});

describe("parseCheckpoint", () => {
  it("reads what the log shows, and refuses anything else", () => {
    expect(parseCheckpoint(`7:${"a".repeat(64)}`)).toEqual({ seq: 7, hash: "a".repeat(64) });
    for (const text of ["", "7", `7:${"A".repeat(64)}`, `-1:${"a".repeat(64)}`, `7:${"a".repeat(63)}`]) {
      expect(() => parseCheckpoint(text)).toThrow(TypeError);
    }
  });
});
