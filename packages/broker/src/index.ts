export type { AuditFileOptions } from "./audit/audit-file.js";
export { openAuditFile } from "./audit/audit-file.js";
export type { AuditFailureMode } from "./audit/audit-log.js";
export type { AuditRecord, AuditSink } from "./audit/audit-sink.js";
export type { ChainHead } from "./audit/chain.js";
export type { AuditProblem, AuditVerification, VerifyAuditOptions } from "./audit/verify-audit.js";
export { parseCheckpoint, verifyAudit } from "./audit/verify-audit.js";
export type { BrokerOptions, StartReport } from "./broker.js";
export { Broker, createBroker } from "./broker.js";
export { Caller } from "./caller.js";
export type { ListenOptions } from "./connections/listener.js";
export { Listener } from "./connections/listener.js";
export type { CallOptions } from "./embedded-transport.js";
export { EmbeddedTransport } from "./embedded-transport.js";
export type {
  AnyBrokerError,
  AnyRequestError,
  BrokerErrorCode,
  BrokerErrorDetails,
  BrokerErrorOptions,
  RequestErrorCode,
  RequestErrorDetails,
  StartupErrorDetails,
} from "./errors.js";
export { BROKER_ERROR_CODES, BrokerError, isBrokerError } from "./errors.js";
export type { Limits } from "./limits.js";
export { DEFAULT_LIMITS } from "./limits.js";
export type { Logger } from "./logger.js";
export type { MetricsOptions, MetricsServer } from "./metrics/metrics-server.js";
export { disableCoreDumps } from "./native/core-dumps.js";
export type { OpenBackendsOptions } from "./open-backends.js";
export { openBackends } from "./open-backends.js";
export { requirePlatform } from "./peer/peer.js";
export type { DocumentFilesOptions, DocumentSource, RejectionReason } from "./reload/document-source.js";
export { documentFiles } from "./reload/document-source.js";
export type { ReloadActor, ReloadEvent, ReloadOptions, ReloadResult } from "./reload/reloader.js";
export type { RequestEvent } from "./request/request-channel.js";
export { REQUEST_CHANNEL } from "./request/request-channel.js";
export type { ServiceNotifier } from "./service-manager/service-notifier.js";
export { serviceNotifier } from "./service-manager/service-notifier.js";
export type { VerifySignatures } from "./signature-check.js";
export { VERIFY_SIGNATURES } from "./signature-check.js";
export type { SocketOptions } from "./socket/bind-socket.js";
export { checkSocket } from "./socket/bind-socket.js";
