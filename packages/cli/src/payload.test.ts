import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandContext } from "./context.js";
import { readPayload } from "./payload.js";

const BINARY = Uint8Array.from({ length: 256 }, (_, i) => i);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-payload-"));
  await writeFile(join(folder, "binary"), BINARY);
});
afterAll(() => rm(folder, { recursive: true }));

function context(
  chunks: readonly Uint8Array[],
  more: { isTTY?: boolean; signal?: AbortSignal; endless?: boolean } = {},
) {
  const stdin = {
    isTTY: more.isTTY ?? false,
    async *[Symbol.asyncIterator]() {
      yield* chunks;
      if (more.endless) await new Promise(() => {});
    },
  };
  return { cwd: folder, stdin, signal: more.signal ?? new AbortController().signal } as unknown as CommandContext;
}

describe("readPayload", () => {
  it("takes the operand as UTF-8", async () => {
    expect(await readPayload(["grün"], {}, context([]), 10)).toEqual(new TextEncoder().encode("grün"));
  });

  it("takes an empty operand as no bytes", async () => {
    expect(await readPayload([""], {}, context([BINARY]), 10)).toHaveLength(0);
  });

  it("reads a file byte for byte", async () => {
    expect(await readPayload([], { file: "binary" }, context([]), 256)).toEqual(BINARY);
  });

  it.for([
    ["nothing", [], {}],
    ["the operand -", ["-"], {}],
    ["--file -", [], { file: "-" }],
  ] as const)("reads standard input byte for byte for %s", async ([, operands, options]) => {
    expect(await readPayload(operands, options, context([BINARY.subarray(0, 100), BINARY.subarray(100)]), 256)).toEqual(
      BINARY,
    );
  });

  it("refuses two payloads", async () => {
    await expect(readPayload(["a"], { file: "b" }, context([]), 10)).rejects.toMatchObject({ code: "USAGE" });
  });

  it("does not wait for a person to type", async () => {
    await expect(readPayload([], {}, context([], { isTTY: true }), 10)).rejects.toMatchObject({ code: "USAGE" });
  });

  it("names a file that is not there", async () => {
    await expect(readPayload([], { file: "absent" }, context([]), 10)).rejects.toMatchObject({
      code: "FILE",
      message: "the file absent cannot be read: there is no such file",
    });
  });

  it("stops reading at the limit", async () => {
    await expect(readPayload(["-"], {}, context([BINARY], { endless: true }), 255)).rejects.toMatchObject({
      code: "TOO_LARGE",
    });
    await expect(readPayload(["12"], {}, context([]), 1)).rejects.toMatchObject({ code: "TOO_LARGE" });
  });

  it("stops waiting for standard input when it is interrupted", async () => {
    const controller = new AbortController();
    const waiting = readPayload(["-"], {}, context([], { endless: true, signal: controller.signal }), 10);
    controller.abort("SIGINT");
    await expect(waiting).rejects.toMatchObject({ code: "DEADLINE" });
  });
});
