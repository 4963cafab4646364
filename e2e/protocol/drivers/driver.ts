/** A message in the JSON form of protobuf, as both drivers read and print it. */
export type Json = Readonly<Record<string, unknown>>;

/** What a caller sees of one call. */
export interface Outcome {
  /** The name of the gRPC status. */
  readonly code: string;
  readonly message: string;
  /** The messages of a stream; one of a unary call that succeeded. */
  readonly answers: readonly Json[];
  /** `-bin` values in hex; without what the transport itself adds. */
  readonly trailers: Readonly<Record<string, string>>;
}

/** A stream whose headers have come. */
export interface OpenStream {
  /** The next message. */
  next(): Promise<Json>;
  /** Reads to the end. */
  rest(): Promise<Outcome>;
  cancel(): Promise<void>;
}

/** One implementation of gRPC. Methods are named as in `SigningService/Sign`; a whole path is called with no bytes. */
export interface Driver extends AsyncDisposable {
  readonly name: string;
  /** @param timeoutMs - Sent as `grpc-timeout`. Default: 20,000. */
  call(socket: string, method: string, request: Json, timeoutMs?: number): Promise<Outcome>;
  open(socket: string, method: string, request: Json): Promise<OpenStream>;
}
