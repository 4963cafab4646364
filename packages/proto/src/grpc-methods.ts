import type { DescMethod, DescService, Message, MessageShape } from "@bufbuild/protobuf";
import { fromBinary, toBinary } from "@bufbuild/protobuf";

/**
 * How one method travels: the form `@grpc/grpc-js` calls a method definition. Its serializers want a Buffer, so that
 * is what they give; it shares memory with the encoded message.
 */
export interface GrpcMethod<Request, Response> {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly requestDeserialize: (bytes: Uint8Array) => Request;
  readonly responseSerialize: (response: Response) => Buffer;
  readonly responseDeserialize: (bytes: Uint8Array) => Response;
}

/** The methods of a service by their local names (`sign`, `getPublicKey`), each with the types of its messages. */
export type GrpcMethods<S extends DescService> = {
  readonly [M in keyof S["method"]]: S["method"][M] extends DescMethod
    ? GrpcMethod<MessageShape<S["method"][M]["input"]>, MessageShape<S["method"][M]["output"]>>
    : never;
};

/** The methods of `service` as grpc-js takes them, for a server and for a client alike. */
export function grpcMethods<S extends DescService>(service: S): GrpcMethods<S> {
  const methods: unknown = Object.fromEntries(service.methods.map((method) => [method.localName, grpcMethod(method)]));
  return methods as GrpcMethods<S>;
}

function grpcMethod(method: DescMethod): GrpcMethod<Message, Message> {
  const { input, output, methodKind } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: (request) => asBuffer(toBinary(input, request)),
    requestDeserialize: (bytes) => fromBinary(input, plain(bytes)),
    responseSerialize: (response) => asBuffer(toBinary(output, response)),
    responseDeserialize: (bytes) => fromBinary(output, plain(bytes)),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A Buffer's subarrays are Buffers: read as it is, every `bytes` field of the message would be one. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
