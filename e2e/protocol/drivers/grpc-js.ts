import { AdminService } from "@basil/proto";
import { type DescMethod, type DescService, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import {
  Client,
  type ClientReadableStream,
  credentials,
  type Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { Driver, Json, OpenStream, Outcome } from "./driver.ts";

/** `@grpc/grpc-js`, with the types of `@basil/proto`. */
export class GrpcJs implements Driver {
  readonly name = "grpc-js";
  readonly #clients = new Map<string, Client>();

  call(socket: string, method: string, request: Json, timeoutMs = 20_000): Promise<Outcome> {
    if (method.startsWith("/")) return this.#unary(socket, method, Buffer.alloc(0), () => ({}), timeoutMs);
    const found = describeMethod(method);
    if (found.methodKind === "server_streaming") return rest(this.#stream(socket, found, request, timeoutMs));
    return this.#unary(socket, pathOf(found), encode(found, request), (bytes) => decode(found, bytes), timeoutMs);
  }

  async open(socket: string, method: string, request: Json): Promise<OpenStream> {
    const stream = this.#stream(socket, describeMethod(method), request, 60_000);
    const messages = stream[Symbol.asyncIterator]() as AsyncIterator<Json>;
    await new Promise<void>((resolve, reject) => {
      stream.once("metadata", () => resolve());
      stream.once("error", reject);
    });
    stream.on("error", () => {});
    return {
      next: async () => (await messages.next()).value as Json,
      rest: () => rest(stream, messages),
      cancel: async () => stream.cancel(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) client.close();
  }

  #unary(
    socket: string,
    path: string,
    request: Buffer,
    read: (bytes: Buffer) => Json,
    timeoutMs: number,
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      let answer: Json | undefined;
      const same = (bytes: Buffer) => bytes;
      const options = { deadline: Date.now() + timeoutMs };
      const call = this.#client(socket).makeUnaryRequest(path, same, read, request, options, (error, message) => {
        if (error) resolve(failed(error, []));
        else answer = message;
      });
      call.on("status", ({ code, metadata }) => {
        if (code === status.OK) setImmediate(() => resolve(succeeded([answer!], metadata)));
      });
    });
  }

  #stream(socket: string, method: DescMethod, request: Json, timeoutMs: number): ClientReadableStream<Json> {
    return this.#client(socket).makeServerStreamRequest(
      pathOf(method),
      (message: Buffer) => message,
      (bytes: Buffer) => decode(method, bytes),
      encode(method, request),
      { deadline: Date.now() + timeoutMs },
    );
  }

  #client(socket: string): Client {
    let client = this.#clients.get(socket);
    if (client === undefined) {
      client = new Client(`unix:${socket}`, credentials.createInsecure(), {
        "grpc.default_authority": "localhost",
        "grpc.use_local_subchannel_pool": 1,
      });
      this.#clients.set(socket, client);
    }
    return client;
  }
}

const SERVICES: ReadonlyMap<string, DescService> = new Map(
  AdminService.file.services.map((service) => [service.name, service]),
);

/** Every method of the protocol, as `SigningService/Sign`. */
export const METHODS: readonly string[] = [...SERVICES.values()].flatMap(({ name, methods }) =>
  methods.map((method) => `${name}/${method.name}`),
);

function describeMethod(method: string): DescMethod {
  const [service = "", name] = method.split("/");
  const found = SERVICES.get(service)?.methods.find((each) => each.name === name);
  if (found === undefined) throw new TypeError(`no method ${method}`);
  return found;
}

const pathOf = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`;
const encode = ({ input }: DescMethod, request: Json) =>
  Buffer.from(toBinary(input, fromJson(input, request as never)));
const decode = ({ output }: DescMethod, bytes: Uint8Array) =>
  toJson(output, fromBinary(output, bytes), { alwaysEmitImplicit: true }) as Json;

async function rest(
  stream: ClientReadableStream<Json>,
  messages = stream[Symbol.asyncIterator]() as AsyncIterator<Json>,
): Promise<Outcome> {
  let trailers: Metadata | undefined;
  stream.on("status", ({ metadata }) => {
    trailers = metadata;
  });
  const answers: Json[] = [];
  try {
    for (let next = await messages.next(); !next.done; next = await messages.next()) answers.push(next.value);
    return succeeded(answers, trailers);
  } catch (error) {
    return failed(error as ServiceError, answers);
  }
}

const succeeded = (answers: readonly Json[], trailers: Metadata | undefined): Outcome => ({
  code: "OK",
  message: "",
  answers,
  trailers: textOf(trailers),
});
const failed = ({ code, details, metadata }: ServiceError, answers: readonly Json[]): Outcome => ({
  code: status[code],
  message: details,
  answers,
  trailers: textOf(metadata),
});

function textOf(metadata: Metadata | undefined): Record<string, string> {
  const entries = Object.keys(metadata?.getMap() ?? {}).map((name) => {
    const [value] = metadata!.get(name);
    return [name, typeof value === "string" ? value : Buffer.from(value!).toString("hex")];
  });
  const transport = new Set(["date", "content-type", "grpc-accept-encoding", "grpc-encoding", "grpc-server-stats-bin"]);
  return Object.fromEntries(entries.filter(([name]) => !transport.has(name!)));
}
