import type { GrpcMethod } from "@basil/proto";
import { ClientError } from "./errors.js";

/** The request as it travels. @throws TypeError for a value that the protocol has no form for; it names the field. */
export function encodeRequest<Request>(
  method: Pick<GrpcMethod<Request, unknown>, "path" | "requestSerialize">,
  request: Request,
): Buffer {
  try {
    return method.requestSerialize(request);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const field = /\bfield (?:basil\.broker\.v1\.)?([\w.]+)/.exec(text)?.[1];
    throw new TypeError(`a value is not of the type or range that ${field ?? method.path} takes`, { cause });
  }
}

/** @throws {@link ClientError} `PROTOCOL` for bytes that are no answer of this method. */
export function decodeAnswer<Response>(
  method: Pick<GrpcMethod<never, Response>, "path" | "responseDeserialize">,
  bytes: Uint8Array,
): Response {
  try {
    return method.responseDeserialize(bytes);
  } catch (cause) {
    throw new ClientError("PROTOCOL", `the answer is no message of ${method.path}`, {}, { cause });
  }
}
