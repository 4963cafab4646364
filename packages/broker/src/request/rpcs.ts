import {
  AdminService,
  AeadService,
  type GrpcMethod,
  grpcMethods,
  InvocationService,
  MintingService,
  NatsService,
  SecretService,
  SigningService,
} from "@basil/proto";
import type { DescService, Message } from "@bufbuild/protobuf";
import { admin, aead, invocation, minting, nats, secrets, signing } from "../handlers/table.js";
import type { Handlers, StreamHandler, UnaryHandler } from "./handler.js";

/** One method: how it travels, who answers it, and what its failures are called. */
export type Rpc = {
  readonly method: GrpcMethod<Message, Message>;
  /** The detail's `op` of a failure after authorization. */
  readonly op: string;
} & (
  | { readonly kind: "unary"; readonly handler: UnaryHandler<Message, Message> }
  | { readonly kind: "stream"; readonly handler: StreamHandler<Message, Message> }
);

let table: ReadonlyMap<string, Rpc> | undefined;

/** Every method of the protocol, by its path. */
export function rpcs(): ReadonlyMap<string, Rpc> {
  table ??= makeTable();
  return table;
}

function makeTable(): ReadonlyMap<string, Rpc> {
  const all = [
    ...rpcsOf(SigningService, signing),
    ...rpcsOf(AeadService, aead),
    ...rpcsOf(SecretService, secrets),
    ...rpcsOf(MintingService, minting),
    ...rpcsOf(NatsService, nats),
    ...rpcsOf(AdminService, admin),
    ...rpcsOf(InvocationService, invocation),
  ];
  return new Map(all.map((rpc) => [rpc.method.path, rpc]));
}

function rpcsOf<S extends DescService>(service: S, handlers: Handlers<S>): Rpc[] {
  const methods: unknown = grpcMethods(service);
  return service.methods.map(({ name, localName }) => {
    const method = (methods as Record<string, GrpcMethod<Message, Message>>)[localName]!;
    const handler: unknown = (handlers as Readonly<Record<string, unknown>>)[localName];
    const op = opOf(name);
    return method.responseStream
      ? { method, op, kind: "stream", handler: handler as StreamHandler<Message, Message> }
      : { method, op, kind: "unary", handler: handler as UnaryHandler<Message, Message> };
  });
}

/** The method's name in snake case; MintJwt alone is called by its operation. */
function opOf(name: string): string {
  if (name === "MintJwt") return "mint";
  return name.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}
