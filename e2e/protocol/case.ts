import { expect } from "vitest";
import type { Driver, Json, OpenStream, Outcome } from "./drivers/driver.js";
import type { World, Worlds } from "./worlds.js";

/** What a case works with: one implementation of gRPC, and every world. */
export class Scene {
  readonly driver: Driver;
  readonly worlds: Worlds;

  constructor(driver: Driver, worlds: Worlds) {
    this.driver = driver;
    this.worlds = worlds;
  }

  call(world: World, method: string, request: Json = {}, timeoutMs?: number): Promise<Outcome> {
    return this.driver.call(this.worlds.socket(world), method, request, timeoutMs);
  }

  open(world: World, method: string, request: Json = {}): Promise<OpenStream> {
    return this.driver.open(this.worlds.socket(world), method, request);
  }

  /** The one answer of a call that must succeed. */
  async answer<Answer = Record<string, string>>(world: World, method: string, request: Json = {}): Promise<Answer> {
    const outcome = await this.call(world, method, request);
    expect(outcome, `${method} ${JSON.stringify(request).slice(0, 200)}`).toMatchObject({ code: "OK", message: "" });
    return outcome.answers[0] as Answer;
  }
}

export interface Case {
  /** Stable: the coverage page names it. */
  readonly id: string;
  readonly run: (scene: Scene) => Promise<void>;
}

export interface Failure {
  readonly code: string;
  readonly reason: string;
  readonly op: string;
  readonly message: string;
  /** `grpc-retry-pushback-ms`, where there is one. */
  readonly retry?: string;
}

/** A call that must fail exactly so. */
export function fails(id: string, world: World, method: string, request: Json, failure: Failure): Case {
  return { id, run: async (scene) => expectFailure(await scene.call(world, method, request), failure) };
}

/** A call that must succeed with these members in its one answer. */
export function succeeds(id: string, world: World, method: string, request: Json, members: Json): Case {
  return { id, run: async (scene) => expect(await scene.answer(world, method, request)).toMatchObject(members) };
}

/** Holds the whole outcome against the failure: status, message, and every trailer to the byte. */
export function expectFailure(outcome: Outcome, { code, reason, op, message, retry }: Failure): void {
  const anonymous = reason === "UNAUTHORIZED" || reason === "UNAUTHENTICATED";
  expect(outcome).toEqual({
    code,
    message,
    answers: [],
    trailers: {
      "grpc-status-details-bin": statusDetails(CODES[code]!, message, reason, op),
      // A refusal carries nothing that differs from one to the next.
      ...(anonymous
        ? {}
        : { "basil-request-id": expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) }),
      ...(retry === undefined ? {} : { "grpc-retry-pushback-ms": retry }),
    },
  });
}

export const refusal = (op: string, message = "not authorized"): Failure => ({
  code: "PERMISSION_DENIED",
  reason: "UNAUTHORIZED",
  op,
  message,
});
export const invalid = (op: string, message: string): Failure => ({
  code: "INVALID_ARGUMENT",
  reason: "INVALID_REQUEST",
  op,
  message,
});
export const tooLarge = (op: string, message: string): Failure => ({
  code: "RESOURCE_EXHAUSTED",
  reason: "PAYLOAD_TOO_LARGE",
  op,
  message,
});
export const unsupported = (op: string, message = "this broker does not offer the operation"): Failure => ({
  code: "UNIMPLEMENTED",
  reason: "UNSUPPORTED",
  op,
  message,
});

/** Bytes in the JSON form of protobuf. */
export const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64");
export const zeros = (length: number) => base64(new Uint8Array(length));
export const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

const CODES: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 3,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

/** `google.rpc.Status` with one `Any` that holds a `BrokerErrorInfo`, field by field, in hex. */
function statusDetails(code: number, message: string, reason: string, op: string): string {
  const info = Buffer.concat([field(1, reason), field(2, op)]);
  const any = Buffer.concat([field(1, "type.googleapis.com/basil.broker.v1.BrokerErrorInfo"), field(2, info)]);
  return Buffer.concat([Buffer.of(0x08, code), field(2, message), field(3, any)]).toString("hex");
}

/** A field of wire type 2 (https://protobuf.dev/programming-guides/encoding/). */
function field(number: number, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      length.push(rest);
      break;
    }
    length.push((rest & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.of((number << 3) | 2, ...length), bytes]);
}
