export type { ConformanceCase } from "./conformance-case.js";
export { conformanceCases } from "./conformance-cases.js";
export type { MemoryBackendOptions } from "./memory/memory-backend.js";
export { memoryBackend } from "./memory/memory-backend.js";
export type { ConformanceOptions, CreateBackend } from "./options.js";
export type { ConformanceFailure, ConformanceResult } from "./run-conformance.js";
export { runConformance } from "./run-conformance.js";
