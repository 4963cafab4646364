import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeTable } from "./table.js";
import { createTerminal } from "./terminal.js";

const HOSTILE = "\u001b]0;title\u0007\u001b[2J\u001b[31mred\r\u009b31m\u202eabc";

function terminalOf(isTTY: boolean) {
  const written: string[] = [];
  const stream = { isTTY, write: (text: string) => written.push(text) > 0 } as never;
  return { terminal: createTerminal({ stdout: stream, stderr: stream, env: { TERM: "xterm" } }), written };
}

describe("text of another party", () => {
  it.for([true, false])("reaches the terminal without its escapes (a terminal: %s)", async (isTTY) => {
    const { terminal, written } = terminalOf(isTTY);
    terminal.out(HOSTILE);
    terminal.err(HOSTILE);
    void terminal.outHandedOver(HOSTILE);
    terminal.out(JSON.stringify({ name: HOSTILE }));
    writeTable(["NAME"], [[`${HOSTILE}\nforged\tcolumn`]], { ...terminal, isTerminal: false });
    for (const text of written) expect(text).toMatch(/^[^\p{Cc}\p{Cf}]*\n$/u);
    expect(JSON.parse(written[3] ?? "")).toEqual({ name: HOSTILE });
    expect(written).toHaveLength(6);
  });

  it("stands in the program's colours without escapes of its own", () => {
    const { terminal, written } = terminalOf(true);
    terminal.out(`${terminal.colors.red("error:")} ${terminal.colors.bold(HOSTILE)}`);
    expect(written[0]?.startsWith("\u001b[31merror:\u001b[39m \u001b[1m\\u001b]0;title")).toBe(true);
    expect(written[0]?.split("\u001b")).toHaveLength(5);
  });

  it("holds no control character but line feed and tab, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const { terminal, written } = terminalOf(true);
        terminal.out(text);
        expect(written[0]).toMatch(/^(?:(?![\p{Cc}\p{Cf}\p{Zl}\p{Zp}])[\s\S]|[\n\t])*$/u);
      }),
    );
  });
});
