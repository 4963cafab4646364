export { GrpcConnection, type GrpcConnectionOptions, STREAM_COST_BYTES } from "./connection.js";
export type { GrpcCall, GrpcHandler, HeldStream, StreamLedger } from "./grpc-call.js";
export type { GrpcStatus } from "./grpc-status.js";
export { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.js";
export { hasPreface } from "./preface.js";
export { serveSocket } from "./serve-socket.js";
