import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { BrokerError } from "../errors.js";
import { type Logger, SILENT } from "../logger.js";
import { loadCLibrary } from "../native/c-library.js";
import type { AuditRecord, AuditSink } from "./audit-sink.js";
import { seconds } from "./authz-record.js";
import { CHAIN_START, type ChainHead, chainLine } from "./chain.js";
import { readTail } from "./file-tail.js";

export interface AuditFileOptions {
  readonly logger?: Logger;
  /** Lines between two checkpoints. Default: 1,000. */
  readonly checkpointEvery?: number;
  /** Milliseconds between two attempts to write again after a failure. Default: 1,000. */
  readonly retryMs?: number;
}

interface Waiting {
  readonly record: AuditRecord;
  resolve(): void;
  reject(error: unknown): void;
}

const MAX_BATCH = 512;

/**
 * JSON lines in the file at `path`, created with mode 0600 and only ever appended to. Every line holds the hash of the one
 * before it. Lines that arrive while a write is under way go together in the next one.
 *
 * @throws {@link BrokerError} `AUDIT_UNAVAILABLE`
 */
export async function openAuditFile(path: string, options: AuditFileOptions = {}): Promise<AuditSink> {
  const file = new AuditFile(path, options);
  await file.open();
  return file;
}

class AuditFile implements AuditSink {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #checkpointEvery: number;
  readonly #retryMs: number;
  readonly #waiting: Waiting[] = [];
  #file: FileHandle | undefined;
  #head: ChainHead | undefined;
  #lastCheckpoint = 0;
  /** Bytes without a newline at the end of the file, to be closed before the next line. */
  #tornBytes = 0;
  /** One thing at a time happens to the file: a write, or opening it again. */
  #busy: Promise<void> = Promise.resolve();
  #flushing = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  healthy = true;

  constructor(path: string, { logger = SILENT, checkpointEvery = 1000, retryMs = 1000 }: AuditFileOptions) {
    this.#path = path;
    this.#logger = logger;
    this.#checkpointEvery = checkpointEvery;
    this.#retryMs = retryMs;
  }

  async open(): Promise<void> {
    const { O_APPEND, O_CREAT, O_RDWR } = constants;
    let file: FileHandle | undefined;
    try {
      file = await open(this.#path, O_APPEND | O_CREAT | O_RDWR, 0o600);
      const stat = await file.stat();
      if (stat.isFile()) await this.#lock(file, stat);
      const known = this.#head;
      // A pipe or a terminal has no end to read; its chain begins, or goes on, with what is known.
      const tail = stat.isFile() ? await readTail(file) : { head: known ?? CHAIN_START, tornBytes: 0 };
      if (stat.isFile() && (stat.mode & 0o077) !== 0) {
        this.#logger.warn(
          { path: this.#path, mode: (stat.mode & 0o777).toString(8) },
          "the audit log is open to others",
        );
      }
      // An empty file after one of ours is a rotation: the chain goes on in it.
      this.#head = stat.isFile() && stat.size === 0 && known !== undefined ? known : tail.head;
      this.#tornBytes = tail.tornBytes;
      const before = this.#file;
      this.#file = file;
      await before?.close();
      if (this.#tornBytes > 0)
        await this.#append([this.#marker("basil.audit.recovered", { torn_bytes: this.#tornBytes })]);
    } catch (cause) {
      if (file !== this.#file) await file?.close();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new BrokerError(
        "AUDIT_UNAVAILABLE",
        `the audit log cannot be used: ${reason}`,
        { path: this.#path },
        { cause },
      );
    }
  }

  write(record: AuditRecord): Promise<void> {
    if (this.#closed) return Promise.reject(new BrokerError("CLOSED", "the audit log is closed", {}));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      if (!this.#flushing) this.#flush();
    });
  }

  async reopen(): Promise<void> {
    await this.#alone(async () => {
      await this.#checkpoint().catch((error: unknown) => this.#fail(error));
      await this.open();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#alone(async () => {
      await this.#checkpoint().catch(() => undefined);
      await this.#file?.sync().catch(() => undefined);
      await this.#file?.close();
    });
  }

  /** Two writers would each continue the chain from their own last line. A lock dies with its process. */
  async #lock(file: FileHandle, { dev, ino }: Stats): Promise<void> {
    const own = await this.#file?.stat();
    if (own?.dev === dev && own.ino === ino) {
      // The lock of the descriptor that is open already would keep us out, too.
      await this.#file?.close();
      this.#file = undefined;
    }
    const { lockExclusively } = await loadCLibrary();
    if (lockExclusively(file.fd)) return;
    await file.close();
    throw new Error("another process writes it");
  }

  #flush(): void {
    this.#flushing = true;
    void this.#alone(async () => {
      while (this.#waiting.length > 0) await this.#writeBatch(this.#waiting.splice(0, MAX_BATCH));
      this.#flushing = false;
    });
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      // What a failed write left behind must not become the beginning of this line.
      if (!this.healthy) await this.#resume();
      await this.#append(batch.map(({ record }) => record));
      for (const { resolve } of batch) resolve();
      const seq = this.#head?.seq ?? 0;
      if (seq - this.#lastCheckpoint >= this.#checkpointEvery) await this.#checkpoint();
    } catch (error) {
      this.#fail(error);
      for (const { reject } of batch) reject(error);
    }
  }

  /** The head moves only when every byte is with the kernel. */
  async #append(records: readonly AuditRecord[]): Promise<void> {
    let head = this.#head ?? CHAIN_START;
    let text = this.#tornBytes > 0 ? "\n" : "";
    for (const record of records) {
      const chained = chainLine(record, head);
      text += `${chained.line}\n`;
      head = chained.head;
    }
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#writable().write(bytes, written);
      written += bytesWritten;
    }
    this.#head = head;
    this.#tornBytes = 0;
  }

  #writable(): FileHandle {
    if (this.#file !== undefined) return this.#file;
    throw new BrokerError("AUDIT_UNAVAILABLE", "the audit log is not open", { path: this.#path });
  }

  async #checkpoint(): Promise<void> {
    const head = this.#head;
    if (head === undefined || head.seq === this.#lastCheckpoint || !this.healthy) return;
    const checkpoint = `${head.seq}:${head.hash}`;
    await this.#append([this.#marker("basil.audit.checkpoint", { checkpoint })]);
    this.#lastCheckpoint = this.#head?.seq ?? 0;
    this.#logger.info({ checkpoint }, "audit checkpoint");
  }

  #marker(event_kind: string, members: Readonly<Record<string, unknown>>): AuditRecord {
    return { event_kind, event_version: 1, occurred_at: seconds(new Date()), ...members };
  }

  /** What of a failed write is in the file is read back from it. */
  async #resume(): Promise<void> {
    await this.open();
    await this.#append([this.#marker("basil.audit.resumed", {})]);
    this.healthy = true;
    this.#logger.info({ path: this.#path }, "the audit log can be written again");
  }

  #fail(error: unknown): void {
    if (this.healthy) this.#logger.error({ path: this.#path, error: String(error) }, "the audit log cannot be written");
    this.healthy = false;
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      void this.#alone(async () => {
        if (!this.healthy) await this.#resume().catch((again: unknown) => this.#fail(again));
      });
    }, this.#retryMs);
    this.#retry.unref();
  }

  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#busy.then(work);
    this.#busy = done.catch(() => undefined);
    return done;
  }
}
