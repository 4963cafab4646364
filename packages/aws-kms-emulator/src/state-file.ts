import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { EmulatorError } from "./errors.js";
import { restore, type State, type StateParts, snapshot, stateSchema } from "./state-document.js";

/** The emulator's state on disk, private keys included: one JSON document, mode 0600, replaced as a whole. */
export class StateFile {
  readonly #file: string;
  readonly #parts: StateParts;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(file: string, parts: StateParts) {
    this.#file = file;
    this.#parts = parts;
  }

  /**
   * Reads the file into the tables; false when there is none yet.
   *
   * @throws {@link EmulatorError} `STATE_FILE`
   */
  async load(): Promise<boolean> {
    let text: string;
    try {
      text = await readFile(this.#file, "utf8");
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return false;
      throw this.#failed("cannot be read", cause);
    }
    let state: State;
    try {
      state = stateSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw this.#failed("is not a state of this emulator", cause);
    }
    const { place } = this.#parts;
    if (state.account !== place.account || state.region !== place.region) {
      throw this.#failed(
        `is of account ${state.account} in ${state.region}, not of ${place.account} in ${place.region}`,
      );
    }
    try {
      restore(state, this.#parts);
    } catch (cause) {
      throw this.#failed("holds a key or policy that cannot be taken in", cause);
    }
    return true;
  }

  /** Resolves when everything changed until now is on disk. Writes asked for during a write become one. */
  save(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#write().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.save();
      });
    return this.#next;
  }

  async #write(): Promise<void> {
    const temporary = `${this.#file}.${randomUUID()}.tmp`;
    try {
      const handle = await open(temporary, "wx", 0o600);
      try {
        await handle.writeFile(JSON.stringify(snapshot(this.#parts)));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, this.#file);
      const folder = await open(dirname(this.#file), "r");
      await folder.sync().finally(() => folder.close());
    } catch (cause) {
      await rm(temporary, { force: true });
      throw this.#failed("cannot be written", cause);
    }
  }

  #failed(why: string, cause?: unknown): EmulatorError {
    return new EmulatorError("STATE_FILE", `state file ${this.#file} ${why}`, { file: this.#file }, { cause });
  }
}
