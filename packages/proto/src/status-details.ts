import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { type BrokerErrorInfo, BrokerErrorInfoSchema } from "./gen/basil/broker/v1/broker_pb.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";

/** The trailer that carries the details of an error; its value is a binary `google.rpc.Status`. */
export const STATUS_DETAILS_KEY = "grpc-status-details-bin";

const TYPE_URL = `type.googleapis.com/${BrokerErrorInfoSchema.typeName}`;

export interface StatusDetails {
  /** The gRPC status code, 1 to 16. */
  readonly code: number;
  readonly message: string;
  /** Stable and upper case, e.g. `UNAUTHORIZED`. */
  readonly reason: string;
  /** The operation in snake case, e.g. `get_public_key`. */
  readonly op: string;
}

/** A `google.rpc.Status` with one `Any` that holds a `BrokerErrorInfo`, as the value of {@link STATUS_DETAILS_KEY}. */
export function encodeStatusDetails({ code, message, reason, op }: StatusDetails): Uint8Array {
  const value = toBinary(BrokerErrorInfoSchema, create(BrokerErrorInfoSchema, { reason, op }));
  const detail = create(AnySchema, { typeUrl: TYPE_URL, value });
  return toBinary(StatusSchema, create(StatusSchema, { code, message, details: [detail] }));
}

/** The `BrokerErrorInfo` in the value of {@link STATUS_DETAILS_KEY}; undefined when there is none or the bytes are malformed. */
export function decodeStatusDetails(bytes: Uint8Array): BrokerErrorInfo | undefined {
  try {
    const detail = fromBinary(StatusSchema, bytes).details.find(({ typeUrl }) => typeUrl === TYPE_URL);
    return detail && fromBinary(BrokerErrorInfoSchema, detail.value);
  } catch {
    return undefined;
  }
}
