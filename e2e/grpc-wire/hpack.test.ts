import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HeaderDecoder } from "../../packages/grpc-wire/src/hpack/header-decoder.js";
import { encodeHeaders } from "../../packages/grpc-wire/src/hpack/header-encoder.js";
import { STATIC_TABLE } from "../../packages/grpc-wire/src/hpack/static-table.js";
import { hasPython, pythonVenv } from "../peers/python.js";

const text = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 200,
});
const name = fc.oneof(
  fc.constantFrom("x-a", "x-b", "grpc-timeout"),
  text.filter((value) => value.length > 0),
);
const field = fc.oneof(fc.constantFrom(...STATIC_TABLE), fc.tuple(name, text));
const fields = fc.array(field, { maxLength: 15 });

describe.skipIf(!hasPython())("HPACK beside Python's hpack", () => {
  let peer: ChildProcess;
  let answers: AsyncIterator<string>;
  beforeAll(async () => {
    const python = await pythonVenv(["hpack==4.2.0"]);
    peer = spawn(python, [join(import.meta.dirname, "hpack_peer.py")], { stdio: ["pipe", "pipe", "inherit"] });
    answers = createInterface({ input: peer.stdout! })[Symbol.asyncIterator]();
  }, 300_000);
  afterAll(() => peer.kill());

  async function ask(request: object): Promise<unknown> {
    peer.stdin?.write(`${JSON.stringify(request)}\n`);
    return JSON.parse((await answers.next()).value);
  }

  it("decodes what it encodes, with and without Huffman, with one table for all blocks", async () => {
    const decoder = new HeaderDecoder({ tableBytes: 4096, listBytes: 1_000_000 });
    await fc.assert(
      fc.asyncProperty(fields, fc.boolean(), async (list, huffman) => {
        const block = Buffer.from((await ask({ encode: list, huffman })) as string, "hex");
        expect(decoder.decode(block)).toEqual(list.flat());
      }),
      { numRuns: 500 },
    );
  });

  it("encodes what it decodes", async () => {
    await fc.assert(
      fc.asyncProperty(fields, async (list) => {
        expect(await ask({ decode: encodeHeaders(list).toString("hex") })).toEqual(list);
      }),
      { numRuns: 300 },
    );
  });
});
