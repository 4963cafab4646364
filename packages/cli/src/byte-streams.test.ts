import { describe, expect, it } from "vitest";
import { byteInput, requireByteOutput } from "./byte-streams.js";
import type { CommandContext } from "./context.js";

const at = (isTTY: boolean) => {
  const stdin = Object.assign((async function* () {})(), { isTTY });
  return { cwd: "/", stdin, terminal: { isTerminal: isTTY } } as unknown as CommandContext;
};

describe("byteInput", () => {
  it("waits for nobody at a terminal", async () => {
    await expect(byteInput({}, at(true))).rejects.toMatchObject({ code: "USAGE" });
    await expect(byteInput({}, at(false))).resolves.toBeDefined();
  });

  it("names a file that cannot be read, before anything else happens", async () => {
    await expect(byteInput({ file: "no such file" }, at(false))).rejects.toMatchObject({
      code: "FILE",
      details: { path: "no such file" },
    });
  });

  it("tells of a folder at once, although it can be opened", async () => {
    await expect(byteInput({ file: "." }, at(false))).rejects.toMatchObject({
      code: "FILE",
      message: "the file . cannot be read: it is a directory",
    });
  });
});

describe("requireByteOutput", () => {
  it("keeps bytes from a terminal, unless it is told to write them there", () => {
    expect(() => requireByteOutput({}, at(true))).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => requireByteOutput({ outFile: "-" }, at(true))).not.toThrow();
    expect(() => requireByteOutput({ outFile: "x" }, at(true))).not.toThrow();
    expect(() => requireByteOutput({}, at(false))).not.toThrow();
  });
});
