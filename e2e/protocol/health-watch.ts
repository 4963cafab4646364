import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { GrpcJs } from "./drivers/grpc-js.ts";

const WITHIN_MS = 1000;
const EVERY_MS = 100;

/**
 * Asks for health all the time, as an orchestrator's probe does, on a new connection each time. By how much this process
 * itself was late, busy with what the test does, is not counted against the answer.
 */
export class HealthWatch implements AsyncDisposable {
  /** What went wrong: an answer that came late, or not. */
  readonly misses: string[] = [];
  /** Milliseconds of the slowest answer. */
  slowest = 0;
  answers = 0;
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(socket: string) {
    this.#done = this.#run(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(socket: string): Promise<void> {
    const late = monitorEventLoopDelay({ resolution: 10 });
    late.enable();
    while (!this.#stopped) {
      await using driver = new GrpcJs();
      late.reset();
      const startedAt = performance.now();
      const { code } = await driver.call(socket, "AdminService/Health", {}, 5 * WITHIN_MS);
      const ms = Math.max(0, performance.now() - startedAt - late.max / 1e6);
      this.answers += 1;
      this.slowest = Math.max(this.slowest, ms);
      if (code !== "OK" || ms > WITHIN_MS) this.misses.push(`${code} after ${Math.round(ms)} ms`);
      await sleep(EVERY_MS);
    }
    late.disable();
  }
}
