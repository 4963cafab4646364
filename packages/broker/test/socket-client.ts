import { decodeStatusDetails, type GrpcMethod, grpcMethods, STATUS_DETAILS_KEY } from "@basil/proto";
import { create, type DescMessage, type DescService, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";

/** Calls a method by its service and local name, with nothing of our own client in between. */
export class SocketClient {
  readonly grpc: Client;

  constructor(path: string) {
    this.grpc = new Client(`unix:${path}`, credentials.createInsecure(), {
      "grpc.default_authority": "localhost",
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  call<S extends DescService, M extends keyof S["method"] & string>(
    service: S,
    name: M,
    request: MessageInitShape<S["method"][M]["input"]>,
    options: { deadline?: number; metadata?: Metadata; signal?: AbortSignal } = {},
  ): Promise<Record<string, unknown>> {
    const method = methodOf(service, name);
    const input: DescMessage = service.method[name]!.input;
    const { deadline, metadata = new Metadata() } = options;
    return new Promise((resolve, reject) => {
      const call = this.grpc.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        create(input, request as never),
        metadata,
        deadline === undefined ? {} : { deadline },
        (error, response) => (error ? reject(failure(error)) : resolve(response as never)),
      );
      options.signal?.addEventListener("abort", () => call.cancel());
    });
  }

  async stream<S extends DescService, M extends keyof S["method"] & string>(
    service: S,
    name: M,
    request: MessageInitShape<S["method"][M]["input"]>,
  ): Promise<Record<string, unknown>[]> {
    const method = methodOf(service, name);
    const call = this.grpc.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      create(service.method[name]!.input as DescMessage, request as never),
    );
    const messages: Record<string, unknown>[] = [];
    try {
      for await (const message of call) messages.push(message);
    } catch (error) {
      throw failure(error as ServiceError);
    }
    return messages;
  }
}

function methodOf(service: DescService, name: string): GrpcMethod<Message, Message> {
  const methods: unknown = grpcMethods(service);
  return (methods as Record<string, GrpcMethod<Message, Message>>)[name]!;
}

/** What a failed call carries, as data. */
function failure(error: ServiceError) {
  const [details] = error.metadata.get(STATUS_DETAILS_KEY);
  const info = details instanceof Uint8Array ? decodeStatusDetails(details) : undefined;
  return {
    code: error.code,
    message: error.details,
    reason: info?.reason,
    op: info?.op,
    retry: error.metadata.get("grpc-retry-pushback-ms")[0],
    trailers: error.metadata.toJSON(),
  };
}
