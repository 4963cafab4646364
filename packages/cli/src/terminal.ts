import picocolors from "picocolors";

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
  /** Whether a person reads `out`. */
  readonly isTerminal: boolean;
  /** Colours for `out`; the identity when it is not a terminal or NO_COLOR is set. */
  readonly colors: Colors;
  /** Colours for `err`. */
  readonly errColors: Colors;
}

interface Streams {
  readonly stdout: Pick<NodeJS.WriteStream, "write" | "isTTY">;
  readonly stderr: Pick<NodeJS.WriteStream, "write" | "isTTY">;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** NO_COLOR counts when it is present and not empty (https://no-color.org). */
export function createTerminal({ stdout, stderr, env }: Streams): Terminal {
  const wanted = !env.NO_COLOR && env.TERM !== "dumb";
  const handedOver = (content: string | Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      stdout.write(content, (error) => (error ? reject(error) : resolve()));
    });
  return {
    out: (line) => void stdout.write(`${line}\n`),
    outHandedOver: (line) => handedOver(`${line}\n`),
    outBytesHandedOver: handedOver,
    outBytes: (bytes) => void stdout.write(bytes),
    err: (line) => void stderr.write(`${line}\n`),
    isTerminal: stdout.isTTY === true,
    colors: createColors(wanted && stdout.isTTY === true),
    errColors: createColors(wanted && stderr.isTTY === true),
  };
}
