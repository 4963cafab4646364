import type { Terminal } from "../terminal.js";
import type { LineResult } from "./shell-session.js";

/**
 * Tells the demo to whoever watches, in the form of a shell session: `$ ` begins what is typed, `# ` what is told, and
 * everything else is what came back.
 */
export interface Narrator {
  chapter(title: string): void;
  say(text: string): void;
  /** A line as it is typed, before it runs. */
  command(line: string): void;
  /** What came back. */
  answer(result: LineResult): void;
}

export function terminalNarrator({ out, colors }: Terminal): Narrator {
  let chapters = 0;
  const write = (text: string, paint: (line: string) => string): void => {
    if (text === "") return;
    for (const line of text.replace(/\n$/, "").split("\n")) out(paint(line));
  };
  return {
    chapter(title) {
      chapters += 1;
      out("");
      out(colors.bold(`# ${chapters}. ${title}`));
    },
    say: (text) => out(colors.dim(`# ${text}`)),
    command: (line) => out(`${colors.cyan("$")} ${colors.bold(line)}`),
    answer({ stdout, stderr, exitCode }) {
      write(stdout, (line) => line);
      write(stderr, colors.red);
      if (exitCode !== 0) out(colors.dim(`# exit code ${exitCode}`));
    },
  };
}

export const SILENT_NARRATOR: Narrator = { chapter() {}, say() {}, command() {}, answer() {} };
