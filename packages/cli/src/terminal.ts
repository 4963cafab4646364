import { randomBytes } from "node:crypto";
import picocolors from "picocolors";
import { escapeText } from "./escape-text.js";
import { StatusLine, type Waiting } from "./status-line.js";

const { createColors } = picocolors;

export type Colors = ReturnType<typeof createColors>;

/**
 * Where a command writes. Results go to `out`, everything else to `err`. Control characters of lines are escaped here, for
 * every command; only the colours below get through.
 */
export interface Terminal {
  /** Writes one line to standard output. */
  out(line: string): void;
  /** Writes one line to standard output and resolves once it is handed over; rejects when nobody reads any more. */
  outHandedOver(line: string): Promise<void>;
  /** Writes bytes to standard output as they are. */
  outBytes(bytes: Uint8Array): void;
  /** Writes bytes to standard output and resolves once they are handed over; rejects when nobody reads any more. */
  outBytesHandedOver(bytes: Uint8Array): Promise<void>;
  /** Writes one line to standard error. */
  err(line: string): void;
  /** The descriptor that `err` writes to, if it has one. */
  readonly errFd: number | undefined;
  /** Tells a person, and nobody else, what takes longer than a second, until it is disposed of. */
  working(what: Waiting): Disposable;
  /** While somebody is asked, until it is disposed of, nothing is told. */
  asking(): Disposable;
  /** Whether a person reads `out`. */
  readonly isTerminal: boolean;
  /** Colours for `out`; the identity when it is not a terminal or NO_COLOR is set. */
  readonly colors: Colors;
  /** Colours for `err`. */
  readonly errColors: Colors;
}

interface Streams {
  readonly stdout: Pick<NodeJS.WriteStream, "write" | "isTTY">;
  readonly stderr: Pick<NodeJS.WriteStream, "write" | "isTTY"> & { readonly fd?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}

const UNTOLD: Disposable = { [Symbol.dispose]() {} };

/** NO_COLOR counts when it is present and not empty (https://no-color.org). */
export function createTerminal({ stdout, stderr, env }: Streams): Terminal {
  const wanted = !env.NO_COLOR && env.TERM !== "dumb";
  const told = wanted && stderr.isTTY === true;
  const painter = createPainter();
  const status = new StatusLine({
    write: (text) => void stderr.write(text),
    now: () => performance.now(),
    every(milliseconds, callback) {
      const timer = setInterval(callback, milliseconds).unref();
      return () => clearInterval(timer);
    },
  });
  const handedOver = (content: string | Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      // Not for each chunk of a stream that goes somewhere else.
      if (stdout.isTTY || typeof content === "string") status.clear();
      stdout.write(content, (error) => (error ? reject(error) : resolve()));
    });
  return {
    out(line) {
      status.clear();
      stdout.write(`${painter.show(line)}\n`);
    },
    outHandedOver: (line) => handedOver(`${painter.show(line)}\n`),
    outBytesHandedOver: handedOver,
    outBytes(bytes) {
      status.clear();
      stdout.write(bytes);
    },
    err(line) {
      status.clear();
      stderr.write(`${painter.show(line)}\n`);
    },
    working: (what) => (told ? status.working(what) : UNTOLD),
    asking: () => (told ? status.asking() : UNTOLD),
    errFd: stderr.fd,
    isTerminal: stdout.isTTY === true,
    colors: painter.colors(wanted && stdout.isTTY === true),
    errColors: painter.colors(wanted && stderr.isTTY === true),
  };
}

/** Colours that only this terminal can make: their sequences carry a random mark until they are written. */
function createPainter(): { colors(enabled: boolean): Colors; show(text: string): string } {
  const mark = `<${randomBytes(16).toString("hex")}>`;
  const marked = new RegExp(`${mark}(\\[\\d+m)`, "g");
  return {
    colors(enabled) {
      const colors = createColors(enabled);
      if (!enabled) return colors;
      const paint = (format: unknown) =>
        typeof format === "function"
          ? (text: string | number | null | undefined) =>
              (format as (text: string) => string)(escapeText(String(text))).replaceAll("\u001b", mark)
          : format;
      return Object.fromEntries(Object.entries(colors).map(([name, format]) => [name, paint(format)])) as never;
    },
    show: (text) => escapeText(text).replace(marked, "\u001b$1"),
  };
}
