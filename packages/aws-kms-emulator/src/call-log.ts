import { appendFileSync } from "node:fs";
import type { CallRecord } from "./call-record.js";
import { EmulatorError } from "./errors.js";
import { checkMembers } from "./option-members.js";

export interface CallLogOptions {
  /** Calls kept in memory. Default 10,000. */
  readonly capacity?: number;
  /** Where calls that no longer fit are appended, a JSON object a line; dropped when absent. */
  readonly overflowFile?: string;
  /** Called with each record as it is made. */
  readonly onCall?: (record: CallRecord) => void;
}

/** A ring of the last calls. */
export class CallLog {
  readonly #capacity: number;
  readonly #overflowFile: string | undefined;
  readonly #onCall: ((record: CallRecord) => void) | undefined;
  readonly #ring: CallRecord[] = [];
  #oldest = 0;
  #count = 0;

  constructor(options: CallLogOptions = {}) {
    checkMembers(options, { capacity: true, overflowFile: true, onCall: true }, "callLog");
    this.#capacity = options.capacity ?? 10_000;
    if (!Number.isInteger(this.#capacity) || this.#capacity < 1) {
      throw new EmulatorError(
        "OPTION_INVALID",
        `callLog.capacity: must be an integer of at least 1, found ${this.#capacity}`,
        {
          path: "callLog.capacity",
        },
      );
    }
    this.#overflowFile = options.overflowFile;
    this.#onCall = options.onCall;
    if (this.#overflowFile !== undefined) this.#append(this.#overflowFile, "");
  }

  /** The number the next record gets. */
  get nextSequence(): number {
    return this.#count + 1;
  }

  add(record: CallRecord): void {
    this.#count += 1;
    if (this.#ring.length < this.#capacity) {
      this.#ring.push(record);
    } else {
      const displaced = this.#ring[this.#oldest];
      if (this.#overflowFile !== undefined && displaced !== undefined) {
        this.#append(this.#overflowFile, `${JSON.stringify(displaced)}\n`);
      }
      this.#ring[this.#oldest] = record;
      this.#oldest = (this.#oldest + 1) % this.#capacity;
    }
    this.#onCall?.(record);
  }

  /** Oldest first. */
  all(): readonly CallRecord[] {
    return [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)];
  }

  /** Forgets the calls kept in memory; numbering goes on. */
  clear(): void {
    this.#ring.length = 0;
    this.#oldest = 0;
  }

  #append(file: string, text: string): void {
    try {
      appendFileSync(file, text, { mode: 0o600 });
    } catch (cause) {
      throw new EmulatorError("LOG_FILE", `call log ${file}: cannot be written`, { file }, { cause });
    }
  }
}
