import picocolors from "picocolors";
import { StatusLine, type Waiting } from "./status-line.js";

const { createColors } = picocolors;

export type Colors = ReturnType<typeof createColors>;

/** Where a command writes. Results go to `out`, everything else to `err`. */
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
      stdout.write(`${line}\n`);
    },
    outHandedOver: (line) => handedOver(`${line}\n`),
    outBytesHandedOver: handedOver,
    outBytes(bytes) {
      status.clear();
      stdout.write(bytes);
    },
    err(line) {
      status.clear();
      stderr.write(`${line}\n`);
    },
    working: (what) => (told ? status.working(what) : UNTOLD),
    asking: () => (told ? status.asking() : UNTOLD),
    errFd: stderr.fd,
    isTerminal: stdout.isTTY === true,
    colors: createColors(wanted && stdout.isTTY === true),
    errColors: createColors(wanted && stderr.isTTY === true),
  };
}
