import type { DescMethod, DescService, MessageShape } from "@bufbuild/protobuf";
import type { Call } from "./call.js";

/** Carries out one request, or throws a {@link BrokerError} a caller may see. Knows nothing of the transport. */
export type UnaryHandler<Request, Response> = (request: Request, call: Call) => Promise<Response>;

/** A stream that has no end of its own. Ending it lets go of what it holds. */
export interface EndlessStream<Message> extends AsyncIterable<Message> {
  end(): void;
}

/** What a stream handler gives: all at once, or as it comes. */
export type Stream<Message> = Iterable<Message> | EndlessStream<Message>;

/** Settles once the stream may begin; what it throws before that is the call's failure. */
export type StreamHandler<Request, Response> = (request: Request, call: Call) => Promise<Stream<Response>>;

type HandlerOf<M extends DescMethod> = M["methodKind"] extends "server_streaming"
  ? StreamHandler<MessageShape<M["input"]>, MessageShape<M["output"]>>
  : UnaryHandler<MessageShape<M["input"]>, MessageShape<M["output"]>>;

/** A handler for every method of a service. */
export type Handlers<S extends DescService> = {
  readonly [M in keyof S["method"]]: S["method"][M] extends DescMethod ? HandlerOf<S["method"][M]> : never;
};
