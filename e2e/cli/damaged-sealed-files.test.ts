import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isClientError, openStream } from "@basil/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { content, type SealingStack, startSealingStack } from "./sealing-stack.js";

const CHUNK = 65_536 + 16;
/** In one process, each costs at most one Decrypt. */
const MUTATIONS = 5000;

let started: SealingStack;
beforeAll(async () => {
  started = await startSealingStack();
}, 120_000);
afterAll(() => started?.[Symbol.asyncDispose]());
const type: SealingStack["type"] = (line, options) => started.type(line, options);
const sealed: SealingStack["sealed"] = (options) => started.sealed(options);

interface Mutation {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The n-th of the damages a file may suffer; `header` and `payload` are where it is cut up. */
function mutation(whole: Buffer, n: number): Mutation {
  const header = whole.indexOf("\n", whole.indexOf("\n---") + 1) + 1;
  const payload = header + 16;
  const at = (from: number, to: number) => from + Math.floor(((n * 7919) % 10_007) * ((to - from) / 10_007));
  const flip = (where: number): Buffer => {
    const bytes = Buffer.from(whole);
    bytes[where] = (bytes[where] as number) ^ (1 << (n % 8));
    return bytes;
  };
  const chunk = (index: number) => whole.subarray(payload + index * CHUNK, payload + (index + 1) * CHUNK);
  switch (n % 8) {
    case 0:
    case 1:
      return { name: "a bit of the header", bytes: flip(at(0, header)) };
    case 2:
      return { name: "a bit of the payload", bytes: flip(at(header, whole.length)) };
    case 3:
      return { name: "cut short", bytes: whole.subarray(0, at(0, whole.length)) };
    case 4:
      return { name: "appended to", bytes: Buffer.concat([whole, whole.subarray(0, 1 + (n % (2 * CHUNK)))]) };
    case 5: {
      const order = [[1, 0], [0, 0], [1, 1], [0], [1]][n % 5] ?? [];
      const chunks = order.map(chunk);
      return { name: "reordered", bytes: Buffer.concat([whole.subarray(0, payload), ...chunks, chunk(2)]) };
    }
    case 6: {
      const where = at(0, whole.length);
      return { name: "a byte gone", bytes: Buffer.concat([whole.subarray(0, where), whole.subarray(where + 1)]) };
    }
    default: {
      const where = at(0, header);
      return {
        name: "a byte more in the header",
        bytes: Buffer.concat([whole.subarray(0, where), Buffer.of(n % 128), whole.subarray(where)]),
      };
    }
  }
}

describe("a damaged sealed file", () => {
  it(`ends in a code, each of ${MUTATIONS} of them, and only sound bytes come out`, async () => {
    const whole = await sealed();
    const codes = new Map<string, number>();
    let next = 0;
    const lane = async () => {
      for (let n = next++; n < MUTATIONS; n = next++) {
        const { name, bytes } = mutation(whole, n);
        let out = 0;
        try {
          for await (const chunk of await openStream(started.client, bytes)) {
            expect(content.subarray(out, out + chunk.length).equals(chunk), `${n}: ${name}`).toBe(true);
            out += chunk.length;
          }
          expect.unreachable(`${n}: ${name} opened`);
        } catch (error) {
          if (!isClientError(error)) throw error;
          codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    const known = ["SEALED_HEADER_INVALID", "SEALED_RECIPIENT_MISSING", "SEALED_PAYLOAD_INVALID", "DECRYPT_FAILED"];
    // A changed name is one the policy does not know, a changed version one the key does not have.
    expect([...known, "UNAUTHORIZED", "INVALID_REQUEST"]).toEqual(expect.arrayContaining([...codes.keys()]));
    expect([...codes.values()].reduce((sum, count) => sum + count)).toBe(MUTATIONS);
  }, 300_000);

  it("leaves no file behind on the command line, and exits 1 or 4", async () => {
    const whole = await sealed();
    const place = join(started.stack.folder, "opened-here");
    await mkdir(place);
    await writeFile(join(place, "old"), "what was there before");
    const lane = async (lane: number) => {
      for (let n = lane; n < 32; n += 2) {
        const { name, bytes } = mutation(whole, n);
        const answer = await type(`basil open -o ${n % 4 === 0 ? "old" : `new-${n}`}`, { stdin: bytes, cwd: place });
        expect([1, 4], `${n}: ${name}: ${answer.stderr}`).toContain(answer.exitCode);
        expect(answer.stdout).toBe("");
        expect(answer.stderr).toMatch(/^error: .+\nhint: .+\n$/);
      }
    };
    await Promise.all([lane(0), lane(1)]);
    expect(await readdir(place)).toEqual(["old"]);
    expect(await readFile(join(place, "old"), "utf8")).toBe("what was there before");
  }, 120_000);

  it("gives sound bytes alone on standard output, and exit code 1", async () => {
    const cut = (await sealed()).subarray(0, -1);
    const out = join(started.folder, "cut");
    expect(await type("basil open", { stdin: cut, stdoutFile: out })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^error: the sealed file was changed or cut short .*\nhint: throw away .*-o FILE/),
    });
    const written = await readFile(out);
    expect(written.equals(content.subarray(0, written.length))).toBe(true);
    expect(written.length).toBeLessThan(content.length);
  });
});
