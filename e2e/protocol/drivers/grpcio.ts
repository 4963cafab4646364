import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pythonVenv } from "../../peers/python.js";
import type { Driver, Json, OpenStream, Outcome } from "./driver.js";

const program = join(import.meta.dirname, "grpcio_driver.py");
const protoFolder = join(import.meta.dirname, "..", "..", "..", "packages", "proto");

interface Reply {
  readonly id: number;
  readonly error?: string;
}

/** Python's grpcio in a process of its own, with types it generates from the .proto itself. */
export class Grpcio implements Driver {
  readonly name = "grpcio";
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<Reply>>();
  #stderr = "";
  #lastId = 0;

  static async start(): Promise<Grpcio> {
    return new Grpcio(await pythonVenv(["grpcio==1.85.1", "grpcio-tools==1.85.1"]));
  }

  private constructor(python: string) {
    this.#process = spawn(python, [program, protoFolder], { stdio: ["pipe", "pipe", "pipe"] });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    createInterface(this.#process.stdout!).on("line", (line) => {
      const reply = JSON.parse(line) as Reply;
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.error === undefined) waiting?.resolve(reply);
      else waiting?.reject(new Error(reply.error));
    });
    this.#process.once("close", (code) => {
      const error = new Error(`the Python driver ended with ${code}: ${this.#stderr}`);
      for (const { reject } of this.#waiting.values()) reject(error);
    });
  }

  async call(socket: string, method: string, request: Json, timeoutMs = 20_000): Promise<Outcome> {
    return outcome(await this.#ask({ do: "call", socket, method, request, timeoutMs }));
  }

  async open(socket: string, method: string, request: Json): Promise<OpenStream> {
    const { id: stream } = await this.#ask({ do: "open", socket, method, request });
    return {
      next: async () => ((await this.#ask({ do: "next", stream })) as Reply & { answer: Json }).answer,
      rest: async () => outcome(await this.#ask({ do: "rest", stream })),
      cancel: async () => void (await this.#ask({ do: "cancel", stream })),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end();
    if (this.#process.exitCode === null) await once(this.#process, "close");
  }

  #ask(command: Json): Promise<Reply> {
    this.#lastId += 1;
    const waiting = Promise.withResolvers<Reply>();
    this.#waiting.set(this.#lastId, waiting);
    this.#process.stdin?.write(`${JSON.stringify({ id: this.#lastId, ...command })}\n`);
    return waiting.promise;
  }
}

function outcome(reply: Reply): Outcome {
  const { code, message, answers, trailers } = reply as Reply & Outcome;
  return { code, message, answers, trailers };
}
